/** What the administrators declare of their site: the site file and its drop-ins. */
package io.hpcrun.site;
