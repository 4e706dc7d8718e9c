# shellcheck shell=bash
# Runs on the login node: starts the same ranks by turns bare, in a container each (apptainer exec), in
# Apptainer's shared one (--sharens) and through hpcrun's join, a block of rounds in one allocation.
# Batch scripts run here too, by bash, so that they do not queue. Prints tables, and each run as a line of JSON.

# shellcheck disable=SC2154 # figures.bash, which goes before this, sets work
rounds=$1
few=$((rounds < 8 ? rounds : 8))
image=hello-openmpi.sif
sides=(bare apptainer sharens hpcrun)
hertz=$(getconf CLK_TCK)

# ---- within an allocation

# container_of SIDE: the words before the command, in container.
container_of() {
  case $1 in
    apptainer) container=(apptainer exec "$image") ;;
    sharens) container=(apptainer exec --sharens "$image") ;;
    *) container=() ;;
  esac
}

# start SIDE: of a step only the ranks; else all that a batch script of this side does.
start() {
  local -a container
  if [[ $what != step ]]; then
    bash "$work/$1"
  elif [[ $1 == hpcrun ]]; then
    shipped_launch "${program[@]}"
  else
    container_of "$1"
    srun --mpi=none "${container[@]+"${container[@]}"}" "${program[@]}"
  fi
}

# row SIDE EXIT_CODE MICROSECONDS CPU_MILLISECONDS MEMORY_KIB
row() {
  printf '%s|%d|%d|%s|%d|%s|%d|%d|%d|%d\n' "$what" "$nodes" "$ranks" "$label" "$round" "$@" >>"$work/rows"
}

# measure SIDE: one run of it.
measure() {
  local from code took cpu answer alive pid stamp last=0 before=0 most=0
  if [[ $what == memory ]]; then
    sleep 1
    coproc watcher { watch_memory; }
    answer=${watcher[0]} alive=${watcher[1]} pid=$!
    read_memory
    before=$REPLY
  fi
  read_cpu
  cpu=$REPLY from=${EPOCHREALTIME/[!0-9]/}
  start "$1" </dev/null >"$work/output" 2>"$work/errors"
  code=$?
  took=$((${EPOCHREALTIME/[!0-9]/} - from))
  sleep 0.2 # what is cleared away behind the ranks is this side's work, not the next one's
  read_cpu
  cpu=$((REPLY - cpu))
  if [[ $what == memory ]]; then
    exec {alive}>&-
    read -r most <&"$answer"
    wait "$pid"
  fi
  if ((code)) && [[ $1 != sharens ]]; then
    printf 'bench: %s ended with code %d: %s\n' "$1" "$code" "$(tail -n 3 "$work/errors")" >&2
  fi
  ((round)) || return 0 # it warms the caches
  row "$1" "$code" $((took - asleep * 1000000)) "$cpu" $((most - before))
  if [[ $what != memory ]]; then
    while read -r stamp; do
      [[ ! $stamp =~ ^[0-9]+$ ]] || ((stamp <= last)) || last=$stamp
    done <"$work/output"
    what="begun of $what" row "$1" "$code" $((last / 1000 - from)) "$cpu" 0
  fi
  if [[ $what == job && $1 == hpcrun ]]; then
    stages "$took"
  fi
}

# stages MICROSECONDS: what hpcrun's job spent them on, by its record.
stages() {
  local text name prepare launch
  local -A at=()
  text=$(<"$HPCRUN_RECORDS/$SLURM_JOB_ID/$SLURM_JOB_ID.0.0.job.jsonl")
  for name in prepare_asked prepare_done launch_asked launch_done; do
    [[ $text =~ \"${name}_ns\":([0-9]+) ]] || return 0
    at[$name]=$((BASH_REMATCH[1] / 1000))
  done
  prepare=$((at[prepare_done] - at[prepare_asked])) launch=$((at[launch_done] - at[launch_asked]))
  row prepare 0 "$prepare" 0 0
  row launch 0 $((launch - asleep * 1000000)) 0 0
  row rest 0 $(($1 - prepare - launch)) 0 0
}

in_allocation() {
  # srun takes them from here, for all sides alike. The lab's nodes have 32 CPUs and so take 64 ranks.
  export SLURM_NTASKS=$ranks SLURM_NTASKS_PER_NODE=$((ranks / nodes)) SLURM_OVERCOMMIT=1
  if [[ $what == step ]]; then
    # The agents hold the containers meanwhile, idle while other sides have their turns.
    with_agents take_turns
  else
    take_turns
  fi
}

# ---- on the login node

# block WHAT NODES RANKS ROUNDS SLEEP: WHAT is step, job or memory. The ranks tell the time, for it is the same
# clock on all of the lab's nodes, and sleep for SLEEP seconds, which are not counted.
block() {
  local what=$1 nodes=$2 ranks=$3 rounds=$4 asleep=$5 label="date, sleep $5" first=0 side words
  local -a container program=(sh -c "date +%s%N; exec sleep $asleep")
  if ((asleep == 0)); then
    program=(date +%s%N) label=date
  fi
  [[ $what != memory ]] || first=1
  printf 'bench: %s, nodes: %d, ranks: %d, %s, rounds: %d\n' "$what" "$nodes" "$ranks" "$label" "$rounds" >&2
  for side in bare apptainer sharens; do
    container_of "$side"
    printf -v words '%q ' srun --mpi=none "${container[@]+"${container[@]}"}" "${program[@]}"
    printf '#!/bin/bash\n%s\n' "$words" >"$work/$side"
  done
  shipped_script --mpi=none "$image" -- "${program[@]}"
  salloc --quiet --exclusive --nodes="$nodes" --time=30 bash -c "$(declare -f container_of start read_cpu \
    read_memory watch_memory row measure stages take_turns with_agents in_allocation)
$(declare -p what nodes ranks rounds first program label asleep image sides hertz work)
in_allocation" </dev/null
}

# table BLOCK, as it stands at the beginning of its rows.
table() {
  local what nodes ranks command side parts=() field=8 unit=ms divisor=1000
  IFS='|' read -r what nodes ranks command <<<"$1"
  [[ $what != job ]] || parts=(prepare launch rest)
  [[ $what != memory ]] || field=10 unit=MiB divisor=1024
  printf '\n%s, nodes %s, ranks %s: %s, %d rounds\n%-10s' "$what" "$nodes" "$ranks" "$command" \
    "$(awk -F '|' -v block="$1|" 'index($0, block) == 1 { last = $5 } END { print last }' "$work/rows")" "$unit"
  printf '%9s' median min p95 'to bare' p5 p95 'CPU s' failed
  for side in "${sides[@]}" "${parts[@]+"${parts[@]}"}"; do
    printf '\n%-10s' "$side"
    figures "$1" "$side" "$field" | quantiles "$divisor" 1 50 0 95
    [[ " ${sides[*]} " == *" $side "* ]] || continue
    ratios "$1" bare "$side" "$field" | quantiles 1 2 50 5 95
    figures "$1" "$side" 9 | quantiles 1000 2 50
    awk -F '|' -v block="$1|" -v side="$side" '
      index($0, block) == 1 && $6 == side && $7 { failed++ }
      END { printf "%9d", failed }' "$work/rows"
  done
  printf '\n'
}

# Where ranks end at once --sharens fails: the first process is gone before the others join it. So there are blocks
# in which they sleep too.
block step 1 1 "$few" 0
block step 1 8 "$few" 0
block step 1 32 "$rounds" 0
block step 1 64 "$rounds" 0
block step 2 32 "$rounds" 0
block step 1 32 "$few" 1
block job 1 1 "$few" 0
block job 2 32 "$rounds" 1
block memory 1 64 2 6 # longer than the slowest side takes to start them: all live at once
block memory 2 32 2 3
json launch us cpu_ms memory_kib
cat <<'END'
step    from srun of the ranks to its end, without their sleep; hpcrun's containers are held already, as in its
        jobs. Once a rank has ended, Slurm looks for others only every 100 ms (node with 2 ranks or more).
job     a whole batch script, without the ranks' sleep; prepare, launch and rest are parts of hpcrun's
begun   from the same moment until the last rank's program runs
memory  a whole batch script: the most memory in its course (anonymous, shared, and the kernel's that it cannot
        drop) less that before, of the whole machine
CPU s: user, nice and system time of the whole machine, until 0.2 s after the end. Runs that failed are left out.
To bare: the ratio to the same round's run.
END
while IFS= read -r name; do
  table "$name"
done < <(blocks)
