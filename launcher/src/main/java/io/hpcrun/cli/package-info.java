/** The command: one class for each sub-command, and what they share. */
package io.hpcrun.cli;
