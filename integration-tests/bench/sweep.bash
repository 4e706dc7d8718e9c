# shellcheck shell=bash
# Runs on the login node: submits the jobs of a sweep by turns with a loop of sbatch and with hpcrun.
set -euo pipefail

rounds=$1 jobs=$2
work=$(mktemp -d)
trap 'rm -rf "$work"; scancel --me --state=PENDING' EXIT
cat >"$work/sweep.yaml" <<END
image: $HOME/tiny.sif
mpi: none
hold: true
output: /dev/null
command: [sh, -c, 'echo "\$1"', sh, 'seed \${seed}']
sweep:
  as: jobs
  parameters: {seed: {from: 1, to: $jobs}}
END

# The very scripts, one file for each job.
mkdir "$work/bin" "$work/scripts"
cat >"$work/bin/sbatch" <<END
#!/bin/bash
script=\$(mktemp '$work/scripts/XXXXXX') && cat >"\$script" && echo 1
END
chmod +x "$work/bin/sbatch"
PATH=$work/bin:$PATH hpcrun submit --parsable "$work/sweep.yaml" >/dev/null
scripts=("$work"/scripts/*)
((${#scripts[@]} == jobs))

run_sbatch() {
  local script
  for script in "${scripts[@]}"; do
    sbatch --parsable <"$script"
  done
}
run_hpcrun() { hpcrun submit --parsable "$work/sweep.yaml"; }

# timed NAME: adds the microseconds that all jobs take to the name's file, and takes them out of the queue again.
timed() {
  local name=$1 from=${EPOCHREALTIME/[!0-9]/} to
  "run_$name" >"$work/ids"
  to=${EPOCHREALTIME/[!0-9]/}
  printf '%d\n' $((to - from)) >>"$work/$name"
  (($(sort -u "$work/ids" | wc -l) == jobs)) || { printf 'bench: %s submitted other than %d jobs\n' "$name" "$jobs" >&2; exit 1; }
  scancel --me --state=PENDING
  while [[ -n $(squeue --me --noheader --states=PENDING) ]]; do sleep 0.2; done
}

for ((round = 0; round < rounds; round++)); do
  if ((round % 2)); then
    timed hpcrun
    timed sbatch
  else
    timed sbatch
    timed hpcrun
  fi
  paste "$work/sbatch" "$work/hpcrun" | tail -n 1 | awk -v jobs="$jobs" -v round="$((round + 1))" \
    '{ printf "round %d: sbatch %.1f jobs/s, hpcrun %.1f jobs/s, ratio %.2f\n", round, jobs * 1e6 / $1, jobs * 1e6 / $2, $1 / $2 }'
done

paste "$work/sbatch" "$work/hpcrun" | awk '{ print $1 / $2 }' | sort -n | awk -v jobs="$jobs" '
  { v[NR] = $1 }
  END {
    median = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
    printf "rate of hpcrun to that of a loop of sbatch, %d jobs: median %.2f (%.2f to %.2f in %d rounds)\n", jobs, median, v[1], v[NR], NR
  }'
