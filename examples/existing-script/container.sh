#!/bin/bash
#SBATCH --job-name=melt
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --time=10
#HPCRUN --image=../lammps.sif
srun() { hpcrun exec -- "$@"; }

set -euo pipefail
export OMP_NUM_THREADS=1

srun lmp -in ../lammps/in.lj -log none -var steps 100 >melt.out
awk '$1 == 100 { print "energy after 100 steps:", $4 }' melt.out
