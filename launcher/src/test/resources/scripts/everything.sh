#!/bin/bash
#SBATCH --cpus-per-task=8
#SBATCH --exclusive
#SBATCH --job-name="a job's \"name\" # 1"
#SBATCH --nodelist=c[1-4,7]
#SBATCH --time=1-12:00
#SBATCH --licenses=matlab:1
#SBATCH "--mail-user=a b@c"
#
# Written by hpcrun 1.2.3. It can be read, kept and given to sbatch as it is.
# image /home/alice/hello-openmpi.sif (SIF, amd64, 0f8fad5b-d9cb-469f-a165-70867728950e)
# mode = exec: each rank runs the image with one apptainer exec (built-in)
# mpi = pmix: the cluster's default (slurm.conf MpiDefault)
# cpus-per-task = 8: srun of Slurm 22.05 to 23.02 does not take it from the job (option --cpus-per-task)
# UCX_POSIX_USE_PROC_LINK = n: ranks in user namespaces of their own cannot open each other's /proc files (built-in, unless it is set)

# ---- the launch
hpcrun_image=/home/alice/hello-openmpi.sif
# shellcheck disable=SC2016 # these are data: nothing is expanded
hpcrun_command=(./app 'two words' 'it'\''s $HOME `id` \ "x"' '' -n $'two\nlines' 'größe'
  'a rather long argument that makes the list go on in a line of its own' '#SBATCH --nodes=99')
hpcrun_srun=(--mpi=pmix --cpus-per-task=8)
hpcrun_container=(--no-eval --nv --writable-tmpfs --pwd '/work dir' --no-mount 'tmp,cwd' --bind
  /scratch --bind /data/in:/in:ro --mount
  'type=bind,"source=/odd, ""dir"":x","destination=/odd",ro')
# shellcheck disable=SC2016 # these are data: nothing is expanded
hpcrun_environment=(OMP_NUM_THREADS=8 $'MESSAGE=$(id) `id` "x" \'y\'\n')
hpcrun_defaults=(UCX_POSIX_USE_PROC_LINK=n)
hpcrun_records=/home/alice/.local/state/hpcrun/records
hpcrun_facts='"hpcrun":"1.2.3","image":"/home/alice/hello-openmpi.sif","image_id":"0f8fad5b-d9cb-469f-a165-70867728950e","command":"./app","mode":"exec","mpi":"pmix","cpus-per-task":"8","UCX_POSIX_USE_PROC_LINK":"n"'

# ---- the node agent
# agent

hpcrun_main
