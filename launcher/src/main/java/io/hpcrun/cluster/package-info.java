/** What is known of the cluster: Slurm's own answers, parsed. */
package io.hpcrun.cluster;
