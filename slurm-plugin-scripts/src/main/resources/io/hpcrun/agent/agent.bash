# The node agent: what hpcrun runs on the nodes of a job. It is part of every job script, so
# that nothing has to be installed on a compute node. It needs bash 4.4, coreutils, util-linux,
# Slurm's own commands and Apptainer (or SingularityCE).
#
#   hpcrun_main    in the batch script: start the agents, launch the ranks, write the record
#   hpcrun_agent   once per node, in a step of its own beside the ranks: check the node, stage the
#                  image, hold the container, say that the node is ready or why not, note when each
#                  rank ends, write the node's record
#   hpcrun_enter   once per rank: note the time, join the container, become the application;
#                  or the program hpcrun-enter, which does the same
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

# hpcrun_time NAME: notes the time in hpcrun_times.
hpcrun_time() {
  hpcrun_now
  hpcrun_times[$1]=$REPLY
}

hpcrun_say() {
  printf 'hpcrun: %s\n' "$*" >&2
}

# One line for the batch script: KIND, node, exit code, text.
# Kinds: ready; unfit; remark; bare (there is no node directory); shell (ranks are taken in by the
# shell, not by hpcrun-enter); while staging have, need, busy, pass; alone (the agent ended a launch); tcp
# (ranks do not use the fabric that is there);
# and at the end done; spool (a record is not in the site's spool; the code is hpcrun_hand_in's).
hpcrun_note() {
  printf '%s\t%s\t%s\t%s\n' "$1" "$hpcrun_node" "$2" "$3"
}

# REPLY: the text as a JSON string holds it.
hpcrun_json() {
  REPLY=${1//\\/\\\\}
  REPLY=${REPLY//\"/\\\"}
  REPLY=${REPLY//[[:cntrl:]]/ }
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

# hpcrun_write_spool NAME TEXT: NAME.RANDOM.jsonl appears in the site's spool, whole; says a line then. All users can write
# there: nobody can guess the name that is opened, nor take the other one before. Where the spool gives files no group of
# its own, only the owner can read them. Runs apart, since file systems hang; what hangs keeps nothing of the job open.
hpcrun_write_spool() {
  local i name
  exec </dev/null 2>/dev/null
  for i in /proc/self/fd/*; do
    i=${i##*/}
    ((i < 3)) || exec {i}>&-
  done
  set -C
  umask 077
  if read -r name </proc/sys/kernel/random/uuid && builtin cd "$hpcrun_ingest" && [[ ! -L $hpcrun_ingest ]]; then
    [[ ! -g . ]] || umask 027
    if printf '%s' "$2" >".tmp.$name" && mv -fT -- ".tmp.$name" "$1.$name.jsonl"; then
      echo
    else
      rm -f -- ".tmp.$name"
    fi
  fi
}

# hpcrun_hand_in SECONDS LAUNCH KIND TEXT: a record of the launch of this number goes to the spool, too. Waits for so long
# at most, and not at all for 0. Fails with 1 if it cannot be written, and above 128 if it takes longer.
hpcrun_hand_in() {
  local there code
  exec {there}< <(hpcrun_write_spool "${hpcrun_cluster:-_}.${hpcrun_prefix##*/}.$2.$hpcrun_begun.$3" "$4")
  read -r -t "$1" -u "$there"
  code=$?
  exec {there}<&-
  ((code <= 128)) || kill -s KILL "$!" 2>/dev/null
  return "$code"
}

# hpcrun_agent RECORD_PREFIX LAUNCH MODE MPI SPOOL STAGE PART OPTIONS [OPTION…] IMAGE [HEADER], LAUNCH
# being the number of the (first) launch, each word with an = before it (see hpcrun_enter), in a step
# that lives until its standard input ends. HPCRUN_NODE_DIRECTORY is the node directory: other users see
# arguments, and could take its name. The last note it prints for the batch script before the launch is
# "ready" or "unfit".
hpcrun_agent() {
  local -A hpcrun_times=()
  local mode mpi spool stage part count version directory said='' map=''
  local -a options
  hpcrun_restore_locale
  hpcrun_directory=$HPCRUN_NODE_DIRECTORY hpcrun_token=hpcrun-$RANDOM$RANDOM$RANDOM$RANDOM
  unset -v HPCRUN_NODE_DIRECTORY
  hpcrun_node=${SLURMD_NODENAME:-$HOSTNAME}
  hpcrun_time check_begin
  # Signals for the ranks reach this step too; and a cancelled job's agent must outlive the ranks
  # for the moment it takes to write the record.
  trap ':' HUP INT QUIT PIPE USR1 USR2 ALRM VTALRM PROF XCPU XFSZ IO PWR
  # Slurm announces the end of a job with SIGCONT and SIGTERM together (bash may swap them).
  hpcrun_continued='' hpcrun_terminated=''
  trap 'hpcrun_continued=$SECONDS' CONT
  trap 'hpcrun_terminated=$SECONDS' TERM
  set -- "${@#=}"
  hpcrun_prefix=$1 hpcrun_number=$2 mode=$3 mpi=$4 spool=$5 stage=$6 part=$7 count=$8
  shift 8
  options=("${@:1:count}")
  shift "$count"
  hpcrun_image=$1 hpcrun_from=shared
  hpcrun_how=$mode hpcrun_reason='it was asked for' hpcrun_holder='' hpcrun_alive=''
  if ! hpcrun_find_runtime; then
    hpcrun_note unfit 3 "neither apptainer nor singularity is on the PATH; ask the administrators to install Apptainer"
    return 0
  fi
  hpcrun_runtime=$REPLY
  hpcrun_pass_environment
  exec {version}< <(exec "$hpcrun_runtime" --version 2>/dev/null)
  hpcrun_mapped=() hpcrun_passed=() hpcrun_topology_text='' hpcrun_ports_up='' hpcrun_fabric_here='' hpcrun_fabric_problem=''
  hpcrun_fabric_ports=() hpcrun_traffic_first=1
  local -A hpcrun_sent=() hpcrun_received=() hpcrun_sent_before=() hpcrun_received_before=()
  hpcrun_networked=$((${SLURM_NNODES:-1} > 1)) hpcrun_fallback='' hpcrun_judged=' ' hpcrun_suspect='' hpcrun_look_again=''
  if hpcrun_has_devices || [[ $hpcrun_require == yes ]]; then
    hpcrun_networked=1
    exec {map}< <(hpcrun_map "$hpcrun_gpus" "$hpcrun_pin")
  fi
  hpcrun_check_node "$mpi" "${2-}" || return 0
  if [[ " ${options[*]-} " == *' --nv '* ]]; then
    hpcrun_driver_problem
    if [[ -n $REPLY ]]; then
      hpcrun_note unfit 3 "$REPLY"
      return 0
    fi
  fi
  if [[ -n $map ]]; then
    hpcrun_dev "${options[@]+"${options[@]}"}"
    said=$REPLY
    if [[ $hpcrun_require == yes || $said == minimal ]]; then
      hpcrun_take_map "$map" || return 0
      map=''
    fi
    if [[ $said == minimal ]]; then
      for directory in "${hpcrun_passed[@]+"${hpcrun_passed[@]}"}"; do
        options+=(--bind "$directory")
        hpcrun_mapped+=("bind=$directory")
      done
    elif [[ $said == no && $hpcrun_require == yes ]]; then
      hpcrun_note unfit 3 "containers have no /dev here ('mount dev = no' in the runtime's configuration), which RDMA needs; ask the administrators to change it"
      return 0
    fi
  fi
  hpcrun_time check_end
  if [[ $stage == node ]]; then
    hpcrun_time stage_begin
    hpcrun_stage "$part" || return 0
    hpcrun_time stage_end
  fi
  hpcrun_sweep
  hpcrun_make_directory
  if [[ -z $hpcrun_directory && $mode != exec ]]; then
    hpcrun_how='exec' hpcrun_reason='the node directory cannot be made'
  elif [[ $mode == auto || $mode == join ]]; then
    hpcrun_time hold_begin
    while [[ -n $spool ]]; do
      directory=${spool%%:*} spool=${spool#"${spool%%:*}"} spool=${spool#:}
      directory=${directory//%n/$hpcrun_node} directory=${directory//%h/${HOSTNAME%%.*}}
      if [[ -d $directory && $directory != *[,\"]* ]]; then
        options+=(--bind "$directory")
      fi
    done
    hpcrun_hold "$hpcrun_image" "${options[@]+"${options[@]}"}"
    case $? in
      0) hpcrun_how=join hpcrun_reason='' ;;
      1) hpcrun_how='exec' ;;
      *) hpcrun_how='' ;;
    esac
    hpcrun_time hold_end
  fi
  read -r -t 10 -u "$version" said
  exec {version}<&-
  hpcrun_version=$said
  hpcrun_version_problem "$said"
  if [[ -n $REPLY ]]; then
    said=$REPLY
  elif [[ -z $hpcrun_how ]]; then
    said="no container can be made: $hpcrun_reason"
  elif [[ $hpcrun_how == exec && $mode == join ]]; then
    said="--mode=join is not possible: $hpcrun_reason"
  else
    said=''
  fi
  if [[ -n $said ]]; then
    hpcrun_release
    [[ -z $hpcrun_directory ]] || rm -rf -- "$hpcrun_directory"
    hpcrun_note unfit 3 "$said"
    return 0
  fi
  if [[ -n $map ]]; then
    hpcrun_take_map "$map"
  fi
  hpcrun_settle "$mode"
  if [[ $hpcrun_require == yes && -z $hpcrun_directory ]]; then
    hpcrun_release
    hpcrun_note unfit 3 'the node directory cannot be made in /tmp, without which ranks cannot be watched (--require-fabric)'
    return 0
  fi
  if ((${#hpcrun_fabric_ports[@]})); then
    hpcrun_ask_traffic
  fi
  hpcrun_time ready
  hpcrun_note ready "${hpcrun_fabric_here:-0}" ''
  if [[ -n $hpcrun_directory ]]; then
    hpcrun_watch "$hpcrun_directory/ranks"
  else
    hpcrun_watch /dev/null
  fi
  hpcrun_time release_begin
  hpcrun_release
  hpcrun_time release_end
  if [[ -d $hpcrun_directory ]]; then # its keeper was killed
    rm -rf -- "$hpcrun_directory"
  fi
  rm -f -- "$part" 2>/dev/null # a node that had the image may have been sent it all the same
  hpcrun_collect
  hpcrun_note 'done' 0 ''
  hpcrun_hand_in_nodes
}

# hpcrun_take_map DESCRIPTOR: reads the map; notes that the node cannot serve the fabric that is required, and fails.
hpcrun_take_map() {
  local descriptor=$1
  hpcrun_read_map "$descriptor"
  exec {descriptor}<&-
  if [[ $hpcrun_require == yes && -n $hpcrun_fabric_problem ]]; then
    hpcrun_note unfit 3 "$hpcrun_fabric_problem"
    return 1
  fi
}

# Is this node fit? hpcrun_check_node MPI HEADER; notes that it is not, or remarks.
hpcrun_check_node() {
  local device free
  hpcrun_image_problem "$hpcrun_image" "$2"
  if [[ -n $REPLY ]]; then
    hpcrun_note unfit 5 "$REPLY"
    return 1
  fi
  hpcrun_namespace_problem /proc
  if [[ -n $REPLY ]] && ((EUID != 0)) && ! hpcrun_setuid_runtime; then
    hpcrun_note unfit 3 "$REPLY"
    return 1
  fi
  if [[ $1 != none && ! -w /dev/shm ]]; then
    hpcrun_note unfit 3 "/dev/shm cannot be written, and MPI needs it; ask the administrators to mount it"
    return 1
  fi
  # Without room for PMIx's files in /tmp ranks wait for each other for ever (seen with Slurm 24.11).
  if [[ $1 == pmix* ]] && free=$(stat -f -c '%a*%S' /tmp 2>/dev/null) && ((free < 1 << 20)); then
    hpcrun_note unfit 3 "there are $((free >> 10)) KiB free in /tmp, and PMIx needs more; ask the administrators to make room, or exclude the node (--exclude)"
    return 1
  fi
  for device in /dev/infiniband/uverbs*; do
    if [[ $hpcrun_require == yes || $hpcrun_fabric == tcp ]]; then
      break # it is refused then, or not needed
    elif [[ -e $device && $(ulimit -l) != unlimited ]]; then
      hpcrun_note remark 0 "locked memory is limited to $(ulimit -l) KiB, which InfiniBand and RoCE seldom stand; ask the administrators for 'ulimit -l unlimited' in slurmd"
      break
    fi
  done
}

# bash complains about a locale that a node lacks. Shells that hpcrun starts get LC_* under other
# names, and give them on as they were.
hpcrun_hide_locale() {
  local hpcrun_name
  for hpcrun_name in "${!LC_@}"; do
    export "HPCRUN_KEPT_$hpcrun_name=${!hpcrun_name}"
    unset -v "$hpcrun_name"
  done
}

hpcrun_restore_locale() {
  local hpcrun_variable
  for hpcrun_variable in "${!HPCRUN_KEPT_LC_@}"; do
    export "${hpcrun_variable#HPCRUN_KEPT_}=${!hpcrun_variable}"
    unset -v "$hpcrun_variable"
  done 2>/dev/null
}

# The node directory takes the times of this node's ranks and what they must know. mkdir refuses
# one that is already there, whoever made it; the ranks of such a node are told to do without.
hpcrun_make_directory() {
  if ! mkdir -m 700 -- "$hpcrun_directory" 2>/dev/null; then
    rmdir -- "$hpcrun_directory" 2>/dev/null # the end of a job may kill mkdir when it has made it
    hpcrun_note bare 0 "ranks are not timed: $hpcrun_directory cannot be made"
    hpcrun_directory=''
  elif ! { printf '%s\n' "$$" >"$hpcrun_directory/ranks"; } 2>/dev/null; then
    hpcrun_note bare 0 "ranks are not timed: $hpcrun_directory cannot be written"
    rm -rf -- "$hpcrun_directory"
    hpcrun_directory=''
  fi
}

# Tells the ranks how to enter. hpcrun_settle MODE.
hpcrun_settle() {
  if [[ $hpcrun_how == join ]] && hpcrun_write_enter join "$hpcrun_image"; then
    if [[ -z $hpcrun_program ]]; then
      hpcrun_note shell 0 ''
    elif ! hpcrun_place_program; then
      hpcrun_note shell 0 "$REPLY"
    fi
    return 0
  elif [[ $hpcrun_how == join ]]; then
    hpcrun_how='exec' hpcrun_reason="$hpcrun_directory cannot be written"
  fi
  hpcrun_note shell 0 ''
  hpcrun_dev "${options[@]+"${options[@]}"}"
  # Each container has a /dev/shm of its own then, and MPICH ends where ranks of a node cannot share it.
  [[ $REPLY != minimal ]] || hpcrun_mapped+=(alone=MPIR_CVAR_NOLOCAL=1)
  if [[ -n $hpcrun_alive ]]; then # the holder cannot be joined, and takes the directory with it
    hpcrun_release
    hpcrun_make_directory
  fi
  if [[ -n $hpcrun_directory ]]; then
    if hpcrun_write_enter "$hpcrun_how" "$hpcrun_image"; then
      hpcrun_start_keeper "$hpcrun_directory"
    else
      hpcrun_note bare 0 "ranks are not timed: $hpcrun_directory cannot be written"
      rm -rf -- "$hpcrun_directory"
      hpcrun_directory=''
    fi
  fi
  if [[ $hpcrun_how != "$1" ]]; then
    hpcrun_note remark 0 "each rank starts a container of its own: $hpcrun_reason"
  fi
}

# Removes this user's node directories whose agents were killed.
hpcrun_sweep() {
  local directory pid
  for directory in /tmp/hpcrun.*; do
    if [[ -O $directory && ! -L $directory && -f $directory/ranks ]] &&
      read -r pid <"$directory/ranks" && [[ $pid =~ ^[0-9]+$ ]] && ! kill -0 "$pid" 2>/dev/null; then
      rm -rf -- "$directory" 2>/dev/null
    fi
  done
}

# Notes in hpcrun_ended when each rank of the file ended, until standard input ends; or, when Slurm
# ends the job and the srun that would end the input is not there any more, until 3 s later no rank
# is left. The ranks are not this process's children, so it has to look; it looks seldom enough to
# stay out of their way (every 50 ms at first, then 2 % of the time gone by, 1 s at most), and says
# how seldom.
hpcrun_watch() {
  local wait=50 waited status began=$SECONDS file line i=0 looks=9 most=2
  [[ $hpcrun_require != yes ]] || most=7
  local -a fields
  declare -ga hpcrun_network=() hpcrun_evidence=() hpcrun_talking=()
  declare -ga hpcrun_line=() hpcrun_pid=() hpcrun_ended=()
  declare -g hpcrun_resolution=0 hpcrun_first='' hpcrun_guard_next=0
  exec {file}<"$1"
  read -r -u "$file" # the first line is no rank's
  while :; do
    status=0
    printf -v waited '%d.%03d' $((wait / 1000)) $((wait % 1000))
    read -r -t "$waited" || status=$?
    while IFS= read -r -u "$file" line; do
      IFS=' ' read -r -a fields <<<"$line"
      hpcrun_line[i]=$line hpcrun_pid[i]=${fields[4]}
      [[ ${fields[2]} != 0 ]] || hpcrun_guard_first "${fields[4]}" "${fields[1]}"
      looks=0
      i=$((i + 1))
      began=$SECONDS wait=50
    done
    if [[ -n $hpcrun_holder ]] && ! hpcrun_holds; then
      hpcrun_lose
    fi
    if [[ -n $hpcrun_first ]] && ((SECONDS >= hpcrun_guard_next)); then
      hpcrun_guard_look
    fi
    # At 5 s, at 60 s, and where a fabric is required a few times more, for MPI that is initialised late.
    if ((${#hpcrun_pid[@]} && ${hpcrun_networked:-0})); then
      if ((looks < most && SECONDS - began >= (looks ? 30 << looks : 5))); then
        hpcrun_look_again=$SECONDS
        looks=$((looks + 1))
      fi
      if [[ -n $hpcrun_look_again ]] && ((SECONDS >= hpcrun_look_again)); then
        hpcrun_look_again=''
        hpcrun_transport_look "$((looks - 1))"
        hpcrun_judge_network
      fi
    fi
    hpcrun_end_fallback
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
    i=${#hpcrun_line[@]}
    # Above 128: the time is up. Else the input has ended, and with it the launch.
    ((status > 128 || status == 0)) || break
    if [[ -n $hpcrun_continued && -n $hpcrun_terminated ]] &&
      ((${#hpcrun_pid[@]} == 0 && (hpcrun_continued - hpcrun_terminated) ** 2 <= 1 && SECONDS - hpcrun_terminated >= 3)); then
      break
    fi
    wait=$(((SECONDS - began) * 20))
    wait=$((wait < 50 ? 50 : wait > 1000 ? 1000 : wait))
  done
  exec {file}<&-
}

hpcrun_holds() {
  local pid
  for pid in "$hpcrun_holder" "${hpcrun_mounters[@]+"${hpcrun_mounters[@]}"}"; do
    kill -0 "$pid" 2>/dev/null || return 1
  done
}

# The container is gone, or its image: the keeper, which ends with hpcrun_alive, ends the ranks.
hpcrun_lose() {
  hpcrun_holder=''
  exec {hpcrun_alive}>&-
  if ((${#hpcrun_pid[@]})); then
    hpcrun_say "on $hpcrun_node the container was killed, and its ranks with it; the launch is ended"
  fi
}

# What tells this node's system and drivers from another's, as members of a JSON object, in REPLY.
hpcrun_node_facts() {
  local name value line facts=''
  for name in kernel=proc/sys/kernel/osrelease os=etc/os-release cpu=proc/cpuinfo memory=proc/meminfo \
    governor=sys/devices/system/cpu/cpu0/cpufreq/scaling_governor driver_{nvidia,amdgpu,mlx5_core,hfi1,efa,lustre} \
    firmware='sys/class/infiniband/*/fw_ver'; do
    [[ $name == *=* ]] || name+=/sys/module/${name#*_}/version
    value=''
    for line in "${hpcrun_root-}"/${name#*[=/]}; do
      while read -r line; do
        case $name in
          os=*) [[ $line == PRETTY_NAME=* ]] || continue ;;
          cpu=*) [[ $line == 'model name'* ]] || continue ;;
          memory=*) [[ $line =~ [0-9]+ ]] && line=$(((BASH_REMATCH[0] + 524288) / 1048576))' GiB' ;;
          *) ;;
        esac
        line=${line#PRETTY_NAME=} line=${line#model name*: }
        [[ " $value " == *" $line "* ]] || value+=${value:+ }$line
        break
      done <"$line" || :
    done 2>/dev/null
    hpcrun_json "${value//\"/}"
    facts+=${REPLY:+",\"${name%%[=/]*}\":\"$REPLY\""}
  done
  REPLY=$facts
}

# Writes the node's records, one for each launch of the job that had ranks here.
hpcrun_collect() {
  local head line name number i reason version traffic memlock facts
  local -a fields
  local -A texts=() ranks=()
  declare -gA hpcrun_texts=()
  for i in "${!hpcrun_line[@]}"; do
    IFS=' ' read -r -a fields <<<"${hpcrun_line[i]}"
    number=${fields[0]}
    ranks[$number]=$((${ranks[$number]-0} + 1))
    hpcrun_json "${hpcrun_evidence[i]-}"
    printf -v line '%s{"type":"rank","rank":%s,"local":%s,"begin_ns":%s,"exec_ns":%s%s%s%s}\n' \
      "${texts[$number]-}" "${fields[2]}" "${fields[3]}" "${fields[5]}" "${fields[6]}" \
      "${hpcrun_ended[i]:+,\"end_ns\":${hpcrun_ended[i]}}" \
      "${hpcrun_network[i]:+,\"network\":\"${hpcrun_network[i]}\"}" "${REPLY:+,\"evidence\":\"$REPLY\"}"
    texts[$number]=$line
  done
  hpcrun_json "$hpcrun_reason"
  reason=$REPLY
  hpcrun_json "$hpcrun_version"
  version=$REPLY
  if ((${#hpcrun_fabric_ports[@]})); then # until the end
    hpcrun_read_traffic
    hpcrun_ask_traffic
    hpcrun_read_traffic
  fi
  hpcrun_traffic_members
  traffic=$REPLY memlock=$(ulimit -l)
  hpcrun_node_facts
  facts=$REPLY
  ((${#ranks[@]} < 2)) || traffic='' # which launch's it was is not known
  if ((${#ranks[@]} == 0)); then
    ranks[$hpcrun_number]=0
  fi
  for number in "${!ranks[@]}"; do
    printf -v head '{"schema":"hpcrun.record/1","type":"node","launch":"%s","cluster":"%s","uid":%s,"begun_ns":%s,"node":"%s","ranks":%s,"mode":"%s"' \
      "${hpcrun_prefix##*/}.$number" "$hpcrun_cluster" "$UID" "$hpcrun_begun" "$hpcrun_node" "${ranks[$number]}" "$hpcrun_how"
    head+="${reason:+,\"mode_reason\":\"$reason\"}${version:+,\"runtime\":\"$version\"},\"image_from\":\"$hpcrun_from\""
    for name in "${!hpcrun_times[@]}"; do
      head+=",\"${name}_ns\":${hpcrun_times[$name]}"
    done
    head+=${hpcrun_pid[*]+",\"ranks_alive\":${#hpcrun_pid[@]}"}
    head+=",\"end_resolution_ns\":$((${hpcrun_resolution:-0} * 1000000))"
    head+="${hpcrun_ports_up:+,\"rdma_ports\":$hpcrun_ports_up,\"memlock_kib\":${memlock/unlimited/-1}}"
    head+="${hpcrun_fabric_here:+,\"fabric\":\"$hpcrun_fabric_here\"}$traffic$facts"
    head+="${hpcrun_topology_text:+,\"topology\":{$hpcrun_topology_text\}}}"
    hpcrun_texts[$number]=$head$'\n'${texts[$number]-}
    hpcrun_write_record "$hpcrun_prefix.$number.node.$hpcrun_node.jsonl" "${hpcrun_texts[$number]}"
  done
}

# The node's records go to the spool, when nothing of the launch waits any more.
hpcrun_hand_in_nodes() {
  local number
  [[ -n $hpcrun_ingest ]] || return 0
  for number in "${!hpcrun_texts[@]}"; do
    hpcrun_hand_in 4 "$number" "node.$hpcrun_node" "${hpcrun_texts[$number]}" || {
      hpcrun_note spool "$?" ''
      return
    }
  done
}

# hpcrun_choose_environment RULE…: what this shell's next program gets of the environment that the shell was given, by
# words -PATTERN|… and +PATTERN|…, of which the first that fits a name counts; what fits none stays. What bash cannot unset
# (its names are no variables, or those of functions) is for env: hpcrun_without is nothing, or "env -u NAME…". What
# local names of hpcrun's hide gets its value back.
hpcrun_choose_environment() {
  local hpcrun_word hpcrun_name hpcrun_sign hpcrun_i
  local -a hpcrun_signs=() hpcrun_patterns=() hpcrun_words
  hpcrun_without=()
  for hpcrun_word in "$@"; do # neighbours with the same sign make one pattern
    if ((${#hpcrun_signs[@]})) && [[ ${hpcrun_signs[-1]} == "${hpcrun_word:0:1}" ]]; then
      hpcrun_patterns[-1]+="|${hpcrun_word:1}"
    else
      hpcrun_signs+=("${hpcrun_word:0:1}")
      hpcrun_patterns+=("${hpcrun_word:1}")
    fi
  done
  { mapfile -d '' -t hpcrun_words </proc/self/environ; } 2>/dev/null
  for hpcrun_word in "${hpcrun_words[@]+"${hpcrun_words[@]}"}"; do
    hpcrun_name=${hpcrun_word%%=*} hpcrun_sign=+
    for hpcrun_i in "${!hpcrun_signs[@]}"; do
      # shellcheck disable=SC2053 # a pattern is meant
      if [[ $hpcrun_name == @(${hpcrun_patterns[hpcrun_i]}) ]]; then
        hpcrun_sign=${hpcrun_signs[hpcrun_i]}
        break
      fi
    done
    if [[ ! $hpcrun_name =~ ^[A-Za-z_][A-Za-z0-9_]*$ || $hpcrun_name == hpcrun_* ]]; then
      [[ $hpcrun_sign == + || -z $hpcrun_name ]] || hpcrun_without+=(-u "$hpcrun_name")
    elif [[ $hpcrun_sign == - ]]; then
      for hpcrun_i in 1 2 3 4 5; do # local ones first, of each function that called this one
        unset -v "$hpcrun_name"
      done
      unset -v "hpcrun_caller[$hpcrun_name]"
    elif [[ $hpcrun_name == [[:lower:]]* || $hpcrun_name == REPLY ]]; then
      export "$hpcrun_name=${hpcrun_word#*=}"
    fi
  done 2>/dev/null
  ((${#hpcrun_without[@]} == 0)) || hpcrun_without=(env "${hpcrun_without[@]}")
}

# What hpcrun's own shells must not have.
hpcrun_give_back() {
  [[ -z ${hpcrun_caller[TMOUT]+set} ]] || export "TMOUT=${hpcrun_caller[TMOUT]}"
}

# The variables that are set for the ranks go to them as HPCRUN_ENV_NAME: those whose values the job script has, and
# those by name, whose values are in the job's environment, so or as NAME. A script may set others for its launches.
hpcrun_set_environment() {
  local hpcrun_name hpcrun_value
  [[ $hpcrun_kind == script ]] || for hpcrun_name in "${!HPCRUN_ENV_@}"; do
    [[ " ${hpcrun_by_name[*]-} " == *" ${hpcrun_name#HPCRUN_ENV_} "* ]] || unset -v "$hpcrun_name"
  done
  for hpcrun_name in "${hpcrun_by_name[@]+"${hpcrun_by_name[@]}"}"; do
    hpcrun_value=HPCRUN_ENV_$hpcrun_name
    [[ -n ${!hpcrun_value+set} || -z ${!hpcrun_name+set} ]] || export "$hpcrun_value=${!hpcrun_name}"
  done
  for hpcrun_name in "${hpcrun_environment[@]+"${hpcrun_environment[@]}"}"; do
    export "HPCRUN_ENV_$hpcrun_name"
  done
}

# Whether variables by name have no value; says which.
hpcrun_lack_values() {
  local hpcrun_name hpcrun_value hpcrun_lacking=''
  for hpcrun_name in "${hpcrun_by_name[@]+"${hpcrun_by_name[@]}"}"; do
    hpcrun_value=HPCRUN_ENV_$hpcrun_name
    [[ -n ${!hpcrun_value+set}${!hpcrun_name+set} ]] || hpcrun_lacking+=${hpcrun_lacking:+, }$hpcrun_name
  done
  [[ -n $hpcrun_lacking ]] || return 1
  hpcrun_say "refused before any rank started: the job's environment has no value for $hpcrun_lacking; set it where the job is submitted, and let the environment go with the job (--export=ALL)"
}

# This process becomes a step of one task on every node beside the ranks: it takes no GPU and no memory
# from them, and none of the sizes that the job's own options left in the environment. In a session of
# its own: Ctrl-C at a terminal is for the ranks.
hpcrun_become_srun_per_node() {
  unset -v "${!SLURM_NTASKS@}" "${!SLURM_GPU@}" "${!SLURM_CPUS_PER@}" "${!SLURM_CPU_BIND@}" \
    "${!SLURM_MEM@}" "${!SLURM_TRES@}" "${!SRUN_@}" SLURM_NPROCS SLURM_DISTRIBUTION SLURM_HINT \
    SLURM_LABELIO SLURM_THREADS_PER_CORE SLURM_OVERCOMMIT SLURM_KILL_BAD_EXIT SLURM_EXACT \
    SLURM_TASK_EPILOG SLURM_TASK_PROLOG "${!SLURM_STD@}" SLURM_TIMELIMIT SLURM_WAIT SLURM_IMMEDIATE \
    SLURM_EXCLUSIVE SLURM_OPEN_MODE
  hpcrun_choose_environment "${hpcrun_variables[@]+"${hpcrun_variables[@]}"}"
  hpcrun_hide_locale
  exec 2>&"$hpcrun_errors"
  ! type -P setsid >/dev/null || hpcrun_without+=(setsid)
  exec "${hpcrun_without[@]+"${hpcrun_without[@]}"}" srun --overlap --nodes="$hpcrun_nodes" --ntasks="$hpcrun_nodes" \
    --ntasks-per-node=1 --cpus-per-task=1 --mem=0 --gres=none --cpu-bind=none --mpi=none \
    --export=ALL --input=all --no-kill --kill-on-bad-exit=0 --wait=30 --job-name=hpcrun-agent \
    ${hpcrun_nodelist:+--nodelist="$hpcrun_nodelist"} "$@"
}

# hpcrun_become_agents WORD…: this process becomes the srun of all nodes' agents.
hpcrun_become_agents() {
  local name
  local -a functions all
  local -A elsewhere=([hpcrun_agent]=1)
  # What the batch script and the ranks have for themselves: the kernel takes 128 KiB for one argument.
  for name in await_agents await_end become_agents become_srun_per_node bind_devices cancelled_before_ranks claim \
    count_local divide_gpus enter give_back hand_in_record has_gpus hide_locale identify identify_step lack_values launch main \
    miss read_job_times record run_script say_missed send_image session set_environment share srun_ranks; do
    elsewhere[hpcrun_$name]=1
  done
  mapfile -t all < <(compgen -A function hpcrun_)
  for name in "${all[@]}"; do
    [[ -n ${elsewhere[$name]-} ]] || functions+=("$name")
  done
  # The agent first: this is what ps shows of the process.
  hpcrun_become_srun_per_node bash -p -c "$(declare -f hpcrun_agent "${functions[@]}")
$(declare -p hpcrun_ingest hpcrun_cluster hpcrun_begun hpcrun_program hpcrun_gpus hpcrun_pin hpcrun_fabric hpcrun_require hpcrun_memlock hpcrun_providers hpcrun_gres hpcrun_driver hpcrun_guard hpcrun_mpi hpcrun_stage_directory hpcrun_stage_limit hpcrun_digest hpcrun_image_size)
hpcrun_agent \"\$@\"" hpcrun-agent "${@/#/=}"
}

# Reads the agents' notes until every node is ready or unfit; says each text once with its nodes.
# Staging: when every node has said whether it has the image, sends it to those that need it;
# hpcrun_await_agents DESCRIPTOR, which the agents read.
# Returns the exit code of the first unfit node, 3 if agents are missing, 0 if all are ready.
hpcrun_await_agents() {
  local kind node code text key list answered=0 need=0 busy=0 code_of_first=0
  local -A nodes=() seen=() fabrics=()
  local -a keys=()
  while ((answered < hpcrun_nodes)) && IFS=$'\t' read -r kind node code text; do
    case $kind in
      ready)
        answered=$((answered + 1))
        fabrics[$code]+=${fabrics[$code]:+,}$node
        hpcrun_ready+=${hpcrun_ready:+,}$node
        ;;
      unfit)
        seen[$node]=1
        answered=$((answered + 1))
        ((code_of_first)) || code_of_first=$code
        ;;
      bare) hpcrun_bare+=$node, ;;
      shell)
        hpcrun_program='' hpcrun_by_shell=${hpcrun_by_shell:-${text:+on $node: $text}} text=''
        ;;
      have | need | busy | pass)
        seen[$node]=1
        [[ $kind != need ]] || need=$((need + 1))
        [[ $kind != busy ]] || busy=$((busy + 1))
        ;;
      *) ;;
    esac
    if [[ -n $text ]]; then
      key="$kind"$'\t'"$text"
      [[ -n ${nodes[$key]+set} ]] || keys+=("$key")
      nodes[$key]+=${nodes[$key]:+,}$node
    fi
    if ((${#seen[@]} == hpcrun_nodes && need + busy)); then
      ((code_of_first == 0)) || break # the agents that wait learn it from the end of their input
      hpcrun_send_image "$need" "$busy" >&"$1"
      need=0 busy=0
    fi
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
  if [[ $hpcrun_require == yes ]] && ((${#fabrics[@]} > 1)); then
    text=''
    for key in "${!fabrics[@]}"; do
      hpcrun_fabric_title "$key"
      list=$(scontrol show hostlistsorted "${fabrics[$key]}" 2>/dev/null) || list=${fabrics[$key]}
      text+="${text:+, }$REPLY on $list"
    done
    hpcrun_say "refused before any rank started: the nodes' fastest networks differ: $text; say with --fabric which one is meant"
    code_of_first=${code_of_first/#0/3}
  fi
  if ((answered < hpcrun_nodes && code_of_first == 0)); then
    [[ -n ${hpcrun_cancelled-} ]] || hpcrun_say "refused before any rank started: only $answered of $hpcrun_nodes nodes could be prepared; srun's message is above"
    code_of_first=3
  fi
  return "$code_of_first"
}

# hpcrun_await_end CODE: waits for the agents' ends, which are the end of their output; what has not
# ended by then is Slurm's to end with the job. If the launch failed, says which agents were lost, and
# their containers with them: they have not said that they are done, nor left a record of ranks that
# had all ended.
hpcrun_await_end() {
  local kind node code text name names list patience=$(($1 ? 5 : 20)) fallback=''
  local -A alive=() fallbacks=()
  local -a nodes
  IFS=, read -r -a nodes <<<"$hpcrun_ready"
  for node in "${nodes[@]+"${nodes[@]}"}"; do
    alive[$node]=1
  done
  while IFS=$'\t' read -r -t "$patience" kind node code text; do
    case $kind in
      'done') unset -v "alive[$node]" ;;
      spool) hpcrun_miss "$node" "$code" ;;
      alone) hpcrun_stopped=3 ;;
      tcp)
        fallbacks[$node]=1 fallback=${fallback:-"on $node $text"}
        ;;
      *) ;;
    esac
  done
  if [[ -n $fallback ]]; then
    ((${#fallbacks[@]} == 1)) || fallback+="; the same on other nodes, at least $((${#fallbacks[@]} - 1))"
    hpcrun_say "$fallback"
    hpcrun_advise_network
  fi
  if (($1)); then
    for node in "${!alive[@]}"; do
      name=$hpcrun_prefix.$hpcrun_number.node.$node.jsonl
      if [[ -e $name ]] && ! grep -q '"ranks_alive":' "$name"; then
        unset -v "alive[$node]"
      fi
    done
  fi
  if ((${#alive[@]} && $1)); then
    names=$(printf '%s,' "${!alive[@]}")
    list=$(scontrol show hostlistsorted "${names%,}" 2>/dev/null) || list=${names%,}
    hpcrun_say "on $list hpcrun's agent was lost (killed, or the node is down), and the container and the ranks there with it"
  fi
}

# Writes the launch's own record: hpcrun_record STATE EXIT_CODE
# shellcheck disable=SC2154 # hpcrun_facts is set by the job script
hpcrun_record() {
  local text name
  printf -v text '{"schema":"hpcrun.record/1","type":"launch","launch":"%s","job":"%s","cluster":"%s","uid":%s,"begun_ns":%s,"state":"%s"' \
    "${hpcrun_prefix##*/}.$hpcrun_number" "$hpcrun_job" "$hpcrun_cluster" "$UID" "$hpcrun_begun" "$1"
  text+=${2:+,\"exit\":$2}
  text+="${hpcrun_nodes:+,\"nodes\":$hpcrun_nodes}${hpcrun_ranks:+,\"ranks\":$hpcrun_ranks}"
  text+="${SLURM_JOB_PARTITION:+,\"partition\":\"${SLURM_JOB_PARTITION//[!A-Za-z0-9._-]/_}\"}"
  text+=",\"node\":\"${SLURMD_NODENAME:-$HOSTNAME}\",\"clock\":\"CLOCK_REALTIME\""
  text+=",\"resolution_ns\":$([[ -n ${EPOCHREALTIME-} ]] && echo 1000 || echo 1)"
  for name in submit eligible start; do
    text+=${hpcrun_seconds[$name]:+,\"${name}_s\":${hpcrun_seconds[$name]}}
  done
  for name in "${!hpcrun_times[@]}"; do
    text+=",\"${name}_ns\":${hpcrun_times[$name]}"
  done
  if [[ $1 == ended ]]; then
    text+=",\"entered_by\":\"$([[ -n $hpcrun_program ]] && echo program || echo shell)\""
    hpcrun_json "$hpcrun_by_shell"
    text+=${REPLY:+",\"entered_by_reason\":\"$REPLY\""}
  fi
  text+=",$hpcrun_facts}"$'\n'
  hpcrun_launch_record=$text
  if ! hpcrun_write_record "$hpcrun_prefix.$hpcrun_number.job.jsonl" "$text" && [[ $1 != running ]]; then
    hpcrun_say "the timing of this launch is lost: a record cannot be written in ${hpcrun_prefix%/*}"
  fi
}

# hpcrun_hand_in_record STATE: the launch's record as it was written last goes to the spool. Nobody waits while the launch
# runs, and not for long where nodes have waited in vain.
hpcrun_hand_in_record() {
  local limit=4
  [[ -n $hpcrun_ingest ]] || return 0
  [[ -z $hpcrun_slow ]] || limit=1
  if [[ $1 == running ]]; then
    hpcrun_hand_in 0 "$hpcrun_number" job.running "$hpcrun_launch_record" || :
  else
    hpcrun_hand_in "$limit" "$hpcrun_number" "job.$1" "$hpcrun_launch_record" ||
      hpcrun_miss "${SLURMD_NODENAME:-$HOSTNAME}" "$?"
  fi
}

# hpcrun_miss NODE CODE: a record of this node is not in the spool.
hpcrun_miss() {
  [[ ,$hpcrun_missed == *",$1,"* ]] || hpcrun_missed+=$1,
  (($2 <= 128)) || hpcrun_slow=1
}

hpcrun_say_missed() {
  local list
  [[ -n $hpcrun_missed ]] || return 0
  list=$(scontrol show hostlistsorted "${hpcrun_missed%,}" 2>/dev/null) || list=${hpcrun_missed%,}
  hpcrun_say "on $list records could not be written into the spool $hpcrun_ingest (HPCRUN_SPOOL)${hpcrun_slow:+, which does not answer}; nothing else is affected"
}

# Submit, eligible and start time as Slurm knows them (whole seconds), asked beside the launch.
hpcrun_read_job_times() {
  local line name key value
  while read -r -t 1 line; do
    for name in $line; do
      key=${name%%=*} value=${name#*=}
      [[ $value =~ ^[0-9]+$ ]] || continue
      case $key in
        SubmitTime) hpcrun_seconds[submit]=$value ;;
        EligibleTime) hpcrun_seconds[eligible]=$value ;;
        StartTime) hpcrun_seconds[start]=$value ;;
        *) ;;
      esac
    done
  done
  if [[ ${SLURM_JOB_START_TIME-} =~ ^[0-9]+$ ]]; then
    hpcrun_seconds[start]=$SLURM_JOB_START_TIME
  fi
}

# Who and where this launch is: the job, where its records go, its nodes.
hpcrun_identify() {
  hpcrun_job=$SLURM_JOB_ID
  if [[ -n ${SLURM_ARRAY_JOB_ID-} ]]; then
    hpcrun_job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  fi
  hpcrun_prefix=$hpcrun_records/$hpcrun_job/$hpcrun_job.${SLURM_RESTART_COUNT:-0}
  hpcrun_number=0 hpcrun_cluster=${SLURM_CLUSTER_NAME//[!A-Za-z0-9._-]/_} hpcrun_begun=${hpcrun_times[script]}
  hpcrun_nodes=$SLURM_JOB_NUM_NODES hpcrun_ranks=${SLURM_NTASKS-} hpcrun_nodelist=''
  hpcrun_bare='' hpcrun_ready='' hpcrun_by_shell=''
  hpcrun_random=$(od -An -N8 -tx8 /dev/urandom)
  hpcrun_random=${hpcrun_random# }
  (umask 077 && mkdir -p -- "${hpcrun_prefix%/*}") 2>/dev/null
  if [[ $hpcrun_kind == step ]]; then
    hpcrun_identify_step
  else
    # Records of an older job with the same number: Slurm was set up anew, or the home is shared.
    rm -f -- "$hpcrun_prefix".*.job.jsonl "$hpcrun_prefix".*.node.*.jsonl 2>/dev/null
  fi
  hpcrun_directory=/tmp/hpcrun.${hpcrun_prefix##*/}.$hpcrun_number.$hpcrun_random
  hpcrun_part=${hpcrun_stage_directory-}/part.${hpcrun_digest-}.${hpcrun_prefix##*/}.$hpcrun_random
}

# One of several launches in this job: its nodes, and the number that nobody has taken yet.
# shellcheck disable=SC2154 # they are set by the script of a step
hpcrun_identify_step() {
  hpcrun_ranks=${hpcrun_step_tasks:-$hpcrun_ranks} hpcrun_nodelist=$hpcrun_step_nodelist
  if [[ -n $hpcrun_step_nodes ]]; then
    hpcrun_nodes=${hpcrun_step_nodes%%-*}
  elif [[ -n $hpcrun_nodelist ]]; then
    hpcrun_nodes=$(scontrol show hostnames "$hpcrun_nodelist" | wc -l)
  elif [[ -n $hpcrun_step_tasks ]] && ((hpcrun_step_tasks < hpcrun_nodes)); then
    hpcrun_nodes=$hpcrun_step_tasks
  fi
  hpcrun_claim
}

# The launch's number: the first one of the job without a record.
hpcrun_claim() {
  while [[ -w ${hpcrun_prefix%/*} ]] && ! (set -C && : >"$hpcrun_prefix.$hpcrun_number.job.jsonl") 2>/dev/null; do
    hpcrun_number=$((hpcrun_number + 1))
  done
}

# hpcrun_launch COMMAND…: the ranks. Returns the launch step's exit code.
hpcrun_launch() {
  local code said
  hpcrun_pipe
  hpcrun_time launch_asked
  # If srun is killed, bash says so here and shows its source; also of the agents' srun.
  { hpcrun_srun_ranks "$@"; } 2>&"$hpcrun_write_end"
  code=$?
  hpcrun_time launch_done
  printf '\0' >&"$hpcrun_write_end"
  if IFS= read -r -d '' said <&"$hpcrun_read_end" && [[ $said == *'srun of the ranks'* ]]; then
    hpcrun_say "the ranks' srun was killed (SIG$(kill -l "$((code - 128))")), and the ranks with it"
  fi
  exec {hpcrun_read_end}<&- {hpcrun_write_end}>&-
  return "$code"
}

# Who divides the GPUs of this step: Slurm, if it is told how (HPCRUN_GPUS=slurm); else hpcrun, and Slurm must not
# bind them, as it does for GPUs per task, and tasks per GPU (srun(1)): it says so in these variables too.
hpcrun_divide_gpus() {
  local word asked='' implied=''
  # Slurm 24.11 and newer say SLURM_TRES_PER_TASK.
  [[ ${SLURM_GPUS_PER_TASK:+gpu}${SLURM_TRES_PER_TASK-} != *gpu* || ${SLURM_TRES_BIND-}${SLURM_GPU_BIND-} != *per_task:* ]] || implied=1
  [[ -z ${SLURM_NTASKS_PER_GPU-} || ${SLURM_TRES_BIND-}${SLURM_GPU_BIND-} != *single:* ]] || implied=1
  if [[ -z $implied && -n ${SLURM_TRES_BIND-}${SLURM_GPU_BIND-} ]]; then
    asked=1
  elif [[ -n ${SLURM_GPUS_PER_TASK-}${SLURM_NTASKS_PER_GPU-} || ${SLURM_TRES_PER_TASK-} == *gpu* ]]; then
    implied=1
  fi
  for word in "${hpcrun_srun[@]+"${hpcrun_srun[@]}"}"; do
    case $word in
      --gpu-bind* | --tres-bind*) asked=1 ;;
      --gpus-per-task* | --ntasks-per-gpu* | --tres-per-task*gpu*) implied=1 ;;
      *) ;;
    esac
  done
  if [[ -n $asked || $hpcrun_gpus == slurm ]]; then
    export HPCRUN_GPUS=slurm
  elif [[ -n $implied ]]; then
    hpcrun_srun+=(--gpu-bind=none)
  fi
}

# hpcrun_srun_ranks COMMAND…: the launch step, of hpcrun-enter or of hpcrun_enter.
hpcrun_srun_ranks() {
  (
    : 'srun of the ranks'
    local hpcrun_word hpcrun_name
    local -a hpcrun_where=() hpcrun_task hpcrun_words
    exec 2>&"$hpcrun_errors" {hpcrun_read_end}<&- {hpcrun_write_end}>&-
    hpcrun_divide_gpus
    hpcrun_set_environment
    hpcrun_choose_environment "${hpcrun_variables[@]+"${hpcrun_variables[@]}"}"
    hpcrun_give_back
    for hpcrun_word in "${hpcrun_defaults[@]+"${hpcrun_defaults[@]}"}"; do
      hpcrun_name=${hpcrun_word%%=*}
      # Slurm (from 23.11) tells mpirun to use srun, which is not in the container: HYDRA_BOOTSTRAP=slurm.
      [[ -n ${!hpcrun_name+set} && ${!hpcrun_name} != slurm ]] || export "$hpcrun_name=${hpcrun_word#*=}"
    done
    if [[ -n $hpcrun_program ]]; then
      hpcrun_task=("$hpcrun_directory/hpcrun-enter")
      hpcrun_words=("$hpcrun_directory" "$hpcrun_number" "$@")
    else
      for hpcrun_word in "${hpcrun_alone[@]+"${hpcrun_alone[@]}"}"; do
        export "HPCRUN_ALONE_$hpcrun_word"
      done
      hpcrun_hide_locale
      hpcrun_task=(bash -p -c "$(declare -f hpcrun_now hpcrun_find_runtime hpcrun_pass_environment \
        hpcrun_restore_locale hpcrun_join_words hpcrun_bind_devices hpcrun_count_local hpcrun_share \
        hpcrun_enter)
hpcrun_enter \"\$@\"" hpcrun-enter)
      hpcrun_words=("$hpcrun_directory" "$hpcrun_bare" "$hpcrun_number" "${#hpcrun_container[@]}"
        "${hpcrun_container[@]+"${hpcrun_container[@]}"}" "$hpcrun_image" "$@")
    fi
    if [[ $hpcrun_kind == step ]]; then
      hpcrun_where=(--nodes="$hpcrun_nodes" --nodelist="$hpcrun_ready")
    fi
    exec "${hpcrun_without[@]+"${hpcrun_without[@]}"}" srun --export=ALL "${hpcrun_srun[@]+"${hpcrun_srun[@]}"}" \
      "${hpcrun_where[@]+"${hpcrun_where[@]}"}" "${hpcrun_task[@]}" "${hpcrun_words[@]/#/=}"
  )
}

# The user's script, which starts launches with "hpcrun exec -- COMMAND": this script once more.
# shellcheck disable=SC2154 # they are set by the job script
hpcrun_run_script() {
  local signal child code=1
  if [[ ! -d $hpcrun_directory ]]; then
    hpcrun_say "the script cannot be started: there is no node directory on ${SLURMD_NODENAME:-$HOSTNAME}"
    return 1
  fi
  if ! {
    printf '%s' "$hpcrun_script" >"$hpcrun_directory/script" &&
      cp -- "$0" "$hpcrun_directory/job" &&
      declare -p hpcrun_directory hpcrun_prefix hpcrun_bare hpcrun_program hpcrun_by_shell \
        hpcrun_cluster hpcrun_begun hpcrun_seconds >"$hpcrun_directory/session" &&
      mkdir -- "$hpcrun_directory/bin" &&
      printf '#!/bin/bash\nexec bash %q %q "$@"\n' "$hpcrun_directory/job" "$hpcrun_directory" \
        >"$hpcrun_directory/bin/hpcrun" && chmod 700 "$hpcrun_directory/bin/hpcrun"
  } 2>/dev/null; then
    hpcrun_say "the script cannot be started: $hpcrun_directory cannot be written"
    return 1
  fi
  (
    hpcrun_choose_environment # as it was
    hpcrun_give_back
    PATH=$hpcrun_directory/bin:$PATH exec "${hpcrun_interpreter[@]}" "$hpcrun_directory/script" \
      "${hpcrun_arguments[@]+"${hpcrun_arguments[@]}"}"
  ) <&0 &
  child=$!
  # Signals for the batch shell (--signal=B:USR1) are for the user's script.
  for signal in HUP INT QUIT USR1 USR2 ALRM TERM XCPU; do
    # shellcheck disable=SC2064 # the signal's name is meant now
    trap "kill -s $signal $child 2>/dev/null" "$signal"
  done
  while kill -0 "$child" 2>/dev/null; do
    wait "$child" 2>/dev/null # bash would show the source of killed agents
    code=$?
  done
  if [[ -e $hpcrun_directory/missed ]]; then
    hpcrun_miss "${SLURMD_NODENAME:-$HOSTNAME}" 1
    [[ ! -s $hpcrun_directory/missed ]] || hpcrun_slow=1
  fi
  return "$code"
}

# hpcrun in a user's script: hpcrun_session NODE_DIRECTORY exec [SRUN_OPTION…] -- COMMAND…
hpcrun_session() {
  local -A hpcrun_times=() hpcrun_seconds=()
  local directory=$1 code i image='' own=''
  shift
  for ((i = 2; i <= $#; i++)); do
    if [[ ${!i} == -- ]]; then
      own=1
      break
    fi
    image=${!i}
  done
  if [[ ${1-} != exec || -z $own || $image == *.sif || (-n $image && -e $image) ]]; then
    # Another command of hpcrun, or another image: the installed hpcrun does it.
    PATH=:$PATH:
    PATH=${PATH//:"$directory/bin":/:}
    PATH=${PATH#:}
    PATH=${PATH%:}
    if ! type -P hpcrun >/dev/null; then
      hpcrun_say "in this script: hpcrun exec [srun's options] -- COMMAND [ARGUMENT...]; for anything else hpcrun must be on the PATH of the compute nodes"
      return 2
    fi
    hpcrun_choose_environment # as it was
    hpcrun_give_back
    hpcrun "$@"
    return
  fi
  shift
  # shellcheck disable=SC1091 # written by hpcrun_run_script
  source "$directory/session"
  [[ ! -s $directory/missed ]] || hpcrun_ingest='' # a launch before this one waited in vain
  while (($#)) && [[ $1 != -- ]]; do
    case ${1%%=*} in
      --bind | --env | --env-file | --clean-env | --home | --no-home | --no-mount | --pwd | --contain | --nv | --no-nv | --rocm | --no-rocm | \
        --writable-tmpfs | --fabric | --require-fabric | --mode | --stage | --stage-dir | --stage-limit | --mpi-model | \
        --host-mpi | --singletons | --no-guard | --force | --image)
        hpcrun_say "hpcrun exec in a script: ${1%%=*} is for all of its steps; write it into the script's line: #HPCRUN $1"
        return 2
        ;;
      *) ;;
    esac
    hpcrun_srun+=("$1")
    shift
  done
  if (($# < 2)); then
    hpcrun_say 'hpcrun exec: there is no command; write: hpcrun exec [srun options] -- COMMAND [ARGUMENT...]'
    return 2
  fi
  shift
  if hpcrun_lack_values; then
    return 3
  fi
  hpcrun_job=${hpcrun_prefix##*/} hpcrun_job=${hpcrun_job%.*}
  hpcrun_nodes='' hpcrun_ranks='' hpcrun_number=0
  hpcrun_claim
  trap ':' HUP INT QUIT USR1 USR2 ALRM TERM XCPU
  hpcrun_time script
  hpcrun_record running ''
  hpcrun_hand_in_record running
  hpcrun_launch "$@"
  code=$?
  hpcrun_record ended "$code"
  hpcrun_hand_in_record ended
  [[ -z $hpcrun_missed ]] || { printf '%s' "$hpcrun_slow" >"$directory/missed"; } 2>/dev/null
  return "$code"
}

# Whether the job has GPUs: variables of batch scripts and of --gpus say so; under salloc only Slurm knows of --gres.
hpcrun_has_gpus() {
  [[ -z ${SLURM_JOB_GPUS-}${SLURM_GPUS_ON_NODE-}${SLURM_GPUS-}${SLURM_GPUS_PER_NODE-}${SLURM_GPUS_PER_TASK-}${SLURM_GPUS_PER_SOCKET-} ]] ||
    return 0
  [[ $hpcrun_kind == step && $(scontrol show job "$SLURM_JOB_ID" 2>/dev/null) == *gres/gpu* ]]
}

# Whether Slurm ended the job before a rank began: then srun's failure is its own: 1, or Slurm's error number
# modulo 256 (164: the credential is no longer valid). Slurm refuses the step before the batch script gets its
# SIGTERM, so Slurm is asked where that has not come.
hpcrun_cancelled_before_ranks() {
  local record=$hpcrun_prefix.$hpcrun_number.node.${SLURMD_NODENAME:-$HOSTNAME}.jsonl head=''
  { read -r head <"$record"; } 2>/dev/null
  [[ $head == *'"ranks":0,'* ]] || return 1
  [[ -n $hpcrun_cancelled ]] || [[ $(scontrol show job "$SLURM_JOB_ID" 2>/dev/null) =~ JobState=(CANCELLED|TIMEOUT|DEADLINE|PREEMPTED|NODE_FAIL) ]]
}

# The whole job. Expects what the job script declares before it: hpcrun_kind, hpcrun_image,
# hpcrun_header, hpcrun_program, hpcrun_command, hpcrun_srun, hpcrun_container, hpcrun_environment, hpcrun_by_name,
# hpcrun_variables, hpcrun_defaults, hpcrun_alone, hpcrun_guard, hpcrun_gpu_flags, hpcrun_gpus, hpcrun_pin, hpcrun_fabric,
# hpcrun_require, hpcrun_memlock, hpcrun_providers, hpcrun_gres, hpcrun_driver, hpcrun_mode, hpcrun_mpi, hpcrun_spool, hpcrun_stage,
# hpcrun_records, hpcrun_ingest, hpcrun_facts. Returns the exit code of the job.
# shellcheck disable=SC2154 # they are set by the job script
hpcrun_main() {
  local -A hpcrun_times=() hpcrun_seconds=() hpcrun_caller=()
  local hpcrun_name code job_times answers alive state=ended hpcrun_stopped='' hpcrun_cancelled='' hpcrun_missed='' hpcrun_slow=''
  set +eufCp # an exported SHELLOPTS is not for this script; and -p, which was, is not for shells below it
  if hpcrun_name=TMOUT && [[ -n ${!hpcrun_name+set} ]]; then # bash's limit for each read
    hpcrun_caller[TMOUT]=${!hpcrun_name}
    unset -v TMOUT
  fi
  exec {hpcrun_errors}>&2
  if ((${#hpcrun_gpu_flags[@]})) && hpcrun_has_gpus; then
    hpcrun_container+=("${hpcrun_gpu_flags[@]}")
  fi
  if [[ $hpcrun_kind == script && $# -gt 0 ]]; then
    hpcrun_session "$@"
    return
  fi
  hpcrun_time script
  hpcrun_identify
  exec {job_times}< <(SLURM_TIME_FORMAT=%s exec scontrol show job "$SLURM_JOB_ID" 2>/dev/null)
  [[ $hpcrun_kind == script ]] || hpcrun_record running ''
  if [[ $hpcrun_kind != script ]] && hpcrun_lack_values; then
    hpcrun_record refused 3
    hpcrun_hand_in_record refused
    return 3
  fi

  # A cancelled job's script must live until its ranks have ended, to write the record.
  trap ':' HUP INT QUIT USR1 USR2 ALRM XCPU
  trap 'hpcrun_cancelled=143' TERM

  hpcrun_time prepare_asked
  # The agents live as long as their input is open, which is how they learn that the launch is over.
  coproc hpcrun_agents_io {
    exec 2>/dev/null # bash would show the source of what was killed
    hpcrun_set_environment
    export HPCRUN_NODE_DIRECTORY=$hpcrun_directory
    hpcrun_become_agents "$hpcrun_prefix" "$hpcrun_number" "$hpcrun_mode" "$hpcrun_mpi" "$hpcrun_spool" \
      "$hpcrun_stage" "$hpcrun_part" "${#hpcrun_container[@]}" \
      "${hpcrun_container[@]+"${hpcrun_container[@]}"}" "$hpcrun_image" "$hpcrun_header"
  }
  # bash closes a coproc's descriptors when it ends. The one that keeps the agents alive must not be
  # inherited, so it stays as it is.
  exec {answers}<&"${hpcrun_agents_io[0]}"
  alive=${hpcrun_agents_io[1]}
  [[ $hpcrun_kind == script ]] || hpcrun_hand_in_record running # while the nodes are prepared
  hpcrun_await_agents "$alive" <&"$answers"
  code=$?
  hpcrun_time prepare_done
  if [[ -n $hpcrun_cancelled ]]; then
    code=143 # as the ranks would have ended
  elif ((code != 0)); then
    state=refused
  elif [[ $hpcrun_kind == script ]]; then
    hpcrun_read_job_times <&"$job_times"
    hpcrun_run_script
    code=$?
  else
    hpcrun_launch "${hpcrun_command[@]}"
    code=$?
    if ((code)) && [[ -z $hpcrun_cancelled && $hpcrun_require == yes && " ${hpcrun_defaults[*]-}" == *' OMPI_MCA_pml='* ]]; then
      hpcrun_say "--require-fabric lets Open MPI use RDMA or nothing (OMPI_MCA_pml): if ranks ended in MPI_Init, it found none; OMPI_MCA_pml_base_verbose=10 and UCX_LOG_LEVEL=info say why"
    fi
  fi
  exec {alive}>&-
  [[ $hpcrun_kind == script && $state == ended ]] || hpcrun_read_job_times <&"$job_times"
  hpcrun_await_end "$code" <&"$answers"
  if ((code != 0)) && [[ $hpcrun_kind != script && $state == ended ]] && hpcrun_cancelled_before_ranks; then
    code=143
  fi
  [[ $hpcrun_kind == script ]] || code=${hpcrun_stopped:-$code} # a script has its own way to end
  hpcrun_time agents_done
  # The agents' srun, with its children, would wait for agents that are lost (KillWait and 2 s).
  if [[ -n ${hpcrun_agents_io_PID-} ]]; then
    {
      kill -s KILL -- "-$hpcrun_agents_io_PID" "$hpcrun_agents_io_PID"
      wait "$hpcrun_agents_io_PID" # here bash says that it was killed
    } 2>/dev/null
  fi
  if [[ $hpcrun_kind != script || $state != ended ]]; then
    hpcrun_record "$state" "$code"
    hpcrun_hand_in_record "$state"
  fi
  hpcrun_say_missed
  return "$code"
}
