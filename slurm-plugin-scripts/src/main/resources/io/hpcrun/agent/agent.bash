# The node agent: what hpcrun runs on the nodes of a job. It is part of every job script, so
# that nothing has to be installed on a compute node. It needs bash 4.4, coreutils, Slurm's own
# commands and Apptainer (or SingularityCE).
#
#   hpcrun_main      in the batch script: prepare every node, launch the ranks, write the record
#   hpcrun_prepare   once per node: check it and make the launch's node directory
#   hpcrun_enter     once per rank: note the time and become Apptainer
#   hpcrun_leave     once per rank, as Slurm's task epilog: note the end; the last one collects
#   hpcrun_collect   once per node: write the node's record and remove the node directory
#
# Recording never hurts: what cannot be recorded is left out, said once, and the job goes on.

# The functions that a node or rank needs; `declare -f` carries them there.
hpcrun_agent_functions=(hpcrun_now hpcrun_note hpcrun_write_record hpcrun_find_runtime
  hpcrun_image_problem hpcrun_prepare hpcrun_make_node_directory hpcrun_tasks_here
  hpcrun_leave hpcrun_collect)

# REPLY: CLOCK_REALTIME in nanoseconds. bash 5 tells the time without a fork, to the
# microsecond; its decimal point depends on the locale.
hpcrun_now() {
  if [[ -n ${EPOCHREALTIME-} ]]; then
    REPLY=${EPOCHREALTIME/[!0-9]/}000
  else
    REPLY=$(date +%s%N)
  fi
}

hpcrun_say() {
  printf 'hpcrun: %s\n' "$*" >&2
}

# One line for the batch script: KIND (unfit or note), node, exit code, text.
hpcrun_note() {
  printf '%s\t%s\t%s\t%s\n' "$1" "${SLURMD_NODENAME:-$HOSTNAME}" "$2" "$3"
}

# hpcrun_write_record FILE TEXT: FILE appears whole or not at all.
hpcrun_write_record() {
  local temporary=$1.tmp.$BASHPID
  if (umask 077 && printf '%s' "$2" >"$temporary") 2>/dev/null &&
    mv -f -- "$temporary" "$1" 2>/dev/null; then
    return 0
  fi
  rm -f -- "$temporary" 2>/dev/null
  return 1
}

# REPLY: the container runtime's path.
hpcrun_find_runtime() {
  REPLY=$(type -P apptainer || type -P singularity)
}

# REPLY: why this node cannot read the image, empty if it can.
hpcrun_image_problem() {
  if [[ ! -e $1 ]]; then
    REPLY="the image $1 is not there; put it on a file system that the nodes share"
  elif [[ ! -r $1 || (-d $1 && ! -x $1) ]]; then
    REPLY="the image $1 may not be read by uid $UID; change its permissions"
  else
    REPLY=''
  fi
}

# hpcrun_prepare NODE_DIRECTORY IMAGE RECORD_PREFIX LAUNCH: prints notes; returns 0 always, so
# that srun reports only its own failures.
hpcrun_prepare() {
  local directory=$1 image=$2 prefix=$3 launch=$4 began
  hpcrun_now
  began=$REPLY
  if ! hpcrun_find_runtime; then
    hpcrun_note unfit 3 "neither apptainer nor singularity is on the PATH; ask the administrators to install Apptainer"
    return 0
  fi
  hpcrun_image_problem "$image"
  if [[ -n $REPLY ]]; then
    hpcrun_note unfit 5 "$REPLY"
    return 0
  fi
  if ! hpcrun_make_node_directory "$directory" "$prefix" "$launch"; then
    hpcrun_note note 0 "ranks are not timed: $directory cannot be made or filled"
    return 0
  fi
  if ! "$directory/leave" try 2>/dev/null; then
    hpcrun_note note 0 "the ranks' ends are not timed: programs may not be run from $directory"
  fi
  hpcrun_now
  printf 'node %s %s\n' "$began" "$REPLY" 2>/dev/null >>"$directory/events"
  return 0
}

# The node directory holds the times of this node's ranks until they are collected, and the
# program that Slurm runs as each task's epilog. Its name cannot be foreseen by other users, and
# mkdir refuses one that is already there.
hpcrun_make_node_directory() {
  local directory=$1
  (
    umask 077 && mkdir -- "$directory" && {
      printf '#!/bin/bash\n'
      declare -f "${hpcrun_agent_functions[@]}"
      printf "[[ \${1-} == try ]] || hpcrun_leave %q %q %q\n" "$directory" "$2" "$3"
    } >"$directory/leave" && chmod 700 "$directory/leave"
  ) 2>/dev/null && return 0
  if [[ -O $directory/leave ]]; then
    rm -rf -- "$directory" 2>/dev/null
  fi
  return 1
}

# hpcrun_enter NODE_DIRECTORY RUNTIME_OPTIONS ENVIRONMENTS [OPTION…] [NAME=VALUE…] IMAGE COMMAND…
# The two counts say how many options and variables follow. exec: Apptainer is the Slurm task
# itself, so that signals and exit codes work as they do without a container.
hpcrun_enter() {
  local began directory=$1 options=$2 environments=$3 image runtime prefix
  hpcrun_now
  began=$REPLY
  hpcrun_find_runtime || exit 127
  runtime=$REPLY
  prefix=APPTAINERENV_
  if [[ ${runtime##*/} == singularity ]]; then
    prefix=SINGULARITYENV_
  fi
  shift 3
  local arguments=("${@:1:options}") variable
  shift "$options"
  for variable in "${@:1:environments}"; do
    export "$prefix$variable"
  done
  shift "$environments"
  image=$1
  shift
  # The PMIx server's directory is under SlurmdSpoolDir, which a container does not see.
  if [[ -n ${PMIX_SERVER_TMPDIR-} && -d $PMIX_SERVER_TMPDIR && $PMIX_SERVER_TMPDIR != *[:,\"]* ]]; then
    arguments+=(--bind "$PMIX_SERVER_TMPDIR")
  fi
  hpcrun_now
  { printf 'rank %s %s %s %s\n' "$SLURM_PROCID" "$SLURM_LOCALID" "$began" "$REPLY" >>"$directory/events"; } 2>/dev/null
  exec "$runtime" exec "${arguments[@]}" "$image" "$@"
}

# REPLY: how many ranks of the step this node runs, from Slurm's "2(x3),1".
hpcrun_tasks_here() {
  local node=$SLURM_NODEID part parts count
  IFS=, read -r -a parts <<<"${SLURM_STEP_TASKS_PER_NODE-}"
  for part in "${parts[@]}"; do
    count=1
    if [[ $part == *'(x'* ]]; then
      count=${part#*\(x}
      count=${count%)}
    fi
    if ((node < count)); then
      REPLY=${part%%\(*}
      return 0
    fi
    ((node -= count))
  done
  REPLY=0
}

# hpcrun_leave NODE_DIRECTORY RECORD_PREFIX LAUNCH. Each rank adds one byte to a file; who finds
# it complete collects. Two may find it complete: mkdir lets one of them through.
hpcrun_leave() {
  local directory=$1 left
  hpcrun_now
  printf 'end %s %s\n' "$SLURM_LOCALID" "$REPLY" >>"$directory/events" || return 0
  printf . >>"$directory/left" || return 0
  read -r left <"$directory/left" || true
  hpcrun_tasks_here
  if ((REPLY > 0 && ${#left} >= REPLY)) && mkdir "$directory/collecting" 2>/dev/null; then
    hpcrun_collect "$@"
  fi
}

# hpcrun_collect NODE_DIRECTORY RECORD_PREFIX LAUNCH
hpcrun_collect() {
  local directory=$1 file=$2.node.${SLURMD_NODENAME:-$HOSTNAME}.jsonl launch=$3
  local kind a b c d text='' i
  local -a rank=() began=() executed=() ended=() prepared=()
  [[ -d $directory ]] || return 0
  while read -r kind a b c d; do
    case $kind in
      node) prepared=("$a" "$b") ;;
      rank) rank[b]=$a began[b]=$c executed[b]=$d ;;
      end) ended[a]=$b ;;
      *) ;;
    esac
  done <"$directory/events"
  printf -v text '{"schema":"hpcrun.record/1","type":"node","launch":"%s","node":"%s","ranks":%s%s}\n' \
    "$launch" "${SLURMD_NODENAME:-$HOSTNAME}" "${#rank[@]}" \
    "${prepared[0]:+,\"check_begin_ns\":${prepared[0]},\"check_end_ns\":${prepared[1]}}"
  for i in "${!rank[@]}"; do
    printf -v text '%s{"type":"rank","rank":%s,"local":%s,"begin_ns":%s,"exec_ns":%s%s}\n' \
      "$text" "${rank[i]}" "$i" "${began[i]}" "${executed[i]}" "${ended[i]:+,\"end_ns\":${ended[i]}}"
  done
  hpcrun_write_record "$file" "$text"
  rm -rf -- "$directory"
}

# A step of one task on every node beside the ranks: it takes no GPU and no memory from them,
# and none of the sizes that the job's own options left in the environment.
hpcrun_srun_per_node() {
  (
    unset -v "${!SLURM_NTASKS@}" "${!SLURM_GPU@}" "${!SLURM_CPUS_PER@}" "${!SLURM_CPU_BIND@}" \
      "${!SLURM_MEM@}" "${!SLURM_TRES@}" "${!SRUN_@}" SLURM_NPROCS SLURM_DISTRIBUTION SLURM_HINT \
      SLURM_LABELIO SLURM_THREADS_PER_CORE SLURM_OVERCOMMIT SLURM_KILL_BAD_EXIT SLURM_EXACT \
      SLURM_NTASKS_PER_NODE SLURM_TASK_EPILOG SLURM_TASK_PROLOG
    exec srun --overlap --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
      --ntasks-per-node=1 --cpus-per-task=1 --mem=0 --gres=none --cpu-bind=none --mpi=none \
      --export=ALL --input=none --job-name=hpcrun-agent "$@"
  )
}

# hpcrun_on_every_node FUNCTION ARGUMENT…
hpcrun_on_every_node() {
  hpcrun_srun_per_node bash -c "$(declare -p hpcrun_agent_functions)
$(declare -f "${hpcrun_agent_functions[@]}")
\"\$@\"" hpcrun-agent "$@"
}

# Reads the notes of all nodes; says each text once with its nodes. Returns the exit code of the
# first unfit node, 0 if there is none.
hpcrun_judge_nodes() {
  local kind node code text key code_of_first=0
  local -A nodes=()
  local -a keys=()
  while IFS=$'\t' read -r kind node code text; do
    [[ -n $kind ]] || continue
    key="$kind"$'\t'"$text"
    [[ -n ${nodes[$key]+set} ]] || keys+=("$key")
    nodes[$key]+=${nodes[$key]:+,}$node
    if [[ $kind == unfit && $code_of_first == 0 ]]; then
      code_of_first=$code
    fi
  done
  for key in "${keys[@]+"${keys[@]}"}"; do
    if [[ $key == unfit* ]]; then
      hpcrun_say "refused before any rank started: on ${nodes[$key]} ${key#*$'\t'}"
    else
      hpcrun_say "on ${nodes[$key]} ${key#*$'\t'}"
    fi
  done
  return "$code_of_first"
}

# Writes the launch's own record: hpcrun_record STATE EXIT_CODE
# shellcheck disable=SC2154 # hpcrun_facts is set by the job script
hpcrun_record() {
  local text name
  printf -v text '{"schema":"hpcrun.record/1","type":"launch","launch":"%s","job":"%s","cluster":"%s","uid":%s,"state":"%s"' \
    "$hpcrun_launch" "$hpcrun_job" "${SLURM_CLUSTER_NAME//[!A-Za-z0-9._-]/_}" "$UID" "$1"
  text+=${2:+,\"exit\":$2}
  text+=",\"nodes\":$SLURM_JOB_NUM_NODES${SLURM_NTASKS:+,\"ranks\":$SLURM_NTASKS}"
  text+=",\"node\":\"${SLURMD_NODENAME:-$HOSTNAME}\",\"clock\":\"CLOCK_REALTIME\""
  text+=",\"resolution_ns\":$([[ -n ${EPOCHREALTIME-} ]] && echo 1000 || echo 1)"
  for name in submit_s eligible_s start_s script_ns prepare_asked_ns prepare_done_ns \
    launch_asked_ns launch_done_ns; do
    if [[ -n ${hpcrun_times[$name]-} ]]; then
      text+=",\"$name\":${hpcrun_times[$name]}"
    fi
  done
  text+=",$hpcrun_facts}"$'\n'
  if ! hpcrun_write_record "$hpcrun_prefix.job.jsonl" "$text" && [[ $1 != running ]]; then
    hpcrun_say "the timing of this launch is lost: a record cannot be written in ${hpcrun_prefix%/*}"
  fi
}

# Submit, eligible and start time as Slurm knows them (whole seconds), asked beside the launch.
hpcrun_read_job_times() {
  local line name key value
  while read -r -t 5 line; do
    for name in $line; do
      key=${name%%=*} value=${name#*=}
      [[ $value =~ ^[0-9]+$ ]] || continue
      case $key in
        SubmitTime) hpcrun_times[submit_s]=$value ;;
        EligibleTime) hpcrun_times[eligible_s]=$value ;;
        StartTime) hpcrun_times[start_s]=$value ;;
        *) ;;
      esac
    done
  done
  if [[ ${SLURM_JOB_START_TIME-} =~ ^[0-9]+$ ]]; then
    hpcrun_times[start_s]=$SLURM_JOB_START_TIME
  fi
}

# Node records that no last rank wrote (a rank that never started, a node directory from which
# nothing may be run) are collected by one more step.
hpcrun_collect_rest() {
  local written=("$hpcrun_prefix".node.*.jsonl)
  if [[ ! -e ${written[0]} ]] || ((${#written[@]} < SLURM_JOB_NUM_NODES)); then
    hpcrun_on_every_node hpcrun_collect "$hpcrun_directory" "$hpcrun_prefix" "$hpcrun_launch" \
      >/dev/null 2>&1 &
    hpcrun_wait_at_most 20 $!
  fi
}

# hpcrun_wait_at_most SECONDS PID
hpcrun_wait_at_most() {
  local deadline=$((SECONDS + $1))
  while kill -0 "$2" 2>/dev/null && ((SECONDS < deadline)); do
    sleep 0.1
  done
  kill "$2" 2>/dev/null
  wait "$2" 2>/dev/null
}

# The whole launch. Expects: hpcrun_image, hpcrun_command, hpcrun_srun, hpcrun_container,
# hpcrun_environment, hpcrun_records, hpcrun_facts. Returns the exit code of the job.
# shellcheck disable=SC2154 # they are set by the job script
hpcrun_main() {
  local -A hpcrun_times=()
  local notes code job_times
  hpcrun_now
  hpcrun_times[script_ns]=$REPLY
  hpcrun_job=$SLURM_JOB_ID
  if [[ -n ${SLURM_ARRAY_JOB_ID-} ]]; then
    hpcrun_job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  fi
  hpcrun_launch=$hpcrun_job.${SLURM_RESTART_COUNT:-0}.0
  hpcrun_prefix=$hpcrun_records/$hpcrun_job/$hpcrun_launch
  hpcrun_directory=/tmp/hpcrun.$hpcrun_launch.$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
  (umask 077 && mkdir -p -- "${hpcrun_prefix%/*}") 2>/dev/null
  exec {job_times}< <(SLURM_TIME_FORMAT=%s exec scontrol show job "$SLURM_JOB_ID" 2>/dev/null)
  hpcrun_record running ''

  # A cancelled job's script must live until its ranks have ended, to write the record.
  trap ':' TERM
  # The session bus of the login node is not there on the nodes, and Apptainer would use it.
  unset -v XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS

  hpcrun_now
  hpcrun_times[prepare_asked_ns]=$REPLY
  if ! notes=$(hpcrun_on_every_node hpcrun_prepare "$hpcrun_directory" "$hpcrun_image" \
    "$hpcrun_prefix" "$hpcrun_launch"); then
    hpcrun_say "the nodes could not be prepared: srun failed, its message is above"
    hpcrun_record refused 3
    return 3
  fi
  hpcrun_now
  hpcrun_times[prepare_done_ns]=$REPLY
  hpcrun_judge_nodes <<<"$notes"
  code=$?
  if ((code != 0)); then
    hpcrun_record refused "$code"
    hpcrun_collect_rest
    return "$code"
  fi

  hpcrun_now
  hpcrun_times[launch_asked_ns]=$REPLY
  srun --export=ALL --task-epilog="$hpcrun_directory/leave" "${hpcrun_srun[@]+"${hpcrun_srun[@]}"}" \
    bash -c "$(declare -f hpcrun_now hpcrun_find_runtime hpcrun_enter)
hpcrun_enter \"\$@\"" hpcrun-enter "$hpcrun_directory" "${#hpcrun_container[@]}" \
    "${#hpcrun_environment[@]}" "${hpcrun_container[@]+"${hpcrun_container[@]}"}" \
    "${hpcrun_environment[@]+"${hpcrun_environment[@]}"}" "$hpcrun_image" "${hpcrun_command[@]}"
  code=$?
  hpcrun_now
  hpcrun_times[launch_done_ns]=$REPLY

  hpcrun_read_job_times <&"$job_times"
  hpcrun_collect_rest
  hpcrun_record ended "$code"
  return "$code"
}
