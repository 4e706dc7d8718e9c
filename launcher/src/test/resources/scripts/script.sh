#!/bin/bash -p
#SBATCH --job-name=s.sh
#SBATCH -N 2
#
# Written by hpcrun 1.2.3. It can be read, kept and given to sbatch as it is.
# image /home/alice/hello-openmpi.sif (SIF, amd64, 0f8fad5b-d9cb-469f-a165-70867728950e)
# mode = auto: ranks join one container per node, or start one each where they cannot (built-in)
# mpi = pmix: Open MPI 5.0.7 speaks PMIx and nothing else (rule open-mpi-5: Open MPI, docs/launching-apps/slurm.rst)
# world-size-guard = on: a launch whose ranks turn out to be MPI jobs of their own is ended (built-in)
# stage = shared: 1 MiB on ext4, 2 or more nodes: not a file system that needs it (rule)
# bind = /var/spool/slurmd: the PMIx server's files are there (slurm.conf SlurmdSpoolDir)

# ---- the launch
hpcrun_kind=script
hpcrun_image=/home/alice/hello-openmpi.sif
hpcrun_header=dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
hpcrun_program=/home/alice/.cache/hpcrun/hpcrun-enter-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
hpcrun_command=()
hpcrun_srun=(--mpi=pmix)
hpcrun_container=(--no-eval)
hpcrun_environment=()
hpcrun_by_name=()
hpcrun_variables=('-DISPLAY|WAYLAND_DISPLAY|XAUTHORITY'
  '-DBUS_SESSION_BUS_*|DBUS_STARTER_*|XDG_RUNTIME_DIR'
  '-XDG_SESSION_*|XDG_SEAT*|XDG_VTNR|SESSION_MANAGER|INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|LISTEN_FDS|LISTEN_FDNAMES|LISTEN_PID|MANAGERPID|SYSTEMD_EXEC_PID'
  '-SSH_*|GPG_AGENT_INFO|GPG_TTY|GNOME_KEYRING_*' '-TMUX|TMUX_PANE|STY|WINDOW|WINDOWID|VSCODE_*'
  '-HOST|HOSTNAME'
  '-PMI_FD|PMI_JOBID|PMI_ID|PMI_RANK|PMI_SIZE|PMI_SPAWNED|PMI_PORT|PMI_LOCAL_RANK|PMI_LOCAL_SIZE|PMI_UNIVERSE_SIZE|PMI_SHARED_SECRET|PMI_CONTROL_PORT|PMIX_NAMESPACE|PMIX_RANK|PMIX_SERVER_*|PMIX_SYSTEM_TMPDIR|PMIX_NSDIR|PMIX_TMPDIR|PMIX_SECURITY_MODE|PMIX_PTL_MODULE|PMIX_BFROP_BUFFER_TYPE|PMIX_GDS_MODULE|PMIX_HOSTNAME|PMIX_VERSION|PALS_*|OMPI_COMM_WORLD_*|SLURM_PMIX_MAPPING_SERV|SLURM_PMIXP_ABORT_AGENT_PORT|SLURM_PMI2_*')
hpcrun_defaults=()
hpcrun_alone=()
hpcrun_mode='auto'
hpcrun_mpi=pmix
hpcrun_spool=/var/spool/slurmd
hpcrun_guard=('1:2:3722276:pmix:Open MPI 5.0.7:usr/lib/x86_64-linux-gnu/libmpi.so.40.40.7')
hpcrun_gpu_flags=()
hpcrun_gpus=hpcrun
hpcrun_pin=no
hpcrun_fabric=auto
hpcrun_require=no
hpcrun_memlock=1048576
hpcrun_providers=''
hpcrun_gres=yes
hpcrun_driver=''
hpcrun_stage=shared
hpcrun_stage_directory=/tmp/hpcrun-cache.$UID
hpcrun_stage_limit=21474836480
hpcrun_digest=''
hpcrun_image_size=1000
hpcrun_records=/home/alice/.local/state/hpcrun/records
hpcrun_ingest=''
hpcrun_facts='"hpcrun":"1.2.3","image":"/home/alice/hello-openmpi.sif","image_id":"0f8fad5b-d9cb-469f-a165-70867728950e","mode":"auto","mpi":"pmix","world-size-guard":"on","stage":"shared","bind":"/var/spool/slurmd"'
hpcrun_interpreter=(/bin/bash -l)
hpcrun_arguments=(one 'two words')
# shellcheck disable=SC2016,SC1003 # the script is data here
hpcrun_script='#!/bin/bash -l
#SBATCH -N 2
#HPCRUN --image=x
hpcrun exec -- ./app '\''a b'\'' \n
'

# ---- the node agent
# agent

hpcrun_main "$@"
