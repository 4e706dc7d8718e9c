# The container of a node: is the node fit, the holder, and how a rank enters.
#
# The holder is one ordinary "apptainer exec" with all options. The ranks join its user and mount
# namespaces and become the application: nothing is mounted twice, and all ranks of a node share
# one user namespace, without which CMA, XPMEM, UCX's shared memory and CUDA IPC do not work.

# REPLY: the container runtime's path.
hpcrun_find_runtime() {
  REPLY=$(type -P apptainer || type -P singularity)
}

# Gives the runtime hpcrun_runtime the values of --env, which come as HPCRUN_ENV_NAME; their names are in hpcrun_given.
hpcrun_pass_environment() {
  local hpcrun_prefix=APPTAINERENV_ hpcrun_word
  hpcrun_given=' '
  if [[ ${hpcrun_runtime##*/} == singularity ]]; then
    hpcrun_prefix=SINGULARITYENV_
  fi
  for hpcrun_word in "${!HPCRUN_ENV_@}"; do
    export "$hpcrun_prefix${hpcrun_word#HPCRUN_ENV_}=${!hpcrun_word}"
    hpcrun_given+="${hpcrun_word#HPCRUN_ENV_} "
    unset -v "$hpcrun_word"
  done
}

# REPLY: why this node cannot read the image, or has another one than was submitted; empty if it is
# the one. hpcrun_image_problem IMAGE [HEADER_DIGEST]: SHA-256 of the first 32 KiB, which hold a
# SIF's UUID, its times and the sizes of all its parts. One that was cut off has another size
# (hpcrun_image_size).
hpcrun_image_problem() {
  local digest
  REPLY=''
  if [[ ! -e $1 ]]; then
    REPLY="the image $1 is not there; put it on a file system that the nodes share"
  elif [[ ! -r $1 || (-d $1 && ! -x $1) ]]; then
    REPLY="the image $1 may not be read by uid $UID; change its permissions"
  elif [[ -n ${2-} ]]; then
    digest=none
    # Whoever opens a pipe may wait for ever.
    [[ ! -f $1 ]] || digest=$(head -c 32768 -- "$1" 2>/dev/null | sha256sum)
    if [[ ${digest%% *} != "$2" ]] ||
      [[ -n ${hpcrun_image_size-} && $(stat -L -c %s -- "$1" 2>&1) != "$hpcrun_image_size" ]]; then
      REPLY="the image $1 is not the one that was submitted (it was changed or replaced since); submit the job again"
    fi
  fi
}

# REPLY: why a user cannot make a container here, empty if nothing is known against it.
# hpcrun_namespace_problem PROC, PROC being /proc.
hpcrun_namespace_problem() {
  local value
  REPLY=''
  { read -r value <"$1/sys/user/max_user_namespaces"; } 2>/dev/null || value=''
  if [[ $value == [0-3] ]]; then # Apptainer makes 2 or 3 (apptainer/apptainer#1686)
    REPLY="user namespaces are limited to $value; ask the administrators to raise /proc/sys/user/max_user_namespaces"
  fi
  { read -r value <"$1/sys/kernel/unprivileged_userns_clone"; } 2>/dev/null || value=''
  if [[ $value == 0 ]]; then
    REPLY="user namespaces are switched off; ask the administrators to set /proc/sys/kernel/unprivileged_userns_clone to 1"
  fi
}

# Whether the runtime does without user namespaces, because it was installed with setuid.
hpcrun_setuid_runtime() {
  local line directory=''
  while read -r line; do
    case $line in
      APPTAINER_SUID_INSTALL=* | SINGULARITY_SUID_INSTALL=*) [[ ${line#*=} == 1 ]] || return 1 ;;
      LIBEXECDIR=*) directory=${line#*=} ;;
      *) ;;
    esac
  done < <("$hpcrun_runtime" buildcfg 2>/dev/null)
  [[ -u $directory/apptainer/bin/starter-suid || -u $directory/singularity/bin/starter-suid ]]
}

# REPLY: why a runtime that calls itself so is too old, empty if it is not: hpcrun needs --no-eval
# (Apptainer 1.1, SingularityCE 3.10).
hpcrun_version_problem() {
  REPLY=''
  if [[ $1 =~ ^(apptainer|singularity|singularity-ce)\ version\ ([0-9]+)\.([0-9]+) ]]; then
    local number=$((BASH_REMATCH[2] * 1000 + BASH_REMATCH[3])) needed=3010
    [[ ${BASH_REMATCH[1]} != apptainer ]] || needed=1001
    if ((number < needed)); then
      REPLY="$1 is too old; hpcrun needs Apptainer 1.1 or SingularityCE 3.10"
    fi
  fi
}

# Opens the node's own env and cat, the libraries they need and the loader, and keeps the descriptors
# in hpcrun_env, hpcrun_cat, hpcrun_libraries and hpcrun_loader. The holder runs cat from these
# descriptors, so the image needs no program, no library and no mount for it.
hpcrun_open_tools() {
  local line library descriptor env cat
  local -A seen=()
  hpcrun_loader='' hpcrun_libraries=()
  env=$(type -P env) && cat=$(type -P cat) || return 1
  exec {hpcrun_env}<"$env" {hpcrun_cat}<"$cat" || return 1
  while read -r line; do
    if [[ $line =~ \=\>\ (/[^ ]+) ]]; then
      library=${BASH_REMATCH[1]}
      if [[ -z ${seen[$library]-} ]]; then
        seen[$library]=1
        exec {descriptor}<"$library" || return 1
        hpcrun_libraries+=("$descriptor")
      fi
    elif [[ $line =~ ^(/[^ :]+)\ \( && -z $hpcrun_loader ]]; then
      exec {hpcrun_loader}<"${BASH_REMATCH[1]}" || return 1
    fi
  done < <(env -i PATH="$PATH" ldd "$env" "$cat") # it is a shell script, which BASH_ENV and functions would change
  [[ -n $hpcrun_loader ]]
}

# hpcrun_run_tool DESCRIPTOR PROC: the words that run one of these tools in a container, in
# hpcrun_words; PROC is the /proc directory of the process that has them open.
hpcrun_run_tool() {
  local library preload=''
  for library in "${hpcrun_libraries[@]+"${hpcrun_libraries[@]}"}"; do
    preload+=${preload:+:}$2/fd/$library
  done
  hpcrun_words=("$2/fd/$hpcrun_loader")
  if [[ -n $preload ]]; then
    hpcrun_words+=(--preload "$preload")
  fi
  hpcrun_words+=("$2/fd/$1")
}

# hpcrun_pipe: a pipe, its ends in hpcrun_read_end and hpcrun_write_end.
hpcrun_pipe() {
  local both
  exec {both}<> <(:)
  exec {hpcrun_read_end}<"/proc/self/fd/$both"
  exec {hpcrun_write_end}>"/proc/self/fd/$both"
  exec {both}<&-
}

# hpcrun_keep DIRECTORY TOKEN [RUNTIME WORD…], outside the step's process tree, so that neither the
# signals meant for the ranks nor the end of the agent pass it by: runs the holder, which ends when
# standard input does, and then removes the node directory. Whatever is left in the container by then
# is ended, because its image is gone; if ranks are among it, their launch is ended on all nodes.
# TOKEN marks the lines that are not the image's or the runtime's own words. If the agent has not said
# that the launch is over, the directory stays until the job ends: another user could take its name,
# and ranks would start what he put there.
hpcrun_keep() {
  # Names that the user's variables do not have: the runtime gets the environment of this shell.
  local hpcrun_place=$1 hpcrun_mark=$2 hpcrun_status=0 hpcrun_over='' hpcrun_input hpcrun_lines hpcrun_line hpcrun_space=''
  shift 2
  trap '' HUP INT QUIT PIPE USR1 USR2 TERM
  if (($#)); then
    exec {hpcrun_input}<&0
    exec {hpcrun_lines}< <("$@" <&"$hpcrun_input" 2>&1; printf '\n%s ended %s\n' "$hpcrun_mark" "$?")
    while IFS= read -r hpcrun_line <&"$hpcrun_lines"; do
      case $hpcrun_line in
        "$hpcrun_mark ended "*)
          hpcrun_status=${hpcrun_line##* }
          break
          ;;
        # The holder's process id comes next. As long as its user namespace is held open, no other one
        # gets its number. (A mount namespace held open would keep the image mounted.)
        "$hpcrun_mark")
          IFS= read -r hpcrun_line <&"$hpcrun_lines"
          exec {hpcrun_space}<"/proc/${hpcrun_line%% *}/ns/user"
          hpcrun_line="$hpcrun_mark holder $hpcrun_line"
          ;;
        "$hpcrun_mark over")
          hpcrun_over=1
          continue
          ;;
        *) ;;
      esac
      printf '%s\n' "$hpcrun_line"
    done
    hpcrun_clear "$hpcrun_place" "$hpcrun_space" "$hpcrun_status"
  elif read -r hpcrun_line && [[ $hpcrun_line == "$hpcrun_mark over" ]]; then
    hpcrun_over=1
  fi
  if [[ -n $hpcrun_over ]]; then
    rm -rf -- "$hpcrun_place"
    printf '%s ended %s\n' "$hpcrun_mark" "$hpcrun_status"
  else
    printf '%s ended %s\n' "$hpcrun_mark" "$hpcrun_status"
    hpcrun_await_job
    rm -rf -- "$hpcrun_place"
  fi
}

# Waits for the end of this job, asking seldom and seldomer (1 s to 30 s).
hpcrun_await_job() {
  local wait=10 state
  unset -v "${!SQUEUE_@}"
  while :; do
    state=$(squeue --noheader --format=%T --jobs="$SLURM_JOB_ID" 2>&1)
    case $state in
      '' | *'Invalid job id'* | COMPLET* | CANCELLED | FAILED | TIMEOUT | PENDING | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | BOOT_FAIL | DEADLINE | REQUEUE*)
        return
        ;;
      *) ;; # it runs, or Slurm does not answer
    esac
    sleep "$((wait / 10)).$((wait % 10))"
    wait=$((wait * 12 / 10 < 300 ? wait * 12 / 10 : 300))
  done
}

# hpcrun_clear DIRECTORY NAMESPACE STATUS: ends what is left of a container, by its user namespace (a
# descriptor, empty if there is none), whose runtime ended with STATUS.
hpcrun_clear() {
  local inode process step pid stat
  local -A steps=() ended=()
  if [[ -n $2 && ! /proc/self/fd/$2 -ef /proc/self/ns/user ]]; then
    while read -r _ step _ _ pid _; do
      steps[$pid]=$step
    done < <(tail -n +2 -- "$1/ranks")
    {
      read -r inode _
      while read -r stat process; do
        pid=${process#/proc/} pid=${pid%%/*}
        if [[ $stat == "$inode" ]] && kill -s KILL "$pid" && [[ -n ${steps[$pid]-} ]]; then
          ended[${steps[$pid]}]=1
        fi
      done
    } < <(stat -L -c '%i %n' "/proc/self/fd/$2" /proc/[0-9]*/ns/user)
    for step in "${!ended[@]}"; do
      scancel --signal=KILL "$SLURM_JOB_ID.$step"
    done
  fi
  # A runtime that was killed leaves its FUSE process, which is in this session.
  if (($3 > 128)); then
    for process in /proc/[0-9]*; do
      if [[ -O $process && $process != "/proc/$$" ]] && read -r stat <"$process/stat" &&
        [[ ${stat##*) } =~ ^.\ [0-9]+\ [0-9]+\ $$\  ]]; then
        kill -s KILL "${process#/proc/}"
      fi
    done
  fi
}

# hpcrun_start_keeper DIRECTORY [RUNTIME WORD…]. The keeper ends when hpcrun_alive is closed; what it
# and the runtime say comes from hpcrun_said.
hpcrun_start_keeper() {
  local hpcrun_their_end hpcrun_their_said hpcrun_place=$1
  hpcrun_pipe
  hpcrun_their_end=$hpcrun_read_end hpcrun_alive=$hpcrun_write_end
  hpcrun_pipe
  hpcrun_their_said=$hpcrun_write_end hpcrun_said=$hpcrun_read_end
  shift
  (
    hpcrun_choose_environment
    exec setsid --fork bash -p -c "$(declare -f hpcrun_keep hpcrun_clear hpcrun_await_job)"$'\nhpcrun_keep "$@"' \
      hpcrun-keeper "$hpcrun_place" "$hpcrun_token" "$@" <&"$hpcrun_their_end" >&"$hpcrun_their_said" 2>/dev/null \
      {hpcrun_alive}>&- {hpcrun_said}<&- {hpcrun_their_end}<&- {hpcrun_their_said}>&-
  )
  exec {hpcrun_their_end}<&- {hpcrun_their_said}>&-
}

# Waits for the holder. Sets hpcrun_holder to its process id, or to nothing, and hpcrun_reason to what
# the runtime said.
hpcrun_await_holder() {
  local line code=0
  hpcrun_holder='' hpcrun_mounters=() hpcrun_reason=''
  # Longer than Apptainer's own limits: it waits 10 s for FUSE and 60 s for %environment.
  while IFS= read -r -t 120 -u "$hpcrun_said" line || ! code=$?; do
    line=${line//$'\e['?m/} line=${line//$'\e['??m/} # it colours some lines even where nobody sees it
    case $line in
      "$hpcrun_token ended "*)
        hpcrun_reason=${hpcrun_reason:-the container runtime ended with code ${line##* } and said nothing}
        exec {hpcrun_alive}>&- {hpcrun_said}<&-
        hpcrun_alive=''
        return 1
        ;;
      "$hpcrun_token holder "*)
        line=${line#"$hpcrun_token holder "}
        hpcrun_holder=${line%% *}
        line=${line##*) } line=${line#* }
        hpcrun_find_mounters "${line%% *}"
        return 0
        ;;
      *Converting\ SIF*) hpcrun_note remark 0 'the image is unpacked, not mounted: no squashfuse or no /dev/fuse' ;;
      INFO:* | '') ;;
      WARNING:*) hpcrun_note remark 0 "${line#WARNING: }" ;;
      ERROR* | FATAL*)
        line=${line#*:}
        hpcrun_reason+=${hpcrun_reason:+; }${line#"${line%%[! ]*}"}
        ;;
      *) hpcrun_reason+=${hpcrun_reason:+; }$line ;;
    esac
  done
  if ((code > 128)); then
    hpcrun_reason='the container was not there after 120 s'
  else
    hpcrun_reason=${hpcrun_reason:-the container was ended before it was there}
  fi
  exec {hpcrun_alive}>&-
  hpcrun_alive=''
  return 1
}

# hpcrun_find_mounters RUNTIME: the runtime's other children, which are its FUSE processes, in
# hpcrun_mounters. Without one of them the holder lives on, but the image is gone.
hpcrun_find_mounters() {
  local file child
  local -a children
  hpcrun_mounters=()
  for file in "/proc/$1/task/"*/children; do
    children=()
    { read -r -a children <"$file"; } 2>/dev/null
    for child in "${children[@]+"${children[@]}"}"; do
      [[ $child == "$hpcrun_holder" ]] || hpcrun_mounters+=("$child")
    done
  done
}

# Closes the node's container and waits until nothing of it is left.
hpcrun_release() {
  local line
  [[ -n ${hpcrun_alive-} ]] || return 0
  hpcrun_holder=''
  { printf '%s over\n' "$hpcrun_token" >&"$hpcrun_alive"; } 2>/dev/null
  exec {hpcrun_alive}>&-
  hpcrun_alive=''
  while IFS= read -r -t 20 -u "$hpcrun_said" line; do
    case $line in
      "$hpcrun_token ended "*) break ;;
      INFO:* | '') ;;
      *) hpcrun_say "on $hpcrun_node: $line" ;;
    esac
  done
  exec {hpcrun_said}<&-
}

# hpcrun_changes PROC: what the runtime and the image changed in the environment that the holder was
# given, as words in hpcrun_changed: set=NAME=VALUE, take=NAME. Ranks apply this to their
# own environment, which Slurm made. Values of hpcrun_given they have themselves; they may be secret, and are not
# written down.
hpcrun_changes() {
  local word name value
  local -A before=() after=()
  hpcrun_changed=()
  while IFS= read -r -d '' word; do
    [[ $word == =* ]] || before[${word%%=*}]=${word#*=}
  done < <(hpcrun_choose_environment && exec env -0)
  while IFS= read -r -d '' word; do
    [[ $word == =* ]] || after[${word%%=*}]=${word#*=}
  done <"$1/environ"
  for name in "${!after[@]}"; do
    value=${after[$name]}
    case $name in
      _ | SHLVL) continue ;;
      PATH | *PEND_PATH | LD_LIBRARY_PATH | *PEND_LD_LIBRARY_PATH) ;; # these are combined with others
      *) [[ ${hpcrun_given- } != *" $name "* ]] || continue ;;
    esac
    if [[ -n ${before[$name]+set} ]]; then
      # Apptainer turns bytes that are not UTF-8 into U+FFFD; the rank has the right ones.
      [[ ${before[$name]} != "$value" && ($value != *$'\xef\xbf\xbd'* || ${before[$name]} == *$'\xef\xbf\xbd'*) ]] ||
        continue
    fi
    hpcrun_changed+=("set=$name=$value")
  done
  for name in "${!before[@]}"; do
    case $name in
      _) continue ;;
    esac
    [[ -n ${after[$name]+set} ]] || hpcrun_changed+=("take=$name")
  done
}

# hpcrun_find_way PROC: how the holder is joined, in hpcrun_way, as words of the file "enter" (see
# hpcrun_write_enter). Fails with a hpcrun_reason.
hpcrun_find_way() {
  if ! hash setpriv nsenter 2>/dev/null; then
    hpcrun_reason='nsenter or setpriv of util-linux is missing'
    return 1
  fi
  hpcrun_way=()
  if [[ ! $1/ns/user -ef /proc/self/ns/user ]]; then
    hpcrun_way+=("user=$1/ns/user")
  elif ((EUID != 0)); then
    hpcrun_reason='the runtime works with setuid and made no user namespace, so its container cannot be joined'
    return 1
  fi
  hpcrun_way+=("mount=$1/ns/mnt")
  # fuse-overlayfs (--writable-tmpfs) lets nobody in from outside its user namespace. The root of
  # Apptainer's mount namespace is the container's then, and the directory is gone to afterwards.
  if [[ -d $1/root/. ]]; then
    hpcrun_way+=("root=$1/root")
  fi
  if [[ -d $1/cwd/. ]]; then
    hpcrun_way+=("wd=$1/cwd")
  else
    hpcrun_way+=("chdir=$(readlink "$1/cwd")")
  fi
}

# hpcrun_join_words WORD…: the words that join a container, in hpcrun_join, from those of the file
# "enter". Apptainer sets no_new_privs, which joining a namespace does not. These are the node's
# programs: the PATH is the container's by the time they are used.
hpcrun_join_words() {
  local hpcrun_word
  hash setpriv nsenter || return 1
  hpcrun_join=("${BASH_CMDS[setpriv]}" --no-new-privs "${BASH_CMDS[nsenter]}" --preserve-credentials)
  for hpcrun_word in "$@"; do
    case $hpcrun_word in
      user=* | mount=* | root=* | wd=*) hpcrun_join+=("--$hpcrun_word") ;;
      *) ;;
    esac
  done
  hpcrun_join+=(--)
}

# hpcrun_hold IMAGE OPTION…: starts the holder and tries to join it. Fails with a hpcrun_reason; 2 if
# the container itself cannot be had.
hpcrun_hold() {
  local image=$1 said token
  shift
  if ! type -P setsid >/dev/null || ! hpcrun_open_tools; then
    hpcrun_reason='setsid of util-linux, or env and cat of coreutils with their libraries, cannot be used'
    return 1
  fi
  hpcrun_run_tool "$hpcrun_cat" /proc/self
  # cat prints the token, then its own entry of /proc, which begins with its process id, then waits for
  # the end.
  exec {token}< <(printf '%s\n' "$hpcrun_token")
  hpcrun_start_keeper "$hpcrun_directory" "$hpcrun_runtime" exec "$@" "$image" \
    "${hpcrun_words[@]}" "/proc/self/fd/$token" /proc/self/stat -
  exec {token}<&-
  if ! hpcrun_await_holder; then
    [[ $hpcrun_reason != *' fuse: '* ]] ||
      hpcrun_reason+='; ask the administrators to load the module fuse and let users open /dev/fuse'
    return 2
  fi
  hpcrun_find_way "/proc/$hpcrun_holder" || return 1
  hpcrun_join_words "${hpcrun_way[@]}"
  hpcrun_run_tool "$hpcrun_env" "/proc/$hpcrun_holder"
  hpcrun_time probe_begin
  if ! said=$("${hpcrun_join[@]}" "${hpcrun_words[@]}" 2>&1 >/dev/null); then
    hpcrun_reason="its container cannot be joined: $said"
    return 1
  fi
  hpcrun_time probe_end
  hpcrun_changes "/proc/$hpcrun_holder"
}

# hpcrun_write_enter MODE IMAGE: what a rank needs to know of its node, as words that end in NUL: the
# mode, the image; then for join
#   user=FILE mount=FILE             the namespaces to join
#   root=DIRECTORY wd=DIRECTORY      root and working directory, opened before joining
#   chdir=DIRECTORY                  the working directory, gone to after joining
#   tool=WORD…                       the node's env in the container
#   set=NAME=VALUE take=NAME         what changes in the environment
# and, where there are GPUs or network adapters, for each mode
#   gpus=hpcrun|slurm                who divides the GPUs of a node among its ranks; with -amd behind it if they are AMD's
#   near=GPU DEVICE:PORT             the port that is nearest to a GPU
#   gid=INDEX                        the GID to use, the same for all ports
#   hca==PORTS                       the ports of the fabric, where there are others that are for something else
#   net=PORTS                        the same, for UCX, where the user says which fabric is meant
#   bind=FILE                        a device file, for ranks that start a container each
#   alone=NAME=VALUE                 a variable of such ranks, unless it is set
hpcrun_write_enter() {
  local -a words=("$1" "$2")
  if [[ $1 == join ]]; then
    words+=("${hpcrun_way[@]}" "${hpcrun_words[@]/#/tool=}" "${hpcrun_changed[@]+"${hpcrun_changed[@]}"}")
  fi
  words+=("${hpcrun_mapped[@]+"${hpcrun_mapped[@]}"}")
  { (umask 077 && printf '%s\0' "${words[@]}" >"$hpcrun_directory/enter"); } 2>/dev/null
}

# Puts hpcrun-enter, the program that takes the ranks in, into the node directory and tries it; as a
# link where programs of /tmp cannot be executed. Fails with a REPLY: then the shell takes them in.
hpcrun_place_program() {
  local place program=$hpcrun_directory/hpcrun-enter digest
  for place in 'install -m 500 --' 'ln -sf --'; do
    # The loader may complain of what the user preloads.
    if ! REPLY=$($place "$hpcrun_program" "$program" 2>&1) || ! digest=$(sha256sum 2>/dev/null <"$program"); then
      REPLY=${REPLY:-"$program cannot be read"}
      return 1
    elif [[ ${digest%% *} != "${hpcrun_program##*-}" ]]; then
      REPLY="$hpcrun_program was changed"
      return 1
    elif REPLY=$("$program" "=$hpcrun_directory" =- "${hpcrun_words[@]/#/=}" 2>&1 >/dev/null); then
      return 0
    fi
  done
  REPLY=${REPLY##*$'\n'}
  return 1
}

# hpcrun_enter NODE_DIRECTORY BARE_NODES LAUNCH OPTIONS [OPTION…] IMAGE COMMAND…
# A rank. LAUNCH is the launch's number in the job, OPTIONS says how many options follow; nodes of
# BARE_NODES have no node directory. Variables for the application come as HPCRUN_ENV_NAME, out of
# other users' sight. Each word has an = before it, because srun would take a word that is just a
# colon for the next part of a heterogeneous job. Where hpcrun-enter can be executed on all nodes and
# all are joined, it does the same (hpcrun-enter.c). exec: the application (or Apptainer) is the Slurm
# task itself, so that signals and exit codes work as they do without a container. All names begin
# with hpcrun_, since a local name would hide a variable of the application.
hpcrun_enter() {
  local hpcrun_began hpcrun_directory hpcrun_bare hpcrun_number hpcrun_how=exec hpcrun_image
  local hpcrun_word hpcrun_name hpcrun_count hpcrun_runtime hpcrun_reply=${REPLY-}
  local hpcrun_options=0
  local -a hpcrun_here=() hpcrun_container hpcrun_before hpcrun_join hpcrun_tool=() hpcrun_late=()
  hpcrun_now
  hpcrun_began=$REPLY
  hpcrun_restore_locale
  set -- "${@#=}"
  hpcrun_directory=$1 hpcrun_bare=$2 hpcrun_number=$3 hpcrun_count=$4
  shift 4
  hpcrun_container=("${@:1:hpcrun_count}")
  shift "$hpcrun_count"
  hpcrun_image=$1
  shift
  if [[ ,$hpcrun_bare != *,"${SLURMD_NODENAME:-$HOSTNAME}",* ]]; then
    { mapfile -d '' -t hpcrun_here <"$hpcrun_directory/enter"; } 2>/dev/null
    if ((${#hpcrun_here[@]} < 2)); then
      printf 'hpcrun: rank %s on %s cannot enter: the agent of this node and its container are gone\n' \
        "$SLURM_PROCID" "${SLURMD_NODENAME:-$HOSTNAME}" >&2
      exit 1
    fi
    hpcrun_how=${hpcrun_here[0]} hpcrun_image=${hpcrun_here[1]}
  fi
  if [[ $hpcrun_how == join ]]; then
    hpcrun_join_words "${hpcrun_here[@]:2}" || exit 127
    hpcrun_before=("${hpcrun_join[@]}")
    # Values of --env, as they are; the holder's have been through JSON.
    for hpcrun_word in "${!HPCRUN_ENV_@}"; do
      case ${hpcrun_word#HPCRUN_ENV_} in
        # These Apptainer combines with what it sets itself.
        PATH | *PEND_PATH | LD_LIBRARY_PATH | *PEND_LD_LIBRARY_PATH) ;;
        *) hpcrun_here+=("set=${hpcrun_word#HPCRUN_ENV_}=${!hpcrun_word}") ;;
      esac
      unset -v "$hpcrun_word"
    done
    # A name that bash does not take, or a locale that only the image has, is no reason to speak.
    for hpcrun_word in "${hpcrun_here[@]:2}"; do
      case $hpcrun_word in
        take=*) unset -v "${hpcrun_word#*=}" ;;
        chdir=*) hpcrun_late=("--$hpcrun_word") hpcrun_options=1 ;;
        tool=*) hpcrun_tool+=("${hpcrun_word#*=}") ;;
        # The node's own programs must not load the container's libraries.
        set=LD_LIBRARY_PATH=/.singularity.d/libs) export "${hpcrun_word#*=}" ;;
        set=LD_*) hpcrun_late+=("${hpcrun_word#*=}") ;;
        set=*) export "${hpcrun_word#*=}" ;;
        *) ;;
      esac
    done 2>/dev/null
    if ((${#hpcrun_late[@]})); then
      hpcrun_before+=("${hpcrun_tool[@]}")
      for hpcrun_word in "${!LD_@}"; do # the rank's own; what follows wins
        hpcrun_late=("${hpcrun_late[@]:0:hpcrun_options}" "$hpcrun_word=${!hpcrun_word}" "${hpcrun_late[@]:hpcrun_options}")
        unset -v "$hpcrun_word"
      done
      hpcrun_before+=("${hpcrun_late[@]}")
      if [[ $1 == *=* ]]; then # env would take it for a variable
        printf 'hpcrun: a command with = in its name cannot be run with %s\n' "${hpcrun_late[*]}" >&2
        exit 126
      fi
    fi
  else
    hpcrun_find_runtime || exit 127
    hpcrun_runtime=$REPLY
    hpcrun_pass_environment
    for hpcrun_word in "${!HPCRUN_ALONE_@}"; do
      hpcrun_name=${hpcrun_word#HPCRUN_ALONE_}
      [[ $hpcrun_how != exec || -n ${!hpcrun_name+set} ]] || export "$hpcrun_name=${!hpcrun_word}"
    done
    # The PMIx server's directory is under SlurmdSpoolDir, which a container does not see.
    if [[ -n ${PMIX_SERVER_TMPDIR-} && -d $PMIX_SERVER_TMPDIR && $PMIX_SERVER_TMPDIR != *[:,\"]* ]]; then
      hpcrun_container+=(--bind "$PMIX_SERVER_TMPDIR")
    fi
    hpcrun_before=("$hpcrun_runtime" --quiet exec)
    for hpcrun_word in "${hpcrun_here[@]:2}"; do
      case $hpcrun_word in
        bind=*) hpcrun_container+=(--bind "${hpcrun_word#bind=}") ;;
        alone=*)
          hpcrun_word=${hpcrun_word#alone=} hpcrun_name=${hpcrun_word%%=*}
          [[ -n ${!hpcrun_name+set} ]] || export "$hpcrun_name=${hpcrun_word#*=}"
          ;;
        *) ;;
      esac
    done
    if [[ $hpcrun_how == sharens ]]; then
      # Its instance file would go to the home directory that all nodes share.
      export APPTAINER_CONFIGDIR=$hpcrun_directory/apptainer
      hpcrun_before+=(--sharens)
    fi
    hpcrun_before+=("${hpcrun_container[@]}" "$hpcrun_image")
  fi
  unset -v "${!HPCRUN_ALONE_@}"
  hpcrun_bind_devices "${hpcrun_here[@]:2}"
  unset -v HPCRUN_GPUS
  hpcrun_now
  hpcrun_word=$REPLY REPLY=$hpcrun_reply # the user's own, if there is one
  # $$ stays the task's process id.
  if [[ ,$hpcrun_bare != *,"${SLURMD_NODENAME:-$HOSTNAME}",* ]]; then
    { printf '%s %s %s %s %s %s %s\n' "$hpcrun_number" "$SLURM_STEP_ID" "$SLURM_PROCID" \
      "$SLURM_LOCALID" "$$" "$hpcrun_began" "$hpcrun_word" >>"$hpcrun_directory/ranks"; } 2>/dev/null
  fi
  exec "${hpcrun_before[@]}" "$@"
}
