/** The daemon's process: its settings, its life, and what it is made of. */
package io.hpcrun.daemon;
