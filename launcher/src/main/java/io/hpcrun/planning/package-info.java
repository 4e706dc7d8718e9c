/**
 * From what is known of a launch to its decisions and its job script: the one planner of command
 * and daemon, and how the command asks the daemon for it.
 */
package io.hpcrun.planning;
