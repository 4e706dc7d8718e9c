/** Templates: job files that a site, a team or a user keeps under a name. */
package io.hpcrun.template;
