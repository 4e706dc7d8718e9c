#!/bin/bash -p
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
# mode = exec: you asked for it (option --mode)
# mpi = pmix: Open MPI 5.0.7 speaks PMIx and nothing else (rule open-mpi-5: Open MPI, docs/launching-apps/slurm.rst)
# PMIX_MCA_gds = hash: the container does not see the files through which PMIx shares its data (rule gds-own-tmp: open-mpi/ompi#12146; apptainer/singularity#5195)
# world-size-guard = on: a launch whose ranks turn out to be MPI jobs of their own is ended (built-in)
# stage = node: you asked for it (option --stage)
# cpus-per-task = 8: srun of Slurm 22.05 to 23.02 does not take it from the job (option --cpus-per-task)

# ---- the launch
hpcrun_kind=job
hpcrun_image=/home/alice/hello-openmpi.sif
hpcrun_header=dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
hpcrun_program=/home/alice/.cache/hpcrun/hpcrun-enter-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
# shellcheck disable=SC2016 # these are data: nothing is expanded
hpcrun_command=(./app 'two words' 'it'\''s $HOME `id` \ "x"' '' -n $'two\nlines' 'größe'
  'a rather long argument that makes the list go on in a line of its own' '#SBATCH --nodes=99')
hpcrun_srun=(--mpi=pmix --cpus-per-task=8 --kill-on-bad-exit)
hpcrun_container=(--no-eval --nv --writable-tmpfs --pwd '/work dir' --no-mount 'tmp,cwd' --bind
  /scratch --bind /data/in:/in:ro --mount
  'type=bind,"source=/odd, ""dir"":x","destination=/odd",ro')
# shellcheck disable=SC2016 # these are data: nothing is expanded
hpcrun_environment=(OMP_NUM_THREADS=8 $'MESSAGE=$(id) `id` "x" \'y\'\n')
hpcrun_by_name=()
hpcrun_variables=('-SRUN_*' '-DISPLAY|WAYLAND_DISPLAY|XAUTHORITY'
  '-DBUS_SESSION_BUS_*|DBUS_STARTER_*|XDG_RUNTIME_DIR'
  '-XDG_SESSION_*|XDG_SEAT*|XDG_VTNR|SESSION_MANAGER|INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|LISTEN_FDS|LISTEN_FDNAMES|LISTEN_PID|MANAGERPID|SYSTEMD_EXEC_PID'
  '-SSH_*|GPG_AGENT_INFO|GPG_TTY|GNOME_KEYRING_*' '-TMUX|TMUX_PANE|STY|WINDOW|WINDOWID|VSCODE_*'
  '-HOST|HOSTNAME'
  '-PMI_FD|PMI_JOBID|PMI_ID|PMI_RANK|PMI_SIZE|PMI_SPAWNED|PMI_PORT|PMI_LOCAL_RANK|PMI_LOCAL_SIZE|PMI_UNIVERSE_SIZE|PMI_SHARED_SECRET|PMI_CONTROL_PORT|PMIX_NAMESPACE|PMIX_RANK|PMIX_SERVER_*|PMIX_SYSTEM_TMPDIR|PMIX_NSDIR|PMIX_TMPDIR|PMIX_SECURITY_MODE|PMIX_PTL_MODULE|PMIX_BFROP_BUFFER_TYPE|PMIX_GDS_MODULE|PMIX_HOSTNAME|PMIX_VERSION|PALS_*|OMPI_COMM_WORLD_*|SLURM_PMIX_MAPPING_SERV|SLURM_PMIXP_ABORT_AGENT_PORT|SLURM_PMI2_*')
hpcrun_defaults=(PMIX_MCA_gds=hash)
hpcrun_alone=()
hpcrun_mode='exec'
hpcrun_mpi=pmix
hpcrun_spool=''
hpcrun_guard=('1:2:3722276:pmix:Open MPI 5.0.7:usr/lib/x86_64-linux-gnu/libmpi.so.40.40.7')
hpcrun_gpu_flags=()
hpcrun_gpus=hpcrun
hpcrun_pin=no
hpcrun_fabric=auto
hpcrun_require=no
hpcrun_memlock=1048576
hpcrun_providers=''
hpcrun_gres=no
hpcrun_driver=''
hpcrun_stage=node
hpcrun_stage_directory='/local scratch'/hpcrun-cache.$UID
hpcrun_stage_limit=21474836480
hpcrun_digest=eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
hpcrun_image_size=1000
hpcrun_records=/home/alice/.local/state/hpcrun/records
hpcrun_ingest='/shared/spool of hpcrund'
hpcrun_facts='"hpcrun":"1.2.3","image":"/home/alice/hello-openmpi.sif","image_id":"0f8fad5b-d9cb-469f-a165-70867728950e","command":"./app","mode":"exec","mpi":"pmix","PMIX_MCA_gds":"hash","world-size-guard":"on","stage":"node","cpus-per-task":"8"'

# ---- the node agent
# agent

hpcrun_main "$@"
