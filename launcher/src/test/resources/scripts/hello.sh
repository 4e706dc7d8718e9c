#!/bin/bash
#SBATCH --job-name=hello-mpi
#SBATCH --nodes=2
#SBATCH --ntasks=4
#SBATCH --ntasks-per-node=2
#
# Written by hpcrun 1.2.3. It can be read, kept and given to sbatch as it is.
# image /home/alice/hello-openmpi.sif (SIF, amd64, 0f8fad5b-d9cb-469f-a165-70867728950e)
# mode = auto: ranks join one container per node, or start one each where they cannot (built-in)
# mpi = pmix: the cluster's default (slurm.conf MpiDefault)
# UCX_POSIX_USE_PROC_LINK = n: ranks that do not share a container cannot open each other's /proc files (rule ucx-proc-link: openucx/ucx#4224; openucx/ucx#4511; fixed by openucx/ucx#9213)
# world-size-guard = off: no MPI is known that could be left alone (built-in)
# stage = shared: 1 MiB on ext4, 2 or more nodes: not a file system that needs it (rule)
# bind = /var/spool/slurmd: the PMIx server's files are there (slurm.conf SlurmdSpoolDir)

# ---- the launch
hpcrun_kind=job
hpcrun_image=/home/alice/hello-openmpi.sif
hpcrun_header=dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
hpcrun_program=/home/alice/.cache/hpcrun/hpcrun-enter-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
hpcrun_command=(hello-mpi)
hpcrun_srun=(--mpi=pmix)
hpcrun_container=(--no-eval)
hpcrun_environment=()
hpcrun_defaults=()
hpcrun_alone=(UCX_POSIX_USE_PROC_LINK=n)
hpcrun_mode='auto'
hpcrun_mpi=pmix
hpcrun_spool=/var/spool/slurmd
hpcrun_guard=()
hpcrun_stage=shared
hpcrun_stage_directory=/tmp/hpcrun-cache.$UID
hpcrun_stage_limit=21474836480
hpcrun_digest=''
hpcrun_image_size=1000
hpcrun_records=/home/alice/.local/state/hpcrun/records
hpcrun_facts='"hpcrun":"1.2.3","image":"/home/alice/hello-openmpi.sif","image_id":"0f8fad5b-d9cb-469f-a165-70867728950e","command":"hello-mpi","mode":"auto","mpi":"pmix","UCX_POSIX_USE_PROC_LINK":"n","world-size-guard":"off","stage":"shared","bind":"/var/spool/slurmd"'

# ---- the node agent
# agent

hpcrun_main "$@"
