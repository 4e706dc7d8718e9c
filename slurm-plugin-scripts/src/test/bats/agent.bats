#!/usr/bin/env bats
# The node agent's functions, each by itself. Its behaviour in real jobs is tested on the lab.

setup() {
  # shellcheck source=/dev/null
  source "$BATS_TEST_DIRNAME/../../main/resources/io/hpcrun/agent/agent.bash"
  cd "$BATS_TEST_TMPDIR" || return 1
  export SLURMD_NODENAME=c1
}

@test "the time is in nanoseconds and moves forward" {
  hpcrun_now
  local first=$REPLY
  [[ $first =~ ^[0-9]{19}$ ]]
  hpcrun_now
  ((REPLY >= first))
}

@test "the time does not depend on the locale's decimal point" {
  # de_DE writes 1,5; bash then puts a comma into EPOCHREALTIME.
  unset EPOCHREALTIME
  EPOCHREALTIME=1795229323,947888
  hpcrun_now
  [[ $REPLY == 1795229323947888000 ]]
}

@test "the time comes from date where bash cannot tell it" {
  unset EPOCHREALTIME
  hpcrun_now
  [[ $REPLY =~ ^[0-9]{19}$ ]]
}

@test "a record appears whole and readable only by its owner" {
  hpcrun_write_record r.jsonl $'{"a":1}\n'
  [[ $(<r.jsonl) == '{"a":1}' ]]
  [[ $(stat -c %a r.jsonl) == 600 ]]
  [[ $(ls) == r.jsonl ]]
}

@test "a record that cannot be written leaves nothing and says nothing" {
  run hpcrun_write_record no/such/directory/r.jsonl text
  [[ $status -eq 1 && -z $output ]]
}

@test "a record on a full file system leaves nothing" {
  mkdir full
  # shellcheck disable=SC2016 # expanded by the inner bash
  run unshare --map-root-user --mount bash -c "$(declare -f hpcrun_write_record)"'
    mount -t tmpfs -o size=4k tmpfs full || exit 99
    head -c 100000 /dev/zero >full/filler 2>/dev/null
    printf -v text "%10000s" x
    hpcrun_write_record full/r.jsonl "$text"
    echo "$? $(ls full)"'
  [[ $output == "1 filler" ]]
}

@test "an image's problem is named" {
  hpcrun_image_problem "$PWD/none.sif"
  [[ $REPLY == *"is not there"* ]]
  : >there.sif
  hpcrun_image_problem "$PWD/there.sif"
  [[ -z $REPLY ]]
}

@test "an agent without a runtime says unfit" {
  local bash=$BASH
  run env PATH=/nonexistent SLURMD_NODENAME=c1 "$bash" -c "$(declare -f); hpcrun_agent \"\$@\"" \
    x "$PWD/node" /none "$PWD/rec" 1.0.0
  [[ $status -eq 0 ]]
  [[ $output == $'unfit\tc1\t3\tneither apptainer nor singularity'* ]]
}

@test "an agent notes the ranks' ends and writes the node's record" {
  mkdir bin
  printf '#!/bin/sh\n' >bin/apptainer
  chmod +x bin/apptainer
  : >image
  sleep 60 &
  local long=$!
  sleep 0.3 &
  local short=$!
  mkfifo alive
  PATH=$PWD/bin:$PATH hpcrun_agent "$PWD/node" "$PWD/image" "$PWD/rec" 1.0.0 <alive >notes &
  local agent=$!
  exec 7>alive
  for _ in {1..50}; do
    [[ ! -s node/ranks ]] || break
    sleep 0.1
  done
  printf '5 1 %s 100 200\n4 0 %s 110 210\n' "$long" "$short" >>node/ranks
  wait "$short" || true
  sleep 0.5
  exec 7>&-
  wait "$agent"
  kill "$long"
  [[ $(<notes) == $'ready\tc1\t0\t' ]]
  [[ ! -e node ]]
  run cat rec.node.c1.jsonl
  [[ ${lines[0]} == '{"schema":"hpcrun.record/1","type":"node","launch":"1.0.0","node":"c1","ranks":2,"check_begin_ns":'* ]]
  [[ ${lines[1]} =~ ^\{\"type\":\"rank\",\"rank\":4,\"local\":0,\"begin_ns\":110,\"exec_ns\":210,\"end_ns\":[0-9]{19}\}$ ]]
  # The long one still ran when the launch was over.
  [[ ${lines[2]} == '{"type":"rank","rank":5,"local":1,"begin_ns":100,"exec_ns":200}' ]]
}

@test "a node directory that is already there is left alone" {
  mkdir bin node
  printf '#!/bin/sh\n' >bin/apptainer
  chmod +x bin/apptainer
  : >image
  : >node/other
  PATH=$PWD/bin:$PATH run hpcrun_agent "$PWD/node" "$PWD/image" "$PWD/rec" 1.0.0 </dev/null
  [[ $output == *"ranks are not timed"* ]]
  [[ -e node/other ]]
}

@test "each text of the nodes is said once, with its nodes" {
  export SLURM_JOB_NUM_NODES=3
  run hpcrun_await_agents <<<$'unfit\tc1\t5\tno image\nuntimed\tc3\t0\tslow\nready\tc3\t0\t\nunfit\tc2\t5\tno image'
  [[ $status -eq 5 ]]
  [[ ${lines[0]} == "hpcrun: refused before any rank started: on c1,c2 no image" ]]
  [[ ${lines[1]} == "hpcrun: on c3 slow" ]]
}

@test "a node that does not answer is a refusal" {
  export SLURM_JOB_NUM_NODES=2
  run hpcrun_await_agents <<<$'ready\tc1\t0\t'
  [[ $status -eq 3 ]]
  [[ $output == *"only 1 of 2 nodes"* ]]
}

@test "a rank becomes the runtime with its arguments and variables unchanged" {
  mkdir bin
  cat >bin/apptainer <<'X'
#!/bin/bash
printf '<%s>' "$@" "$APPTAINERENV_A" "$$"
X
  chmod +x bin/apptainer
  export SLURM_PROCID=3 SLURM_LOCALID=1
  mkdir node
  echo 1.0.0 0 >node/ranks
  # shellcheck disable=SC2016 # expanded by the inner bash
  run env PATH="$PWD/bin:$PATH" HPCRUN_ENV_A=$'$(id)\n`x`' SHELLOPTS=errexit:nounset:noglob \
    bash -c "$(declare -f); hpcrun_enter \"\$@\"" x "=$PWD/node" =c2, =2 =--bind '=/a b' =/image.sif =app = =-n $'=a\nb' '=*' =: ==x
  local pid
  { read -r && read -r _ _ pid _; } <node/ranks
  [[ $output == "<--quiet><exec><--bind></a b></image.sif><app><><-n><a"$'\n'"b><*><:><=x><\$(id)"$'\n'"\`x\`><$pid>" ]]
}

@test "a rank of a node that is not timed writes nothing" {
  mkdir bin node
  printf '#!/bin/sh\n' >bin/apptainer
  chmod +x bin/apptainer
  echo 1.0.0 0 >node/ranks
  export SLURM_PROCID=3 SLURM_LOCALID=1
  # shellcheck disable=SC2016 # expanded by the inner bash
  run env PATH="$PWD/bin:$PATH" bash -c "$(declare -f); hpcrun_enter \"\$@\"" x "=$PWD/node" \
    =c2,c1, =0 =/image.sif =app
  [[ $status -eq 0 && $(<node/ranks) == "1.0.0 0" ]]
}

@test "node directories of killed agents are swept, those of others and of the living are not" {
  local dead=/tmp/hpcrun.bats.$$.dead living=/tmp/hpcrun.bats.$$.living foreign=/tmp/hpcrun.bats.$$.foreign
  mkdir "$dead" "$living" "$foreign"
  sh -c 'echo "1.0.0 $$"' >"$dead/ranks"
  echo "1.0.0 $$" >"$living/ranks"
  cp "$dead/ranks" "$foreign/ranks"
  chown 12345 "$foreign" 2>/dev/null || rm "$foreign/ranks"
  hpcrun_sweep
  local left
  left=$(ls -d /tmp/hpcrun.bats.$$.*)
  rm -rf "$living" "$foreign"
  [[ $left == "$foreign"$'\n'"$living" ]]
}

@test "an agent outlives the signals that are for the ranks" {
  mkdir bin
  printf '#!/bin/sh\n' >bin/apptainer
  chmod +x bin/apptainer
  : >image
  mkfifo alive
  PATH=$PWD/bin:$PATH hpcrun_agent "$PWD/node" "$PWD/image" "$PWD/rec" 1.0.0 <alive >notes &
  local agent=$!
  exec 7>alive
  for _ in {1..50}; do
    [[ ! -s notes ]] || break
    sleep 0.1
  done
  for signal in HUP INT QUIT USR1 USR2 ALRM TERM XCPU; do
    kill -s "$signal" "$agent"
    sleep 0.05
  done
  exec 7>&-
  wait "$agent" || true
  [[ -f rec.node.c1.jsonl && ! -e node ]]
}

@test "job times are read from scontrol's answer" {
  local -A hpcrun_times=()
  unset SLURM_JOB_START_TIME
  hpcrun_read_job_times <<<$'JobId=1 JobName=SubmitTime=9\n   SubmitTime=100 EligibleTime=101\n   StartTime=Unknown EndTime=5'
  [[ ${hpcrun_times[submit_s]} == 100 && ${hpcrun_times[eligible_s]} == 101 ]]
  [[ -z ${hpcrun_times[start_s]-} ]]
}
