# shellcheck shell=bash
# Runs on the login node: examples/images/mpi-bench.c with two ranks by turns bare and joining hpcrun's
# container, one binary for both, between two nodes and within one; within one also without CMA (^cma) and in a
# container for each rank. Each start shows the best of its repetitions; compared is the value that a tenth of the
# starts reach, since the one best of all is luck (memory that happened to lie well), and the median is what else the
# machine did. Prints all three ratios, and each start as lines of JSON.

# shellcheck disable=SC2154 # figures.bash, which goes before this, sets work
rounds=$1 source=$2
beside=8 # the other sides take part in each eighth round only: they are no part of the ratio
image=hello-openmpi.sif

# ---- within an allocation

# start SIDE
start() {
  case $1 in
    hpcrun*) shipped_launch "$work/mpi-bench" ;;
    apptainer*) srun --mpi=pmix apptainer exec "$image" "$work/mpi-bench" ;;
    *) srun --mpi=pmix "$work/mpi-bench" ;;
  esac
}

# measure SIDE: one run of it.
measure() {
  local code value name
  if [[ $1 != bare && $1 != hpcrun ]] && ((round % beside)); then
    return
  fi
  if [[ $1 == *^cma ]]; then
    export OMPI_MCA_smsc=^cma
  fi
  start "$1" </dev/null >"$work/output" 2>"$work/errors"
  code=$?
  unset -v OMPI_MCA_smsc
  if ((code)); then
    printf 'bench: %s ended with code %d: %s\n' "$1" "$code" "$(tail -n 3 "$work/errors")" >&2
    return
  fi
  while read -r value name; do
    printf '%s|%d|2|%s|%d|%s|0|%s\n' "$what" "$nodes" "$name" "$round" "$1" "$value" >>"$work/rows"
  done <"$work/output"
}

in_allocation() {
  # srun takes them from here, for all sides alike.
  export SLURM_NTASKS=2 SLURM_NTASKS_PER_NODE=$((2 / nodes))
  with_agents take_turns
}

# ---- on the login node

# libraries: those that the binary loads, with their digests, as they are here.
# shellcheck disable=SC2016 # for the shell in the container
libraries='ldd "$1" | awk "/=>/ { print \$3 }" | sort | xargs sha256sum'

# block NAME NODES SIDE…
block() {
  local what=$1 nodes=$2 first=1
  local -a sides=("${@:3}")
  printf 'bench: %s, %s, rounds: %d\n' "$what" "${sides[*]}" "$rounds" >&2
  salloc --quiet --exclusive --nodes="$nodes" --time=30 bash -c "$(declare -f start measure take_turns with_agents \
    in_allocation)
$(declare -p what nodes rounds first beside image sides work)
in_allocation" </dev/null
}

# table NAME NODES SIDE…
table() {
  local block side percent
  local -a percents
  printf '\n%-26s' "$1"
  printf '%13s' "${@:3}" 'hpcrun/bare' 'of the best' 'of medians'
  while IFS= read -r block; do
    [[ $block == "$1|"* ]] || continue
    printf '\n%-26s' "${block##*|}"
    percents=(10 0 50)
    [[ ${block##*|} != MB/s* ]] || percents=(90 100 50)
    for side in "${@:3}"; do
      printf '%13s' "$(figures "$block" "$side" 8 | quantiles 1 3 "${percents[0]}")"
    done
    for percent in "${percents[@]}"; do
      awk -v bare="$(figures "$block" bare 8 | quantiles 1 6 "$percent")" \
        -v joined="$(figures "$block" hpcrun 8 | quantiles 1 6 "$percent")" \
        'BEGIN { if (bare > 0) printf "%13.3f", joined / bare }'
    done
  done < <(blocks)
  printf '\n'
}

mpicc.openmpi -O2 -Wall -Wextra -rdynamic -x c -o "$work/mpi-bench" - <<<"$source"
shipped_script --mpi=pmix "$image" -- "$work/mpi-bench"
bash -c "$libraries" bench "$work/mpi-bench" >"$work/outside"
apptainer --quiet exec "$image" bash -c "$libraries" bench "$work/mpi-bench" >"$work/inside"
between=('between nodes' 2 bare hpcrun)
within=('within a node' 1 bare hpcrun bare^cma hpcrun^cma apptainer)
block "${between[@]}"
block "${within[@]}"
json mpi value
printf 'What a tenth of the starts reach, of %d rounds: us or less, MB/s or more. Libraries of the binary, inside and outside: %d, ' "$rounds" \
  "$(wc -l <"$work/outside")"
if cmp -s "$work/outside" "$work/inside"; then
  printf 'the same.\n'
else
  printf 'not the same:\n'
  diff "$work/outside" "$work/inside" || true
fi
table "${between[@]}"
table "${within[@]}"
