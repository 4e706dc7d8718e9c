#!/bin/bash
#SBATCH --job-name=hello-mpi
#SBATCH --nodes=2
#SBATCH --ntasks=4
#SBATCH --ntasks-per-node=2
#
# Written by hpcrun 1.2.3. It can be read, kept and given to sbatch as it is.
# image /home/alice/hello-openmpi.sif (SIF, amd64, 0f8fad5b-d9cb-469f-a165-70867728950e)
# mode = exec: each rank runs the image with one apptainer exec (built-in)
# mpi = pmix: the cluster's default (slurm.conf MpiDefault)
# UCX_POSIX_USE_PROC_LINK = n: ranks in user namespaces of their own cannot open each other's /proc files (built-in, unless it is set)

# ---- the launch
hpcrun_image=/home/alice/hello-openmpi.sif
hpcrun_command=(hello-mpi)
hpcrun_srun=(--mpi=pmix)
hpcrun_container=(--no-eval)
hpcrun_environment=()
hpcrun_defaults=(UCX_POSIX_USE_PROC_LINK=n)
hpcrun_records=/home/alice/.local/state/hpcrun/records
hpcrun_facts='"hpcrun":"1.2.3","image":"/home/alice/hello-openmpi.sif","image_id":"0f8fad5b-d9cb-469f-a165-70867728950e","command":"hello-mpi","mode":"exec","mpi":"pmix","UCX_POSIX_USE_PROC_LINK":"n"'

# ---- the node agent
# agent

hpcrun_main
