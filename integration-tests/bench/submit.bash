# shellcheck shell=bash
# Runs on the login node: submits held jobs by turns with sbatch and with hpcrun, and times the
# parts that hpcrun's time is made of.
set -euo pipefail

runs=$1
arguments=(-N 2 -n 4 --hold -o /dev/null hello-openmpi.sif -- hello-mpi)
work=$(mktemp -d)
trap 'rm -rf "$work"; scancel --me --state=PENDING' EXIT
hpcrun submit --dry-run "${arguments[@]}" >"$work/script"

# timed NAME COMMAND…: adds the microseconds that the command takes to the name's file.
timed() {
  local name=$1 from=${EPOCHREALTIME/[!0-9]/}
  shift
  "$@" >/dev/null
  printf '%d\n' $((${EPOCHREALTIME/[!0-9]/} - from)) >>"$work/$name"
}
run_sbatch() { sbatch --parsable <"$work/script"; }
run_hpcrun() { hpcrun submit --parsable "${arguments[@]}"; }
# Nothing is remembered of image, command and cluster.
run_first() {
  rm -rf "$work/cache"
  XDG_CACHE_HOME=$work/cache run_hpcrun
}

for ((i = 0; i < runs + 2; i++)); do
  timed sbatch run_sbatch
  timed hpcrun run_hpcrun
  timed first run_first
  timed start hpcrun version
  timed config scontrol show config
done

# quantile FILE PERCENT: of all runs but the first two, which warm the caches, in milliseconds.
quantile() {
  tail -n +3 "$work/$1" | sort -n | awk -v p="$2" '
    { v[NR] = $1 }
    END { i = int(p / 100 * (NR - 1) + 1.5); printf "%.1f", v[i] / 1000 }'
}
row() {
  printf '%-38s %8s %8s %8s\n' "$1" "$(quantile "$2" 0)" "$(quantile "$2" 50)" "$(quantile "$2" 95)"
}
printf '%-38s %8s %8s %8s   (%d runs, in turn)\n' 'milliseconds' min median p95 "$runs"
row 'sbatch of the same script' sbatch
row 'hpcrun submit' hpcrun
row '  of it: start of the command' start
row '  of it: scontrol show config' config
paste "$work/sbatch" "$work/hpcrun" | tail -n +3 | awk '{ print 1000 * $2 / $1, ($2 - $1) }' >"$work/pairs"
awk '{ print $1 }' "$work/pairs" >"$work/ratio.0"
awk '{ print $2 }' "$work/pairs" >"$work/added.0"
for name in ratio added; do
  { printf '0\n0\n'; cat "$work/$name.0"; } >"$work/$name"
done
row 'hpcrun submit, for the first time' first
printf 'ratio hpcrun/sbatch: median %s (p5 %s, p95 %s)\n' "$(quantile ratio 50)" "$(quantile ratio 5)" "$(quantile ratio 95)"
printf 'added by hpcrun: median %s ms (p5 %s, p95 %s)\n' "$(quantile added 50)" "$(quantile added 5)" "$(quantile added 95)"
