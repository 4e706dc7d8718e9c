/**
 * What became of launches whose records do not tell: Slurm is asked, gently, and its answer goes to
 * the store.
 */
package io.hpcrun.daemon.jobs;
