# The node agent: what hpcrun runs on the nodes of a job. It is part of every job script, so
# that nothing has to be installed on a compute node. It needs bash 4.4, coreutils, Slurm's own
# commands and Apptainer (or SingularityCE).
#
#   hpcrun_main    in the batch script: start the agents, launch the ranks, write the record
#   hpcrun_agent   once per node, in a step of its own beside the ranks: check the node, say that
#                  it is ready or why not, note when each rank ends, write the node's record
#   hpcrun_enter   once per rank: note the time and become Apptainer
#
# Recording never hurts: what cannot be recorded is left out, said once, and the job goes on.

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

# One line for the batch script: KIND, node, exit code, text.
# Kinds: ready; unfit; untimed (ranks on this node must not write times).
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

# hpcrun_agent NODE_DIRECTORY IMAGE RECORD_PREFIX LAUNCH, in a step that lives until its standard
# input ends. The last line it prints for the batch script is "ready" or "unfit".
hpcrun_agent() {
  local directory=$1 image=$2 file=$3.node.${SLURMD_NODENAME:-$HOSTNAME}.jsonl launch=$4
  local began checked made=1 timed=1
  set +eufC # an exported SHELLOPTS is not for this script
  hpcrun_now
  began=$REPLY
  # Signals for the ranks reach this step too; and a cancelled job's agent must outlive the ranks
  # for the moment it takes to write the record.
  trap ':' HUP INT QUIT USR1 USR2 ALRM TERM VTALRM PROF XCPU XFSZ IO PWR
  if ! hpcrun_find_runtime; then
    hpcrun_note unfit 3 "neither apptainer nor singularity is on the PATH; ask the administrators to install Apptainer"
    return 0
  fi
  hpcrun_image_problem "$image"
  if [[ -n $REPLY ]]; then
    hpcrun_note unfit 5 "$REPLY"
    return 0
  fi
  # The node directory takes the times of this node's ranks. mkdir refuses one that is already
  # there, whoever made it; the ranks of such a node are told to write nothing.
  hpcrun_sweep
  if ! mkdir -m 700 -- "$directory" 2>/dev/null; then
    hpcrun_note untimed 0 "ranks are not timed: $directory cannot be made"
    made=0 timed=0
  elif ! { printf '%s %s\n' "$launch" "$$" >"$directory/ranks"; } 2>/dev/null; then
    hpcrun_note untimed 0 "ranks are not timed: $directory cannot be written"
    timed=0
  fi
  hpcrun_now
  checked=$REPLY
  hpcrun_note ready 0 ''
  if ((timed)); then
    hpcrun_watch "$directory/ranks"
  else
    read -r || true
  fi
  hpcrun_collect "$file" "$launch" "$began" "$checked"
  if ((made)); then
    rm -rf -- "$directory" 2>/dev/null
  fi
  return 0
}

# Removes this user's node directories whose agents were killed.
hpcrun_sweep() {
  local directory pid
  for directory in /tmp/hpcrun.*; do
    if [[ -O $directory && ! -L $directory && -f $directory/ranks ]] &&
      read -r _ pid <"$directory/ranks" && [[ $pid =~ ^[0-9]+$ ]] && ! kill -0 "$pid" 2>/dev/null; then
      rm -rf -- "$directory" 2>/dev/null
    fi
  done
}

# Notes in hpcrun_ended when each rank of the file ended, until standard input ends. The ranks are
# not this process's children, so it has to look; it looks seldom enough to stay out of their way
# (every 50 ms at first, then 2 % of the time gone by, 1 s at most), and says how seldom.
hpcrun_watch() {
  local wait=50 waited status began=$SECONDS file line fields i
  declare -ga hpcrun_rank=() hpcrun_began=() hpcrun_executed=() hpcrun_pid=() hpcrun_ended=()
  declare -g hpcrun_resolution=0
  exec {file}<"$1"
  read -r -u "$file" # the first line is no rank's
  while :; do
    status=0
    printf -v waited '%d.%03d' $((wait / 1000)) $((wait % 1000))
    read -r -t "$waited" || status=$?
    while IFS= read -r -u "$file" line; do
      IFS=' ' read -r -a fields <<<"$line"
      i=${fields[1]}
      hpcrun_rank[i]=${fields[0]} hpcrun_pid[i]=${fields[2]}
      hpcrun_began[i]=${fields[3]} hpcrun_executed[i]=${fields[4]}
    done
    hpcrun_now
    for i in "${!hpcrun_pid[@]}"; do
      if ! kill -0 "${hpcrun_pid[i]}" 2>/dev/null; then
        hpcrun_ended[i]=$REPLY
        unset -v "hpcrun_pid[$i]"
        if ((wait > hpcrun_resolution)); then
          hpcrun_resolution=$wait
        fi
      fi
    done
    # Above 128: the time is up. Else the input has ended, and with it the launch.
    ((status > 128 || status == 0)) || break
    wait=$(((SECONDS - began) * 20))
    wait=$((wait < 50 ? 50 : wait > 1000 ? 1000 : wait))
  done
  exec {file}<&-
}

# hpcrun_collect FILE LAUNCH BEGAN CHECKED: writes the node's record.
hpcrun_collect() {
  local text i
  printf -v text '{"schema":"hpcrun.record/1","type":"node","launch":"%s","node":"%s","ranks":%s,"check_begin_ns":%s,"check_end_ns":%s,"end_resolution_ns":%s}\n' \
    "$2" "${SLURMD_NODENAME:-$HOSTNAME}" "${#hpcrun_rank[@]}" "$3" "$4" \
    "$((${hpcrun_resolution:-0} * 1000000))"
  for i in "${!hpcrun_rank[@]}"; do
    printf -v text '%s{"type":"rank","rank":%s,"local":%s,"begin_ns":%s,"exec_ns":%s%s}\n' \
      "$text" "${hpcrun_rank[i]}" "$i" "${hpcrun_began[i]}" "${hpcrun_executed[i]}" \
      "${hpcrun_ended[i]:+,\"end_ns\":${hpcrun_ended[i]}}"
  done
  hpcrun_write_record "$1" "$text"
}

# hpcrun_enter NODE_DIRECTORY UNTIMED_NODES OPTIONS [OPTION…] IMAGE COMMAND…
# OPTIONS says how many options follow. Variables for the application come as HPCRUN_ENV_NAME, out
# of other users' sight. Each word has an = before it, because
# srun would take a word that is just a colon for the next part of a heterogeneous job. exec: Apptainer is the Slurm task
# itself, so that signals and exit codes work as they do without a container.
hpcrun_enter() {
  local began directory untimed options image runtime prefix variable
  hpcrun_now
  began=$REPLY
  set +eufC # an exported SHELLOPTS is not for this script
  set -- "${@#=}"
  directory=$1 untimed=$2 options=$3
  shift 3
  hpcrun_find_runtime || exit 127
  runtime=$REPLY
  prefix=APPTAINERENV_
  if [[ ${runtime##*/} == singularity ]]; then
    prefix=SINGULARITYENV_
  fi
  for variable in "${!HPCRUN_ENV_@}"; do
    export "$prefix${variable#HPCRUN_ENV_}=${!variable}"
    unset -v "$variable"
  done
  local arguments=("${@:1:options}")
  shift "$options"
  image=$1
  shift
  # The PMIx server's directory is under SlurmdSpoolDir, which a container does not see.
  if [[ -n ${PMIX_SERVER_TMPDIR-} && -d $PMIX_SERVER_TMPDIR && $PMIX_SERVER_TMPDIR != *[:,\"]* ]]; then
    arguments+=(--bind "$PMIX_SERVER_TMPDIR")
  fi
  hpcrun_now
  # $$ stays the task's process id.
  if [[ ,$untimed != *,"${SLURMD_NODENAME:-$HOSTNAME}",* ]]; then
    { printf '%s %s %s %s %s\n' "$SLURM_PROCID" "$SLURM_LOCALID" "$$" "$began" "$REPLY" \
      >>"$directory/ranks"; } 2>/dev/null
  fi
  exec "$runtime" --quiet exec "${arguments[@]}" "$image" "$@"
}

# A step of one task on every node beside the ranks: it takes no GPU and no memory from them,
# and none of the sizes that the job's own options left in the environment.
hpcrun_srun_per_node() {
  (
    unset -v "${!SLURM_NTASKS@}" "${!SLURM_GPU@}" "${!SLURM_CPUS_PER@}" "${!SLURM_CPU_BIND@}" \
      "${!SLURM_MEM@}" "${!SLURM_TRES@}" "${!SRUN_@}" SLURM_NPROCS SLURM_DISTRIBUTION SLURM_HINT \
      SLURM_LABELIO SLURM_THREADS_PER_CORE SLURM_OVERCOMMIT SLURM_KILL_BAD_EXIT SLURM_EXACT \
      SLURM_TASK_EPILOG SLURM_TASK_PROLOG
    exec srun --overlap --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
      --ntasks-per-node=1 --cpus-per-task=1 --mem=0 --gres=none --cpu-bind=none --mpi=none \
      --export=ALL --input=all --no-kill --kill-on-bad-exit=0 --job-name=hpcrun-agent "$@"
  )
}

# hpcrun_agents ARGUMENT…: the agents of all nodes.
hpcrun_agents() {
  hpcrun_srun_per_node bash -c "$(declare -f hpcrun_now hpcrun_note hpcrun_write_record \
    hpcrun_find_runtime hpcrun_image_problem hpcrun_agent hpcrun_sweep hpcrun_watch \
    hpcrun_collect)
hpcrun_agent \"\$@\"" hpcrun-agent "$@"
}

# Reads the agents' notes until every node is ready or unfit; says each text once with its nodes.
# Returns the exit code of the first unfit node, 3 if agents are missing, 0 if all are ready.
hpcrun_await_agents() {
  local kind node code text key list answered=0 code_of_first=0
  local -A nodes=()
  local -a keys=()
  while ((answered < SLURM_JOB_NUM_NODES)) && IFS=$'\t' read -r kind node code text; do
    if [[ $kind == untimed ]]; then
      hpcrun_untimed+=$node,
    else
      answered=$((answered + 1))
    fi
    if [[ $kind == unfit && $code_of_first == 0 ]]; then
      code_of_first=$code
    fi
    [[ $kind != ready ]] || continue
    key="$kind"$'\t'"$text"
    [[ -n ${nodes[$key]+set} ]] || keys+=("$key")
    nodes[$key]+=${nodes[$key]:+,}$node
  done
  for key in "${keys[@]+"${keys[@]}"}"; do
    # c[1-9000] instead of 9000 names
    list=$(scontrol show hostlistsorted "${nodes[$key]}" 2>/dev/null) || list=${nodes[$key]}
    if [[ $key == unfit* ]]; then
      hpcrun_say "refused before any rank started: on $list ${key#*$'\t'}"
    else
      hpcrun_say "on $list ${key#*$'\t'}"
    fi
  done
  if ((answered < SLURM_JOB_NUM_NODES && code_of_first == 0)); then
    hpcrun_say "refused before any rank started: only $answered of $SLURM_JOB_NUM_NODES nodes could be prepared; srun's message is above"
    code_of_first=3
  fi
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
  while read -r -t 1 line; do
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

# The whole launch. Expects: hpcrun_image, hpcrun_command, hpcrun_srun, hpcrun_container,
# hpcrun_environment, hpcrun_defaults, hpcrun_records, hpcrun_facts. Returns the exit code of the job.
# shellcheck disable=SC2154 # they are set by the job script
hpcrun_main() {
  local -A hpcrun_times=()
  local hpcrun_untimed=''
  local code job_times answers alive variable name state=ended
  local -a words
  set +eufC # an exported SHELLOPTS is not for this script
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
  # Records of an older job with the same number: Slurm was set up anew, or the home is shared.
  rm -f -- "$hpcrun_prefix".job.jsonl "$hpcrun_prefix".node.*.jsonl 2>/dev/null
  exec {job_times}< <(SLURM_TIME_FORMAT=%s exec scontrol show job "$SLURM_JOB_ID" 2>/dev/null)
  hpcrun_record running ''

  # A cancelled job's script must live until its ranks have ended, to write the record.
  trap ':' HUP INT QUIT USR1 USR2 ALRM TERM XCPU
  # The session bus of the login node is not there on the nodes, and Apptainer would use it.
  unset -v XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS
  for variable in "${hpcrun_defaults[@]+"${hpcrun_defaults[@]}"}"; do
    name=${variable%%=*}
    [[ -n ${!name+set} ]] || export "${variable?}"
  done

  hpcrun_now
  hpcrun_times[prepare_asked_ns]=$REPLY
  # The agents live as long as their input is open, which is how they learn that the launch is over.
  coproc hpcrun_agents_io { hpcrun_agents "$hpcrun_directory" "$hpcrun_image" "$hpcrun_prefix" "$hpcrun_launch"; }
  answers=${hpcrun_agents_io[0]} alive=${hpcrun_agents_io[1]}
  hpcrun_await_agents <&"$answers"
  code=$?
  hpcrun_now
  hpcrun_times[prepare_done_ns]=$REPLY
  if ((code != 0)); then
    state=refused
  else
    hpcrun_now
    hpcrun_times[launch_asked_ns]=$REPLY
    words=("$hpcrun_directory" "$hpcrun_untimed" "${#hpcrun_container[@]}"
      "${hpcrun_container[@]+"${hpcrun_container[@]}"}" "$hpcrun_image" "${hpcrun_command[@]}")
    (
      for variable in "${hpcrun_environment[@]+"${hpcrun_environment[@]}"}"; do
        export "HPCRUN_ENV_$variable"
      done
      exec srun --export=ALL "${hpcrun_srun[@]+"${hpcrun_srun[@]}"}" \
        bash -c "$(declare -f hpcrun_now hpcrun_find_runtime hpcrun_enter)
hpcrun_enter \"\$@\"" hpcrun-enter "${words[@]/#/=}"
    )
    code=$?
    hpcrun_now
    hpcrun_times[launch_done_ns]=$REPLY
  fi
  exec {alive}>&-
  hpcrun_read_job_times <&"$job_times"
  # Their output ends when they do; what has not ended by then is Slurm's to end with the job.
  while read -r -t 20 -u "$answers"; do :; done 2>/dev/null
  hpcrun_record "$state" "$code"
  return "$code"
}
