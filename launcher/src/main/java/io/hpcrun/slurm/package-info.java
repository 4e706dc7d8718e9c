/** Slurm's commands as a client: sbatch, scontrol, squeue, sacct, scancel. */
package io.hpcrun.slurm;
