/** What the daemon tells a monitoring system. */
package io.hpcrun.daemon.metrics;
