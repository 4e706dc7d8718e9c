/** The dashboard in a browser. */
package io.hpcrun.daemon.dashboard;
