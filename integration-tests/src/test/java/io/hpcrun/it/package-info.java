/** What hpcrun does on a real cluster, as its users see it. */
package io.hpcrun.it;
