# shellcheck shell=bash
# Goes before a benchmark's own script: what they share. The file "rows" in the directory "work" has a line for each
# result: WHAT|NODES|RANKS|PROGRAM|ROUND|SIDE|EXIT_CODE|FIGURE…; the first four name the block.
# shellcheck disable=SC2154 # first, rounds, sides, image and hertz are the benchmark's own
set -euo pipefail

work=$(mktemp -d "$HOME/bench.XXXXXX") # on the file system that the nodes share
trap 'rm -rf "$work"' EXIT
export HPCRUN_RECORDS=$work/records

# shipped_script OPTION…: writes the job script of hpcrun into the file "hpcrun", and without its last command into
# "functions". --mode=join: no figure is of another way to enter.
shipped_script() {
  hpcrun submit --dry-run --mode=join "$@" >"$work/hpcrun"
  if [[ $(grep -Ecx 'hpcrun_main( .*)?' "$work/hpcrun") != 1 ]]; then
    printf 'bench: hpcrun_main is not a line of the job script any more; this benchmark must follow it\n' >&2
    return 1
  fi
  grep -Evx 'hpcrun_main( .*)?' "$work/hpcrun" >"$work/functions"
}

# with_agents COMMAND…: the whole course of hpcrun's job with the command in the place of the launch, which the
# command can have as shipped_launch PROGRAM…, any number of times.
with_agents() {
  local -a bench_command=("$@")
  # shellcheck source=/dev/null
  source "$work/functions"
  # shellcheck source=/dev/null
  source <(declare -f hpcrun_launch | sed '1s/^hpcrun_launch/shipped_launch/')
  # shellcheck disable=SC2317 # hpcrun_main calls it
  hpcrun_launch() { "${bench_command[@]}"; }
  hpcrun_main
}

# REPLY: the CPU time that all processes of this machine have used so far, in milliseconds.
read_cpu() {
  local user nice system
  read -r _ user nice system _ </proc/stat
  REPLY=$(((user + nice + system) * 1000 / hertz))
}

# REPLY: the memory in use that the kernel cannot simply drop, in KiB. MemAvailable would not do: what ended
# processes had comes back to it within many seconds only.
read_memory() {
  local name value
  REPLY=0
  while read -r name value _; do
    case $name in
      AnonPages: | Shmem: | SUnreclaim: | KernelStack: | PageTables: | Percpu:) REPLY=$((REPLY + value)) ;;
      *) ;;
    esac
  done </proc/meminfo
}

# Prints the most memory in use until standard input ends.
watch_memory() {
  local most=0 status=142
  while ((status > 128)); do
    read -r -t 0.05
    status=$?
    read_memory
    ((REPLY <= most)) || most=$REPLY
  done
  printf '%s\n' "$most"
}

# take_turns: all rounds from the number $first, each with another one of the sides first.
take_turns() {
  local i round
  for ((round = first; round <= rounds; round++)); do
    for ((i = 0; i < ${#sides[@]}; i++)); do
      measure "${sides[(round + i) % ${#sides[@]}]}"
    done
  done
}

# figures BLOCK SIDE FIELD: round and figure of each run that did not fail.
figures() {
  awk -F '|' -v block="$1|" -v side="$2" -v field="$3" \
    'index($0, block) == 1 && $6 == side && $7 == 0 { print $5, $field }' "$work/rows" | sort -k 1,1
}

# quantiles DIVISOR DIGITS PERCENT…: of the second word of each line.
quantiles() {
  sort -n -k 2,2 | awk -v divisor="$1" -v digits="$2" -v percents="${*:3}" '
    { value[NR] = $2 / divisor }
    END {
      n = split(percents, percent, " ")
      for (i = 1; i <= n; i++)
        printf "%9s", NR ? sprintf("%." digits "f", value[int(percent[i] / 100 * (NR - 1) + 1.5)]) : "-"
    }'
}

# ratios BLOCK SIDE SIDE FIELD: the second side's figure divided by the first one's of the same round.
ratios() {
  join <(figures "$1" "$2" "$4") <(figures "$1" "$3" "$4") | awk '$2 > 0 { print $1, $3 / $2 }'
}

# blocks: their names, in order.
blocks() {
  cut -d '|' -f 1-4 "$work/rows" | awk '!seen[$0]++'
}

# json BENCHMARK NAME…: each row as a line of JSON, its figures under these names, after one that says where.
json() {
  printf '{"benchmark":"%s","date":"%s","cores":%d,"slurm":"%s","apptainer":"%s","hpcrun":"%s","image":"%s"}\n' "$1" \
    "$(date -u +%FT%TZ)" "$(nproc)" "$(sinfo --version)" "$(apptainer --version)" "$(hpcrun version)" "$image"
  awk -F '|' -v names="${*:2}" '{
    printf "{\"what\":\"%s\",\"nodes\":%d,\"ranks\":%d,\"program\":\"%s\",\"round\":%d,\"side\":\"%s\",\"exit\":%d",
      $1, $2, $3, $4, $5, $6, $7
    n = split(names, name, " ")
    for (i = 1; i <= n; i++) printf ",\"%s\":%s", name[i], $(i + 7)
    print "}"
  }' "$work/rows"
}
