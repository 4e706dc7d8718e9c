# The world-size guard: MPI ranks that nothing wires are MPI jobs of their own, each of them rank 0 of 1,
# and compute the same N times. This is seen from outside, with nothing in the image: the memory of
# rank 0, or what it has made, says whether MPI is initialised, and its sockets say whether it has met
# Slurm's PMIx server. One agent looks, at one process, a few times.
#
# hpcrun_guard holds words FIRST:LAST:OFFSET:CONTACT:NAME:PATH, one for each MPI library that may not be
# wired. PATH is the file (in the image), OFFSET where it keeps the state of MPI, an int, which is between
# FIRST and LAST while MPI is initialised; with - for OFFSET only what MPI_Init makes can tell. CONTACT
# is never (it does not speak what Slurm speaks) or pmix.

# hpcrun_guard_first PID STEP: rank 0 of a step has begun. It is looked at after 3 s.
hpcrun_guard_first() {
  hpcrun_first=''
  if [[ "${hpcrun_guard[*]-}" =~ :(never|pmix): ]]; then
    hpcrun_first=$1 hpcrun_first_step=$2 hpcrun_suspected=''
    hpcrun_guard_began=$SECONDS hpcrun_guard_next=$((SECONDS + 3))
  fi
}

# Looks at rank 0 and what it started; ends the step if it is alone twice, two seconds apart. Looks
# again ever more seldom, until it is wired or gone.
hpcrun_guard_look() {
  local i pid name file
  local -a pids=("$hpcrun_first") children
  hpcrun_guard_next=$((SECONDS + (SECONDS - hpcrun_guard_began) / 2))
  ((hpcrun_guard_next <= SECONDS + 60)) || hpcrun_guard_next=$((SECONDS + 60))
  for ((i = 0; i < ${#pids[@]} && i < 16; i++)); do
    pid=${pids[i]}
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    case $name in # these wire their ranks themselves
      mpirun* | mpiexec* | orterun | orted | prte* | oshrun | hydra_* | srun) continue ;;
      *) ;;
    esac
    hpcrun_guard_process "$pid"
    case $? in
      0)
        hpcrun_first=''
        return
        ;;
      1)
        if [[ $hpcrun_suspected == "$pid" ]]; then
          hpcrun_first=''
          name="without Slurm's --mpi=$hpcrun_mpi"
          [[ $hpcrun_mpi != none ]] || name='with --mpi=none'
          hpcrun_say "rank 0 of $hpcrun_guard_ranks on $hpcrun_node is an MPI job of its own: $REPLY, initialised $name; the launch is ended"
          hpcrun_say "what to do: 'hpcrun explain' says what fits the image; if each rank is meant to be alone: --singletons; if only this process: --no-guard"
          hpcrun_note alone 3 ''
          scancel --signal=KILL "$SLURM_JOB_ID.$hpcrun_first_step"
        else
          hpcrun_suspected=$pid hpcrun_guard_next=$((SECONDS + 2))
        fi
        return
        ;;
      *) ;;
    esac
    for file in "/proc/$pid/task/"*/children; do
      children=()
      { read -r -a children <"$file"; } 2>/dev/null
      pids+=("${children[@]+"${children[@]}"}")
    done
  done
}

# hpcrun_guard_process PID: 0 if MPI is initialised there and wired, or its step has one rank, 1 if it is alone (REPLY
# is the library), 2 if MPI is not initialised or this cannot be told. hpcrun_guard_ranks is the number of ranks,
# hpcrun_guard_nodes of their nodes; hpcrun_guard_whole is not empty if MPI_Init is over, as far as can be told.
hpcrun_guard_process() {
  local range offset file word='' start='' made='' state
  local -a known
  hpcrun_guard_ranks='' hpcrun_guard_nodes='' hpcrun_guard_whole=''
  while read -r range _ offset _ _ file; do
    case $file in
      /dev/shm/mpich_* | /dev/shm/ucx_shm_posix_*) made=1 ;; # by MPICH's MPI_Init
      *.so*)
        [[ -z $start && $offset == 00000000 ]] || continue
        for word in "${hpcrun_guard[@]}"; do
          if [[ $file == *"/${word##*:}" ]]; then
            start=${range%%-*}
            break
          fi
        done
        ;;
      *) ;;
    esac
  done < <(head -n 20000 "/proc/$1/maps" 2>/dev/null) # bash reads /proc itself in small pieces, each made anew
  [[ -n $start ]] || return 2
  while IFS= read -r -d '' range; do
    case $range in
      SLURM_STEP_NUM_TASKS=*) hpcrun_guard_ranks=${range#*=} ;;
      SLURM_STEP_NUM_NODES=*) hpcrun_guard_nodes=${range#*=} ;;
      *) ;;
    esac
  done < <(cat "/proc/$1/environ" 2>/dev/null)
  [[ $hpcrun_guard_ranks =~ ^[0-9]{1,9}$ ]] || return 2
  [[ $hpcrun_guard_nodes =~ ^[0-9]{1,9}$ ]] || hpcrun_guard_nodes=1
  ((hpcrun_guard_ranks > 1)) || return 0
  IFS=: read -r -a known < <(printf '%s\n' "$word")
  REPLY=${known[4]}
  if [[ ${known[2]} == - ]]; then
    [[ -n $made && ${known[3]} != pmix ]] || return 2
    hpcrun_guard_whole=1
    [[ ${known[3]} == any ]]
    return
  fi
  # Reading another process's memory may be forbidden on this node.
  state=$(dd if="/proc/$1/mem" bs=4 count=1 iflag=skip_bytes skip="$((16#$start + known[2]))" 2>/dev/null | od -An -td4)
  [[ -n $state ]] && ((state >= known[0] && state <= known[1])) || return 2
  ((state != known[1])) || hpcrun_guard_whole=1
  if [[ ${known[3]} == any ]] || { [[ ${known[3]} == pmix ]] && hpcrun_guard_contact "$1"; }; then
    return 0
  fi
  return 1
}

# hpcrun_guard_contact PID: whether the process is connected to its PMIx server, which listens on this
# node (openpmix, docs/how-things-work/ptl.rst).
hpcrun_guard_contact() {
  local word remote inode port
  local -A ports=() sockets=()
  while IFS= read -r -d '' word; do
    if [[ $word =~ ^PMIX_SERVER_URI[0-9]*=.*tcp[46]://.*:([0-9]+) ]]; then
      printf -v port '%04X' "${BASH_REMATCH[1]}"
      ports[$port]=1
    fi
  done < <(cat "/proc/$1/environ")
  while read -r word; do
    if [[ $word =~ socket:\[([0-9]+)\]$ ]]; then
      sockets[${BASH_REMATCH[1]}]=1
    fi
  done < <(ls -l "/proc/$1/fd")
  while read -r _ _ remote _ _ _ _ _ _ inode _; do
    if [[ -n ${ports[${remote##*:}]-} && -n ${sockets[$inode]-} ]]; then
      return 0
    fi
  done < <(cat "/proc/$1/net/tcp" "/proc/$1/net/tcp6")
  return 1
} 2>/dev/null
