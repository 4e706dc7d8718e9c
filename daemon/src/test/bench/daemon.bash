#!/usr/bin/env bash
# Measures hpcrund of the distribution on this machine, in a directory of its own: its start and memory, plans and clients
# over its socket, records from its spool. Started by ./bench daemon.
#   daemon.bash HPCRUN_HOME CLASS_PATH SECONDS
set -euo pipefail

home=$1 class_path=$2 seconds=$3
work=$(mktemp -d)
pid=
trap '[[ -z $pid ]] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/run" "$work/spool" "$work/bin"
chmod 755 "$work" "$work/run"
chmod 3733 "$work/spool"
socket=$work/run/hpcrund.sock
cat >"$work/site.yaml" <<END
daemon:
  socket: $socket
  state: $work/state
  spool: $work/spool
  limits: {requests-per-second: 1000000, requests-at-once: 512, requests-at-once-per-user: 1000}
END
# Stand-ins for Slurm's commands: what is measured is the daemon.
printf '#!/bin/sh\necho "SLURM_VERSION = 24.11.5"\necho "MpiDefault = pmix"\necho "ClusterName = lab"\n' >"$work/bin/scontrol"
printf '#!/bin/sh\necho "MPI plugin types are...\n\tnone\n\tpmi2\n\tpmix" >&2\n' >"$work/bin/srun"
chmod +x "$work"/bin/*

exec {never}<> <(:)
milliseconds() { REPLY=$((${EPOCHREALTIME/[!0-9]/} / 1000)); }

# start: starts the daemon; REPLY is how many milliseconds it took until it answered.
start() {
  local began
  milliseconds
  began=$REPLY
  PATH=$work/bin:$PATH "$home/bin/hpcrund" --config="$work/site.yaml" 2>>"$work/log" &
  pid=$!
  until [[ -S $socket ]] && curl -sf --unix-socket "$socket" http://localhost/v1/version >/dev/null; do
    kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    read -r -t 0.002 -u "$never" || true # without a process, which would take a CPU from the daemon
  done
  milliseconds
  REPLY=$((REPLY - began))
}

stop() {
  kill "$pid"
  wait "$pid" || true
  pid=
}

# memory: resident memory of the daemon, in MB.
memory() { REPLY=$(awk '/VmRSS/ { printf "%.0f", $2 * 1024 / 1000000 }' "/proc/$pid/status"); }

bench() { "$JAVA_HOME/bin/java" -Xmx512m -cp "$class_path" io.hpcrun.daemon.bench.DaemonBenchmark "$@"; }

starts=()
for ((i = 0; i < 11; i++)); do
  start
  starts+=("$REPLY")
  ((i == 10)) || stop
done
sleep 5
memory
printf 'start    ms until it answers, 11 starts: %s\n' \
  "$(printf '%s\n' "${starts[@]}" | sort -n | awk '{ v[NR] = $1 } END { print "least " v[1] ", median " v[6] ", most " v[11] }')"
printf 'memory   idle, %s MB resident\n' "$REPLY"

"$JAVA_HOME/bin/java" -cp "$class_path" io.hpcrun.daemon.bench.SampleRequest >"$work/request"
bench plans "$socket" "$work/request" 8 5 >/dev/null # warms up
bench plans "$socket" "$work/request" 8 "$((seconds / 3))"
bench clients "$socket" "$work/request" 500 "$seconds"
bench records "$socket" "$work/spool" 10000 100
bench stages "$socket" 25
memory
printf 'memory   after all this, %s MB resident\n' "$REPLY"
stop
if [[ -s $work/log ]]; then
  sed 's/^/log      /' "$work/log" | grep -v 'INFO' | head -n 20 || true
fi
