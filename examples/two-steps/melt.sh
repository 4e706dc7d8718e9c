#!/bin/bash
#SBATCH --job-name=melt-and-table
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --time=10
#HPCRUN --image=../lammps.sif
set -euo pipefail
steps=${1:-100}

# On all ranks of the job.
hpcrun exec -- lmp -in ../lammps/in.lj -log melt.log -screen none -var steps "$steps"

# On one. What stands before the -- is srun's.
hpcrun exec -N 1 -n 1 -- ./table.sh melt.log
