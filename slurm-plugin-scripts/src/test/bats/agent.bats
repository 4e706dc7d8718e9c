#!/usr/bin/env bats
# The node agent's functions, each by itself. Its behaviour in real jobs is tested on the lab.

bats_require_minimum_version 1.5.0

setup() {
  local part
  for part in agent container guard topology binding fabric transport stage; do
    # shellcheck source=/dev/null
    source "$BATS_TEST_DIRNAME/../../main/resources/io/hpcrun/agent/$part.bash"
  done
  cd "$BATS_TEST_TMPDIR" || return 1
  export SLURMD_NODENAME=c1
  hpcrun_node=c1 hpcrun_fabric=auto hpcrun_require=no hpcrun_providers='?' hpcrun_memlock=1048576 hpcrun_gres=no hpcrun_driver=''
  hpcrun_ingest='' hpcrun_cluster=lab hpcrun_begun=1795229323947888000
}

# All of the agent's functions.
functions() {
  local -a names
  mapfile -t names < <(compgen -A function hpcrun_)
  declare -f "${names[@]}"
}

# given_by FUNCTION: what it gives to bash -c, through an srun that prints it.
# shellcheck disable=SC2034 # the agent's functions use them
given_by() {
  local hpcrun_errors=2 hpcrun_nodes=1 hpcrun_nodelist='' hpcrun_gpus=slurm hpcrun_kind=job hpcrun_read_end=9 hpcrun_write_end=9
  local hpcrun_directory=x hpcrun_bare='' hpcrun_number=0 hpcrun_image=x hpcrun_program='' hpcrun_pin='' hpcrun_guard=() hpcrun_mpi=''
  local hpcrun_stage_directory='' hpcrun_stage_limit='' hpcrun_digest='' hpcrun_image_size=''
  local -a hpcrun_container=()
  local -A hpcrun_caller=()
  mkdir -p bin
  printf '%s\n' '#!/bin/bash' 'while [[ $1 != -c ]]; do shift; done' 'printf %s "$2"' >bin/srun
  chmod +x bin/srun
  (PATH=$PWD/bin:$PATH && "$1" x)
}

# functions_in TEXT: those that a shell has with this text, whose last line calls one of them.
functions_in() {
  bash -c "${1%$'\n'*}"$'\ncompgen -A function hpcrun_'
}

# called_from FUNCTION: it, and the agent's functions that are named in it, or in one of those.
called_from() {
  local name word
  local -A seen=()
  local -a next=("$1")
  while ((${#next[@]})); do
    name=${next[0]} next=("${next[@]:1}")
    [[ -z ${seen[$name]-} ]] || continue
    seen[$name]=1
    for word in $(declare -f "$name" | grep -oE '\<hpcrun_[a-z_]+\>'); do
      ! declare -F "$word" >/dev/null || next+=("$word")
    done
  done
  printf '%s\n' "${!seen[@]}" | sort
}

@test "agents get the functions that they may call, and no others, in one argument of a program" {
  local given
  given=$(given_by hpcrun_become_agents)
  [[ $given == 'hpcrun_agent ()'*$'\n''hpcrun_agent "$@"' ]]
  diff <(called_from hpcrun_agent) <(functions_in "$given" | sort)
  ((${#given} < 120000)) # Linux, MAX_ARG_STRLEN: 131072
}

@test "ranks get the functions that they may call, and no others" {
  local given
  given=$(given_by hpcrun_srun_ranks)
  [[ $given == *$'\n''hpcrun_enter "$@"' ]]
  diff <(called_from hpcrun_enter) <(functions_in "$given" | sort)
}

# An agent of the mode that needs no real runtime; its standard input is the caller's.
agent() {
  mkdir -p bin
  printf '#!/bin/sh\necho apptainer version 1.4.5\n' >bin/apptainer
  chmod +x bin/apptainer
  : >image
  PATH=$PWD/bin:$PATH HPCRUN_NODE_DIRECTORY=$PWD/node hpcrun_agent "=$PWD/rec" =0 =exec =none = =shared =part =0 "=$PWD/image" =
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

@test "a launch's record says which launch of all it is" {
  local hpcrun_prefix=$PWD/12.1 hpcrun_number=2 hpcrun_job=12 hpcrun_facts='"mode":"join"'
  local -A hpcrun_seconds=() hpcrun_times=()
  hpcrun_record running ''
  [[ $(<12.1.2.job.jsonl) == '{"schema":"hpcrun.record/1","type":"launch","launch":"12.1.2","job":"12","cluster":"lab","uid":'"$UID"',"begun_ns":1795229323947888000,"state":"running",'* ]]
}

@test "a node's record says which system and which drivers it has" {
  mkdir -p etc proc/sys/kernel sys/module/{nvidia,mlx5_core} sys/class/infiniband/mlx5_{0,1}
  echo 6.1.0-28 >proc/sys/kernel/osrelease
  printf 'NAME="Rocky"\nPRETTY_NAME="Rocky Linux 9.4"\n' >etc/os-release
  printf 'processor\t: 0\nmodel name\t: AMD EPYC "9654"\nmodel name\t: other\n' >proc/cpuinfo
  printf 'MemTotal:       791234567 kB\nMemFree: 2 kB\n' >proc/meminfo
  echo 550.54.15 >sys/module/nvidia/version
  echo 24.10-1.1.4 >sys/module/mlx5_core/version
  echo 28.39.1002 | tee sys/class/infiniband/mlx5_{0,1}/fw_ver
  hpcrun_root=$PWD hpcrun_node_facts
  [[ $REPLY == ',"kernel":"6.1.0-28","os":"Rocky Linux 9.4","cpu":"AMD EPYC 9654","memory":"755 GiB","driver_nvidia":"550.54.15","driver_mlx5_core":"24.10-1.1.4","firmware":"28.39.1002"' ]]
}

@test "what a node does not tell is left out of its record" {
  hpcrun_root=$PWD hpcrun_node_facts 2>said
  [[ -z $REPLY && ! -s said ]]
}

# A spool as sites make it, and a launch whose records go there.
spool() {
  mkdir -m 3733 spool
  hpcrun_ingest=$PWD/spool hpcrun_prefix=$PWD/12.1 hpcrun_missed='' hpcrun_slow=''
}

# From now on the spool hangs; what a writer has open is in the file "open".
hanging_spool() {
  spool
  umask() {
    ls "/proc/$BASHPID/fd" >open
    echo "$BASHPID" >writer
    exec sleep 60
  }
}

await_writer() {
  for _ in {1..100}; do
    [[ ! -s writer ]] || break
    sleep 0.1
  done
  kill -0 "$(<writer)"
}

@test "a record is handed in whole, for the spool's group" {
  spool
  hpcrun_hand_in 10 3 node.c1 $'{"a":1}\n{"b":2}\n'
  [[ $(ls -A spool) =~ ^lab\.12\.1\.3\.1795229323947888000\.node\.c1\.[0-9a-f-]{36}\.jsonl$ ]]
  [[ $(<spool/*) == $'{"a":1}\n{"b":2}' ]]
  [[ $(stat -c '%a %G' spool/*) == "640 $(stat -c %G spool)" ]]
}

@test "a record in a spool that gives files no group is its owner's alone" {
  spool
  chmod g-s spool
  hpcrun_hand_in 10 0 job.ended text
  [[ $(stat -c %a spool/*) == 600 ]]
}

@test "a record of a cluster without a name is handed in, too" {
  spool
  hpcrun_cluster=''
  hpcrun_hand_in 10 0 job.ended text
  [[ $(ls spool) == _.12.1.0.1795229323947888000.job.ended.*.jsonl ]]
}

@test "nobody can take a record's name before it is there" {
  spool
  local name
  for name in lab.12.1.0.1795229323947888000.job.ended{,.jsonl}; do
    mkdir -p "spool/$name/full"
  done
  hpcrun_hand_in 10 0 job.ended one
  hpcrun_hand_in 10 0 job.ended two
  [[ $(cat spool/*.job.ended.*-*.jsonl | tr -d '\n') =~ ^(onetwo|twoone)$ && -z $(find spool/*/full -mindepth 1) ]]
}

@test "what is no spool takes no record, and nothing is said" {
  mkdir target
  ln -s target link
  : >file
  for hpcrun_ingest in "$PWD/missing" "$PWD/link" "$PWD/file" "$PWD/file/spool"; do
    run hpcrun_hand_in 10 0 job.ended text
    [[ $status -eq 1 && -z $output ]]
  done
  [[ -z $(ls -A target) && ! -s file && ! -e missing ]]
}

@test "a spool that is full or read-only keeps no part of a record" {
  spool
  # shellcheck disable=SC2016 # expanded by the inner bash
  run unshare --map-root-user --mount bash -c "$(functions)"'
    hpcrun_ingest=$PWD/spool hpcrun_prefix=12.1
    mount -t tmpfs -o size=4k tmpfs spool || exit 99
    head -c 100000 /dev/zero >spool/filler 2>/dev/null
    printf -v text "%10000s" x
    hpcrun_hand_in 10 0 job.ended "$text"
    echo "$? $(ls -A spool)"
    rm spool/filler
    mount -o remount,ro spool || exit 98
    hpcrun_hand_in 10 0 job.ended text
    echo "$? $(ls -A spool)"'
  [[ ${lines[0]} == "1 filler" && ${lines[1]} == "1 " && ${#lines[@]} == 2 ]]
}

@test "nothing that is already in the spool is written to" {
  spool
  : >victim
  read() { # whoever could guess the name
    # shellcheck disable=SC2034 # hpcrun_write_spool uses it
    name=guessed
  }
  ln -s ../victim spool/.tmp.guessed
  [[ -z $(hpcrun_write_spool record text) && ! -s victim ]]
  ln -sf ../created spool/.tmp.guessed
  [[ -z $(hpcrun_write_spool record text) && ! -e created ]]
  unset -f read
  local record=record.[0-9a-f]*-*.jsonl
  [[ $(hpcrun_write_spool record text; echo .) == $'\n.' && ! -s victim && $(cat spool/$record) == text ]]
  read() {
    name=guessed
  }
  rm -f spool/.tmp.* spool/$record
  mkdir spool/record.guessed.jsonl
  [[ -z $(hpcrun_write_spool record text) && -z $(ls -A spool/record.guessed.jsonl) ]]
  rmdir spool/record.guessed.jsonl
  ln -s ../victim spool/record.guessed.jsonl
  [[ $(hpcrun_write_spool record text; echo .) == $'\n.' && ! -s victim && $(<spool/record.guessed.jsonl) == text ]]
  [[ $(ls -A spool) == record.guessed.jsonl ]]
}

@test "a spool that hangs is left alone, and keeps nothing of the job open" {
  hanging_spool
  exec {hpcrun_errors}>&2
  run -142 hpcrun_hand_in 1 0 job.ended text
  [[ -z $output && $(<open) == $'0\n1\n2' ]]
  for _ in {1..100}; do
    if ! kill -0 "$(<writer)" 2>/dev/null || [[ $(ps -o state= -p "$(<writer)") == Z ]]; then
      return 0
    fi
    sleep 0.1
  done
  return 1
}

@test "nobody waits for the record of a launch that runs" {
  hanging_spool
  local hpcrun_number=0 hpcrun_launch_record=text
  hpcrun_hand_in_record running
  await_writer
  [[ -z $hpcrun_missed ]]
  kill "$(<writer)"
}

@test "without a spool nothing is started" {
  local hpcrun_number=0 hpcrun_launch_record=text hpcrun_missed=''
  local -A hpcrun_texts=([0]=text)
  hpcrun_hand_in() {
    : >handed-in
  }
  hpcrun_hand_in_record running
  hpcrun_hand_in_record ended
  hpcrun_hand_in_nodes
  hpcrun_say_missed
  [[ ! -e handed-in ]]
}

@test "a node hands in all its launches, and says once that it cannot" {
  spool
  local -A hpcrun_texts=([0]=a [1]=b [2]=c)
  run hpcrun_hand_in_nodes
  [[ $status -eq 0 && -z $output && $(ls spool | wc -l) == 3 ]]
  hpcrun_ingest=$PWD/missing
  run hpcrun_hand_in_nodes
  [[ $output == $'spool\tc1\t1\t' ]]
}

@test "nodes whose records are not in the spool are said once" {
  local hpcrun_ready=c1,c2 hpcrun_ingest=/spool hpcrun_missed='' hpcrun_slow='' hpcrun_number=0 hpcrun_launch_record=text
  hpcrun_await_end 0 <<<$'done\tc1\t0\t\nspool\tc1\t1\t\ndone\tc2\t0\t\nspool\tc2\t1\t'
  hpcrun_hand_in_record ended # on c1
  run hpcrun_say_missed
  [[ $output == 'hpcrun: on c1,c2 records could not be written into the spool /spool (HPCRUN_SPOOL); nothing else is affected' ]]
  hpcrun_missed=''
  hpcrun_await_end 0 <<<$'done\tc1\t0\t\ndone\tc2\t0\t\nspool\tc2\t142\t'
  run hpcrun_say_missed
  [[ $output == 'hpcrun: on c2 records could not be written into the spool /spool (HPCRUN_SPOOL), which does not answer; nothing else is affected' ]]
}

# A launch of a user's script, without the ranks.
session() {
  mkdir -p directory
  local -A hpcrun_seconds=()
  local hpcrun_directory=$PWD/directory hpcrun_facts='"mode":"join"' hpcrun_missed='' hpcrun_slow='' hpcrun_kind=script
  hpcrun_launch() {
    return 7
  }
  declare -p hpcrun_directory hpcrun_prefix hpcrun_cluster hpcrun_begun hpcrun_seconds >directory/session
  (hpcrun_cluster=other hpcrun_begun=1 hpcrun_session "$PWD/directory" exec -- app)
}

@test "the launches of a script belong to the script's begin, and are handed in one by one" {
  spool
  run session
  [[ $status -eq 7 && -z $output ]]
  run session
  [[ $(cd spool && echo *) == 'lab.12.1.0.1795229323947888000.job.ended.'*' lab.12.1.0.1795229323947888000.job.running.'*' lab.12.1.1.'*'.job.ended.'*' lab.12.1.1.'*'.job.running.'*.jsonl ]]
  [[ $(<spool/lab.12.1.1.*.job.ended.*.jsonl) == *'"launch":"12.1.1","job":"12","cluster":"lab",'*'"begun_ns":1795229323947888000,"state":"ended","exit":7,'* ]]
  [[ ! -e directory/missed ]]
}

@test "a script's launches wait once for a spool that hangs" {
  spool
  hpcrun_hand_in() { # as for a spool that does not answer
    echo "$3" >>handed-in
    return 142
  }
  run session
  [[ $status -eq 7 && -z $output && $(<handed-in) == $'job.running\njob.ended' ]]
  run session
  [[ $status -eq 7 && -z $output && $(<handed-in) == $'job.running\njob.ended' ]]
  [[ -s directory/missed ]]
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
  run env PATH=/nonexistent SLURMD_NODENAME=c1 HPCRUN_NODE_DIRECTORY="$PWD/node" "$bash" -c "$(functions); hpcrun_agent \"\$@\"" \
    x "=$PWD/rec" =0 =auto =none = =shared =part =0 =/none =
  [[ $status -eq 0 ]]
  [[ $output == $'unfit\tc1\t3\tneither apptainer nor singularity'* ]]
}

@test "an agent notes the ranks' ends and writes the node's record" {
  sleep 60 &
  local long=$!
  sleep 0.3 &
  local short=$!
  mkfifo alive
  agent <alive >notes &
  local agent=$!
  exec 7>alive
  for _ in {1..50}; do
    [[ ! -s node/ranks ]] || break
    sleep 0.1
  done
  printf '0 7 5 1 %s 100 200\n0 7 4 0 %s 110 210\n' "$long" "$short" >>node/ranks
  wait "$short" || true
  sleep 0.5
  exec 7>&-
  wait "$agent"
  kill "$long"
  [[ $(<notes) == $'shell\tc1\t0\t\nready\tc1\t0\t\ndone\tc1\t0\t' ]]
  [[ ! -e node ]]
  run cat rec.0.node.c1.jsonl
  [[ ${lines[0]} == '{"schema":"hpcrun.record/1","type":"node","launch":"rec.0","cluster":"lab","uid":'"$UID"',"begun_ns":1795229323947888000,"node":"c1","ranks":2,"mode":"exec","mode_reason":"it was asked for","runtime":"apptainer version 1.4.5","image_from":"shared",'* ]]
  [[ ${lines[2]} =~ ^\{\"type\":\"rank\",\"rank\":4,\"local\":0,\"begin_ns\":110,\"exec_ns\":210,\"end_ns\":[0-9]{19}\}$ ]]
  # The long one still ran when the launch was over.
  [[ ${lines[1]} == '{"type":"rank","rank":5,"local":1,"begin_ns":100,"exec_ns":200}' ]]
}

@test "a node directory that is already there is left alone" {
  mkdir node
  : >node/other
  run agent </dev/null
  [[ $output == *$'bare\tc1\t0\tranks are not timed'* ]]
  [[ -e node/other ]]
}

@test "each text of the nodes is said once, with its nodes" {
  local hpcrun_nodes=3 hpcrun_bare='' hpcrun_ready=''
  run hpcrun_await_agents 1 <<<$'unfit\tc1\t5\tno image\nbare\tc3\t0\tslow\nready\tc3\t0\t\nunfit\tc2\t5\tno image'
  [[ $status -eq 5 ]]
  [[ ${lines[0]} == "hpcrun: refused before any rank started: on c1,c2 no image" ]]
  [[ ${lines[1]} == "hpcrun: on c3 slow" ]]
}

@test "nodes whose fastest networks differ are refused where one is required" {
  local hpcrun_nodes=3 hpcrun_ready='' hpcrun_bare='' hpcrun_require=yes
  run hpcrun_await_agents 1 <<<$'ready\tc1\tinfiniband\t\nready\tc2\troce\t\nready\tc3\tinfiniband\t'
  [[ $status -eq 3 && $output == "hpcrun: refused before any rank started: the nodes' fastest networks differ: "* ]]
  [[ $output == *'InfiniBand on c1,c3'* && $output == *'RoCE on c2'* && $output == *'say with --fabric which one is meant' ]]
  run hpcrun_await_agents 1 <<<$'ready\tc1\troce\t\nready\tc2\troce\t\nready\tc3\troce\t'
  [[ $status -eq 0 && -z $output ]]
  hpcrun_require=no
  run hpcrun_await_agents 1 <<<$'ready\tc1\tinfiniband\t\nready\tc2\troce\t\nready\tc3\t0\t'
  [[ $status -eq 0 && -z $output ]]
}

@test "in a script, hpcrun exec says which options are for the whole script" {
  : >session
  local option
  for option in --fabric=roce --contain --bind=/data --mode=exec; do
    run hpcrun_session "$PWD" exec -n2 "$option" -- true
    [[ $status -eq 2 && $output == "hpcrun: hpcrun exec in a script: ${option%%=*} is for all of its steps; write it into the script's line: #HPCRUN $option" ]]
  done
}

@test "ranks that use TCP are said once, with how many more nodes" {
  local hpcrun_ready=c1,c2
  run hpcrun_await_end 0 <<<$'tcp\tc2\t0\trank 3 uses TCP\ntcp\tc1\t0\trank 0 uses TCP\ndone\tc1\t0\t\ndone\tc2\t0\t'
  [[ ${lines[0]} == 'hpcrun: on c2 rank 3 uses TCP; the same on other nodes, at least 1' && ${lines[1]} == 'hpcrun: what to do: '* ]]
}

@test "agents that were lost under a launch that failed are named" {
  local hpcrun_ready=c3,c1,c2
  run hpcrun_await_end 137 <<<$'done\tc3\t0\t'
  [[ $output == "hpcrun: on "*"c"*" hpcrun's agent was lost (killed, or the node is down)"* && $output == *c1* && $output == *c2* && $output != *c3* ]]
  run hpcrun_await_end 137 <<<$'done\tc3\t0\t\ndone\tc2\t0\t\ndone\tc1\t0\t'
  [[ -z $output ]]
  # One that left its record has ended well, whoever heard it.
  hpcrun_prefix=$PWD/rec hpcrun_number=0
  : >rec.0.node.c1.jsonl
  run hpcrun_await_end 137 <<<$'done\tc3\t0\t'
  [[ $output == "hpcrun: on c2 "* ]]
}

@test "what is left in a container that is gone is ended, and nothing else" {
  mkdir node bin
  unshare --map-root-user --mount sh -c 'exec 0</dev/null; sleep 60 & echo $!; exec sleep 60' >pids &
  local rank=$!
  unshare --map-root-user --mount sleep 60 &
  local other=$!
  for _ in {1..50}; do
    [[ ! -s pids ]] || break
    sleep 0.1
  done
  sleep 0.2
  printf '1\n0 7 5 1 %s 100 200\n' "$rank" >node/ranks
  printf '#!/bin/sh\necho "$@" >scancelled\n' >bin/scancel
  chmod +x bin/scancel
  local namespace
  exec {namespace}<"/proc/$rank/ns/user"
  SLURM_JOB_ID=12 PATH=$PWD/bin:$PATH hpcrun_clear "$PWD/node" "$namespace" 0
  wait "$rank" || [[ $? == 137 ]]
  ! kill -0 "$(<pids)" 2>/dev/null
  kill -0 "$other"
  kill "$other"
  [[ $(<scancelled) == "--signal=KILL 12.7" ]]
}

@test "a runtime without a user namespace of its own leaves nothing to end" {
  mkdir node
  local namespace
  exec {namespace}</proc/self/ns/user
  sleep 60 &
  hpcrun_clear "$PWD/node" "$namespace" 0
  kill %1
}

# A squeue that knows this job as long as the file "runs" is there.
squeue_of_job() {
  mkdir -p bin
  printf '#!/bin/sh\n[ ! -e "%s/runs" ] || echo RUNNING\n' "$PWD" >bin/squeue
  chmod +x bin/squeue
  PATH=$PWD/bin:$PATH
  export SLURM_JOB_ID=1
  hpcrun_token=token
}

@test "what the runtime says of its failure is the reason" {
  squeue_of_job
  mkdir node
  hpcrun_start_keeper "$PWD/node" sh -c 'echo "INFO:    x"; printf "\033[91mFATAL:   no\033[0m such"; exit 255'
  ! hpcrun_await_holder
  [[ $hpcrun_reason == "no such" ]]
}

@test "the keeper passes on what the runtime says, ends with its input and removes the directory" {
  squeue_of_job
  : >runs # nobody is asked: the launch is over
  mkdir node
  hpcrun_start_keeper "$PWD/node" sh -c 'echo "2024 (c) ACME"; echo "WARNING: x"; echo token; echo "$$ (sh) S"; cat; exit 7'
  local line
  read -r line <&"$hpcrun_said"
  [[ $line == "2024 (c) ACME" ]]
  read -r line <&"$hpcrun_said"
  [[ $line == "WARNING: x" ]]
  read -r line <&"$hpcrun_said"
  [[ $line == "token holder "*"(sh) S" ]]
  echo "token over" >&"$hpcrun_alive"
  exec {hpcrun_alive}>&-
  read -r -t 10 line <&"$hpcrun_said"
  [[ -z $line ]] # what it says last may lack its line's end
  read -r -t 10 line <&"$hpcrun_said"
  [[ $line == "token ended 7" && ! -e node ]]
}

@test "the keeper of an agent that was killed leaves the directory until the job ends" {
  squeue_of_job
  : >runs
  mkdir node
  hpcrun_start_keeper "$PWD/node" sh -c 'echo token; echo "$$ (sh) S"; cat; exit 7'
  local line
  read -r line <&"$hpcrun_said"
  exec {hpcrun_alive}>&-
  while [[ $line != "token ended 7" ]]; do
    read -r -t 10 line <&"$hpcrun_said"
  done
  sleep 2
  [[ -d node ]]
  rm runs
  for _ in {1..50}; do
    [[ -d node ]] || break
    sleep 0.1
  done
  [[ ! -e node ]]
}

@test "a node that does not answer is a refusal" {
  local hpcrun_nodes=2 hpcrun_bare='' hpcrun_ready=''
  run hpcrun_await_agents 1 <<<$'ready\tc1\t0\t'
  [[ $status -eq 3 ]]
  [[ $output == *"only 1 of 2 nodes"* ]]
}

# A rank's own environment; node/enter says that each rank starts a container.
rank() {
  mkdir -p bin node
  cat >bin/apptainer <<'X'
#!/bin/bash
printf '<%s>' "$@" "$APPTAINERENV_A" "$UCX_POSIX_USE_PROC_LINK" "$$"
X
  chmod +x bin/apptainer
  printf 'exec\0%s\0' "$PWD/staged.sif" >node/enter
  export SLURM_PROCID=3 SLURM_LOCALID=1 SLURM_STEP_ID=7
}

@test "a rank becomes the runtime with its arguments and variables unchanged" {
  rank
  # shellcheck disable=SC2016 # expanded by the inner bash
  run env PATH="$PWD/bin:$PATH" HPCRUN_ENV_A=$'$(id)\n`x`' HPCRUN_ALONE_UCX_POSIX_USE_PROC_LINK=n \
    SHELLOPTS=errexit:nounset:noglob bash -c "$(functions); hpcrun_enter \"\$@\"" x \
    "=$PWD/node" =c2, =4 =2 =--bind '=/a b' =/image.sif =app = =-n $'=a\nb' '=*' =: ==x
  local pid
  read -r _ _ _ _ pid _ <node/ranks
  [[ $(<node/ranks) == "4 7 3 1 $pid "* ]]
  [[ $output == "<--quiet><exec><--bind></a b><$PWD/staged.sif><app><><-n><a"$'\n'"b><*><:><=x><\$(id)"$'\n'"\`x\`><n><$pid>" ]]
}

@test "a rank of a node without a directory writes nothing and takes the image as it was given" {
  rank
  # shellcheck disable=SC2016 # expanded by the inner bash
  run env PATH="$PWD/bin:$PATH" UCX_POSIX_USE_PROC_LINK=y HPCRUN_ALONE_UCX_POSIX_USE_PROC_LINK=n \
    bash -c "$(functions); hpcrun_enter \"\$@\"" x "=$PWD/node" =c2,c1, =0 =0 =/image.sif =app
  [[ $status -eq 0 && ! -e node/ranks && $output == "<--quiet><exec></image.sif><app><><y>"* ]]
}

@test "a rank whose agent is gone says so and does not run" {
  rank
  rm node/enter
  # shellcheck disable=SC2016 # expanded by the inner bash
  run env PATH="$PWD/bin:$PATH" bash -c "$(functions); hpcrun_enter \"\$@\"" x "=$PWD/node" \
    = =0 =0 =/image.sif =app
  [[ $status -eq 1 && $output == "hpcrun: rank 3 on c1 cannot enter"* ]]
}

@test "a rank that joins gets the container's changes over its own environment" {
  rank
  # Instead of what joins, a program that shows what the application would see.
  printf '#!/bin/sh\nexec %s -0\n' "$(type -P env)" >bin/setpriv
  chmod +x bin/setpriv
  printf '%s\0' join /image.sif user=/u mount=/m "tool=$(type -P env)" set=PATH=/in take=GONE set=NEW=new \
    "set=ODD=\$(id) "$'\n'x >node/enter
  # shellcheck disable=SC2016 # expanded by the inner bash
  env -i PATH="$PWD/bin:$PATH" GONE=x OWN=own image=mine REPLY=mine LC_NAME=x HPCRUN_KEPT_LC_ALL=xx_YY HPCRUN_ENV_A=$'\xff' SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_STEP_ID=0 \
    SLURMD_NODENAME=c1 "$BASH" -c "$(functions); hpcrun_enter \"\$@\"" x "=$PWD/node" = =0 =0 =/image.sif =app \
    | tr '\0' '|' >seen || true
  run cat seen
  local all="|$output"
  [[ $all == *"|PATH=/in|"* && $all == *"|NEW=new|"* && $all == *"|OWN=own|"* && $all == *"|image=mine|"* && $all == *"|REPLY=mine|"* && $all == *"|LC_ALL=xx_YY|"* ]]
  [[ $all == *"|ODD=\$(id) "$'\n'"x|"* && $all == *$'|A=\xff|'* ]]
  [[ $all != *"|GONE="* && $all != *"|HPCRUN_"* && $all != *"|hpcrun_"* ]]
}

@test "variables of the loader are set only behind the node's own programs" {
  rank
  printf '#!/bin/sh\nshift 3; echo "$LD_PRELOAD$LD_LIBRARY_PATH|$*"\n' >bin/setpriv
  chmod +x bin/setpriv
  printf '%s\0' join /image.sif user=/u mount=/m root=/r chdir=/work tool=/tool set=LD_LIBRARY_PATH=/in/lib >node/enter
  # shellcheck disable=SC2016 # expanded by the inner bash
  run env PATH="$PWD/bin:$PATH" LD_BIND_NOW=1 LD_LIBRARY_PATH=/out bash -c "$(functions); hpcrun_enter \"\$@\"" x "=$PWD/node" \
    = =0 =0 =/image.sif =app =-x
  [[ $output == "|--user=/u --mount=/m --root=/r -- /tool --chdir=/work LD_LIBRARY_PATH=/out LD_BIND_NOW=1 LD_LIBRARY_PATH=/in/lib app -x" ]]
}

# environment_after VARIABLE… -- RULE…: what env prints (ends in NUL) when these rules have been applied to these variables, by
# functions with local names such as the job's main function has.
environment_after() {
  local -a variables=()
  while [[ $1 != -- ]]; do
    variables+=("$1")
    shift
  done
  shift
  # shellcheck disable=SC2016 # expanded by the inner bash
  env -i "PATH=$PATH" "${variables[@]}" bash -c "$(declare -f hpcrun_choose_environment)"'
    main() {
      local code=1 answers state=ended
      launch "$@"
    }
    launch() {
      local code said
      hpcrun_choose_environment "$@"
      exec "${hpcrun_without[@]+"${hpcrun_without[@]}"}" env -0
    }
    main "$@"' x "$@"
}

@test "variables go on or not by the first rule that fits their names" {
  environment_after XDG_RUNTIME_DIR=/run XDG_SESSION_ID=1 XDG_CONFIG_HOME=/c SITE_A=1 SITE_B=2 OTHER=3 XDG_RUNTIME_DIRS=4 -- \
    '+SITE_C|SITE_A' '-SITE_*' '-XDG_RUNTIME_DIR|XDG_SESSION_*' +OTHER >after
  run tr '\0' '|' <after
  [[ "|$output" == *'|XDG_CONFIG_HOME=/c|'* && "|$output" == *'|SITE_A=1|'* && "|$output" == *'|OTHER=3|'* && "|$output" == *'|XDG_RUNTIME_DIRS=4|'* ]]
  [[ $output != *SITE_B* && $output != *XDG_RUNTIME_DIR=* && $output != *XDG_SESSION* ]]
}

@test "what no shell takes for a variable goes on, or not, as well" {
  local -a odd=(odd.dot=1 9odd=2 'BASH_FUNC_module%%=() {  echo "$1"
}' odd-dash=3)
  environment_after "${odd[@]}" KEPT=1 -- -NONE >after
  run tr '\0' '|' <after
  [[ $output == *'odd.dot=1|'* && $output == *'9odd=2|'* && $output == *'BASH_FUNC_module%%='* && $output == *'odd-dash=3|'* ]]
  environment_after "${odd[@]}" KEPT=1 GONE=2 -- +PATH +KEPT '-*' >after
  run tr '\0' '\n' <after
  [[ $(sort <<<"$output" | grep -vE '^(_|PATH|PWD|SHLVL|OLDPWD)=') == KEPT=1 ]]
}

@test "values stay as they are, whatever they hold, and where hpcrun has a name of its own" {
  local value
  # shellcheck disable=SC2016 # not to be expanded
  for value in $'two\nlines\n' '$(touch touched)' '`touch touched`' '' ' a  b ' '() { :;}; touch touched' $'\xff\xfe' "it's \"q\""; do
    environment_after "VALUE=$value" "code=$value" "state=$value" "answers=$value" "REPLY=$value" -- '-OTHER*' >after
    mapfile -d '' -t lines <after
    for name in VALUE code state answers REPLY; do
      [[ $(printf '<%q>' "${lines[@]}") == *"$(printf '<%q>' "$name=$value")"* ]]
    done
  done
  [[ ! -e touched ]]
  environment_after code=mine state=mine said=mine hpcrun_word=mine answers=mine -- +PATH '-*' >after
  ! grep -qzE '^(code|state|said|answers|hpcrun_word)=' after
}

@test "variables go to the ranks by their values, or by name from the job's environment" {
  # shellcheck disable=SC2016 # not to be expanded
  local -a hpcrun_environment=('SHOWN=a $(id)' $'LINES_=1\n2') hpcrun_by_name=(TOKEN OWN BOTH name)
  export HPCRUN_ENV_TOKEN='s3cret "$x"' OWN=$'own\nvalue' BOTH=wrong HPCRUN_ENV_BOTH=right HPCRUN_ENV_STRAY=stray name=n
  (
    hpcrun_set_environment
    env -0
  ) | grep -z ^HPCRUN_ENV_ | sort -z >after
  printf '%s\0' HPCRUN_ENV_BOTH=right HPCRUN_ENV_LINES_=$'1\n2' $'HPCRUN_ENV_OWN=own\nvalue' 'HPCRUN_ENV_SHOWN=a $(id)' \
    'HPCRUN_ENV_TOKEN=s3cret "$x"' HPCRUN_ENV_name=n >expected
  cmp after expected
}

@test "values that the job's environment lacks are named, others are not" {
  # shellcheck disable=SC2034 # used by the function
  local -a hpcrun_by_name=(TOKEN OWN EMPTY LOST value)
  export HPCRUN_ENV_TOKEN=x OWN=y EMPTY=
  run hpcrun_lack_values
  [[ $status -eq 0 && $output == *'has no value for LOST, value; set it'* ]]
  hpcrun_by_name=(TOKEN OWN EMPTY)
  run hpcrun_lack_values
  [[ $status -eq 1 && -z $output ]]
  hpcrun_by_name=()
  run hpcrun_lack_values
  [[ $status -eq 1 && -z $output ]]
}

@test "values that ranks bring themselves are not written down on a node" {
  mkdir proc
  (
    export HPCRUN_ENV_TOKEN=s3cret HPCRUN_ENV_PREPEND_PATH=/opt hpcrun_runtime=apptainer
    hpcrun_pass_environment
    env -0 -u APPTAINERENV_TOKEN TOKEN=s3cret PREPEND_PATH=/opt NEW=1 >proc/environ
    hpcrun_changes proc
    printf '%s|' "${hpcrun_changed[@]}"
  ) >changes
  run cat changes
  [[ $output == *'set=NEW=1|'* && $output == *'set=PREPEND_PATH=/opt|'* && $output != *s3cret* ]]
}

@test "what the agent calls as the user calls a variable is no change of the container's" {
  mkdir proc
  # shellcheck disable=SC2016 # expanded by the inner bash
  env said=x directory=d REPLY=r bash -c "$(declare -f hpcrun_choose_environment hpcrun_changes)"'
    agent() {
      local said="" directory=/tmp/x
      REPLY=own
      hpcrun_changes proc
      printf "%s|" "${hpcrun_changed[@]}"
    }
    env -0 NEW=1 >proc/environ
    agent' >changes
  run cat changes
  [[ $output == 'set=NEW=1|' ]]
}

@test "the changes of an environment are what differs, whatever the values hold" {
  mkdir proc
  (
    unset -v "${!BASH_FUNC_@}"
    export SAME=s CHANGED=before GONE=x BAD=$'\xff' MANY=$'a\nb=c'
    env -0 -u GONE CHANGED=after NEW='n w' BAD=$'\xef\xbf\xbd' >proc/environ
    hpcrun_changes proc
    printf '%s|' "${hpcrun_changed[@]}"
  ) >changes
  run cat changes
  [[ "|$output" == *"|set=CHANGED=after|"* && "|$output" == *"|set=NEW=n w|"* && "|$output" == *"|take=GONE|"* ]]
  [[ $output != *SAME* && $output != *BAD* && $output != *MANY* ]]
}

@test "a pipe made without a file ends when its writer is closed" {
  hpcrun_pipe
  echo text >&"$hpcrun_write_end"
  exec {hpcrun_write_end}>&-
  run cat <&"$hpcrun_read_end"
  [[ $output == text ]]
}

@test "an image that is not the one that was submitted is named" {
  : >image
  hpcrun_image_problem "$PWD/image" 0000
  [[ $REPLY == *"is not the one that was submitted"* ]]
  hpcrun_image_problem "$PWD/image" e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  [[ -z $REPLY ]]
  hpcrun_image_size=1
  hpcrun_image_problem "$PWD/image" e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  [[ $REPLY == *"is not the one that was submitted"* ]]
  hpcrun_image_size=0
  hpcrun_image_problem "$PWD/image" e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  [[ -z $REPLY ]]
  mkfifo pipe
  hpcrun_image_problem "$PWD/pipe" 0000
  [[ $REPLY == *"is not the one that was submitted"* ]]
}

@test "a node without user namespaces is named" {
  mkdir -p proc/sys/user proc/sys/kernel
  echo 0 >proc/sys/user/max_user_namespaces
  hpcrun_namespace_problem proc
  [[ $REPLY == *"limited to 0"* ]]
  echo 1000 >proc/sys/user/max_user_namespaces
  hpcrun_namespace_problem proc
  [[ -z $REPLY ]]
  echo 0 >proc/sys/kernel/unprivileged_userns_clone
  hpcrun_namespace_problem proc
  [[ $REPLY == *"switched off"* ]]
}

@test "a runtime that is too old is named, an unknown one is not" {
  local version
  for version in 'apptainer version 1.0.3' 'singularity-ce version 3.9.2-jammy' 'singularity version 3.8.7'; do
    hpcrun_version_problem "$version"
    [[ $REPLY == *"is too old"* ]]
  done
  for version in 'apptainer version 1.1.0-1.el9' 'apptainer version 2.0.0' 'singularity-ce version 4.1.0' something ''; do
    hpcrun_version_problem "$version"
    [[ -z $REPLY ]]
  done
}

@test "a text is fit for JSON whatever it holds" {
  hpcrun_json $'a "b" \\ c\td\ne'
  [[ $REPLY == 'a \"b\" \\ c d e' ]]
}

# A cache with an image of the digest, and what the agent knows of it.
cache() {
  hpcrun_stage_directory=$PWD/cache hpcrun_stage_limit=$((1 << 30)) hpcrun_reason=''
  printf 'image' >shared.sif
  hpcrun_image=$PWD/shared.sif hpcrun_from=shared hpcrun_image_size=5
  hpcrun_digest=$(sha256sum <shared.sif)
  hpcrun_digest=${hpcrun_digest%% *}
}

@test "staging: the first one needs the image, keeps the copy, the next one has it" {
  cache
  run hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" <<<copy
  [[ $status -eq 0 && $output == $'need\tc1\t0\t' ]]
  [[ $(ls cache) == "$hpcrun_digest.sif" ]]
  hpcrun_stage "$PWD/cache/part.$hpcrun_digest.2" >notes </dev/null
  [[ $(<notes) == $'have\tc1\t0\t' && $hpcrun_image == "$PWD/cache/$hpcrun_digest.sif" && $hpcrun_from == node ]]
}

@test "staging: what killed jobs left goes, what is being sent stays" {
  cache
  run hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" <<<copy
  touch "cache/part.$hpcrun_digest.2" cache/part.abc.3
  touch -d '-20 minutes' "cache/part.$hpcrun_digest.4" cache/part.abc.5
  hpcrun_stage "$PWD/cache/part.$hpcrun_digest.6" >notes </dev/null
  [[ $(<notes) == $'have\tc1\t0\t' && $(cd cache && echo part.*) == "part.$hpcrun_digest.2 part.abc.3" ]]
}

@test "staging: a copy that was sent is checked before it is used" {
  cache
  mkdir -m 700 cache
  printf other >"cache/part.$hpcrun_digest.1"
  run hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" <<<sent
  [[ $status -eq 1 && $output == *$'unfit\tc1\t5\tthe image '*"is not the one that was submitted"* && -z $(ls cache) ]]
}

@test "staging: without flock, or a cache that went away, the shared image is used" {
  cache
  PATH=/nonexistent run hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" </dev/null
  [[ $status -eq 0 && $output == *$'pass\tc1\t0\t'*"flock of util-linux is missing" ]]
  mkdir -m 700 cache
  flock "cache/$hpcrun_digest.lock" sleep 5 &
  sleep 0.3
  (sleep 1; rm -r cache) &
  hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" >notes < <(echo go; sleep 30) || return 1
  [[ $(<notes) == $'busy\tc1\t0\t\nremark\t'*"cannot be written" && $hpcrun_from == shared ]]
}

@test "staging: while another one stages, wait; if it fails, copy" {
  cache
  mkdir -m 700 cache
  flock "cache/$hpcrun_digest.lock" sleep 2 &
  local other=$!
  sleep 0.3
  (hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" >notes < <(echo go; sleep 30) && printf '%s' "$hpcrun_from" >from)
  wait "$other"
  [[ $(<notes) == $'busy\tc1\t0\t' && $(<from) == node && $(ls cache) == "$hpcrun_digest.sif" ]]
}

@test "staging: a launch that is over waits for nothing" {
  cache
  mkdir -m 700 cache
  flock "cache/$hpcrun_digest.lock" sleep 5 &
  sleep 0.3
  run hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" < <(echo go)
  [[ $status -eq 1 ]]
  kill %1
}

@test "staging: the least recently used goes first, what is in use stays, parts of the killed go" {
  cache
  mkdir -m 700 cache
  head -c 600 /dev/zero >cache/old.sif
  head -c 600 /dev/zero >cache/used.sif
  head -c 600 /dev/zero >cache/new.sif
  : >cache/part.dead.1
  touch -d '3 days ago' cache/used.sif
  touch -d '2 days ago' cache/old.sif
  flock -s cache/used.sif sleep 5 &
  sleep 0.3
  hpcrun_stage_limit=1300
  hpcrun_make_room
  kill %1
  [[ $(cd cache && echo *) == "new.sif used.sif" ]]
}

@test "staging: what does not fit is used from where it is" {
  cache
  hpcrun_stage_limit=4
  hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" >notes </dev/null
  [[ $(<notes) == *$'pass\tc1\t0\t'*"used from where it is: there is no room"* && -z $(ls cache) ]]
}

@test "staging: a cache that others can write or that is a link is not used" {
  cache
  mkdir -m 777 cache
  chmod 777 cache
  hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" >notes </dev/null
  [[ $(<notes) == *"is open to other users"* ]]
  rm -r cache
  mkdir elsewhere
  ln -s elsewhere cache
  hpcrun_stage "$PWD/cache/part.$hpcrun_digest.1" >notes </dev/null
  [[ $(<notes) == *"not a directory of uid"* ]]
}

@test "node directories of killed agents are swept, those of others and of the living are not" {
  local dead=/tmp/hpcrun.bats.$$.dead living=/tmp/hpcrun.bats.$$.living foreign=/tmp/hpcrun.bats.$$.foreign
  mkdir "$dead" "$living" "$foreign"
  sh -c 'echo "$$"' >"$dead/ranks"
  echo "$$" >"$living/ranks"
  cp "$dead/ranks" "$foreign/ranks"
  chown 12345 "$foreign" 2>/dev/null || rm "$foreign/ranks"
  hpcrun_sweep
  local left
  left=$(ls -d /tmp/hpcrun.bats.$$.*)
  rm -rf "$living" "$foreign"
  [[ $left == "$foreign"$'\n'"$living" ]]
}

@test "an agent outlives the signals that are for the ranks" {
  mkfifo alive
  agent <alive >notes &
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
  [[ -f rec.0.node.c1.jsonl && ! -e node ]]
}

@test "job times are read from scontrol's answer" {
  local -A hpcrun_seconds=()
  unset SLURM_JOB_START_TIME
  hpcrun_read_job_times <<<$'JobId=1 JobName=SubmitTime=9\n   SubmitTime=100 EligibleTime=101\n   StartTime=Unknown EndTime=5'
  [[ ${hpcrun_seconds[submit]} == 100 && ${hpcrun_seconds[eligible]} == 101 ]]
  [[ -z ${hpcrun_seconds[start]-} ]]
}

# Builds the program, and a holder with a user namespace of its own.
program() {
  "${CC:-cc}" -std=c11 -o hpcrun-enter "$BATS_TEST_DIRNAME/../../main/c/hpcrun-enter.c"
  unshare --user --map-current-user --mount sleep 61 &
  holder=$!
  for _ in {1..50}; do
    [[ "/proc/$holder/ns/user" -ef /proc/self/ns/user ]] || break
    sleep 0.1
  done
  mkdir -p node
  echo 1 >node/ranks
}

@test "the program joins, changes the environment as the shell does, and notes the rank" {
  program
  printf '%s\0' join /image.sif "user=/proc/$holder/ns/user" "mount=/proc/$holder/ns/mnt" "root=/proc/$holder/root" \
    "wd=/proc/$holder/cwd" tool=/tool "set=PATH=$PATH" take=GONE set=NEW=new set=LD_LIBRARY_PATH=/in \
    "set=ODD=\$(id) "$'\n'x chdir=/usr >node/enter
  env -i PATH=/nowhere GONE=x OWN=own LC_NAME=x HPCRUN_ENV_A=$'\xff' HPCRUN_ENV_PATH=/x HPCRUN_ENV_APPEND_PATH=/y \
    HPCRUN_ALONE_B=b SLURM_PROCID=3 SLURM_LOCALID=1 SLURM_STEP_ID=7 ./hpcrun-enter "=$PWD/node" =2 =env =-0 | tr '\0' '|' >seen
  kill "$holder"
  run cat seen
  [[ $output == "PATH=$PATH|OWN=own|LC_NAME=x|SLURM_PROCID=3|SLURM_LOCALID=1|SLURM_STEP_ID=7|NEW=new|LD_LIBRARY_PATH=/in|ODD=\$(id) "$'\n'$'x|A=\xff|' ]]
  run tail -n 1 node/ranks
  [[ $output =~ ^2\ 7\ 3\ 1\ [0-9]+\ [0-9]{19}\ [0-9]{19}$ ]]
}

# bound VARIABLE=VALUE… -- WORD…: the variables of GPUs and ports of a rank with these variables, as the program sets
# them and as the shell does, each in a line; they must be the same.
bound() {
  local -a variables=() names=(CUDA_VISIBLE_DEVICES CUDA_DEVICE_ORDER ROCR_VISIBLE_DEVICES ZE_AFFINITY_MASK
    GPU_DEVICE_ORDINAL UCX_NET_DEVICES UCX_IB_GID_INDEX NCCL_IB_GID_INDEX NCCL_IB_HCA)
  while [[ $1 != -- ]]; do
    variables+=("$1")
    shift
  done
  shift
  local pattern
  pattern=$(IFS='|' && echo "${names[*]}")
  printf '%s\0' join /image.sif "user=/proc/$holder/ns/user" "mount=/proc/$holder/ns/mnt" "root=/proc/$holder/root" \
    "$@" >node/enter
  env -i "PATH=$PATH" "${variables[@]}" ./hpcrun-enter "=$PWD/node" =- =env | grep -E "^($pattern)=" | sort >by-program
  env -i "PATH=$PATH" "${variables[@]}" bash -c "$(declare -f hpcrun_bind_devices hpcrun_count_local hpcrun_share)
hpcrun_bind_devices \"\$@\"; env" bash "$@" | grep -E "^($pattern)=" | sort >by-shell
  diff by-program by-shell
  output=$(cat by-program)
}

@test "ranks get their GPUs and ports, by the program and by the shell" {
  program
  local rank
  local -a four=(gpus=hpcrun gid=3 'near=0 mlx5_0:1' 'near=1 mlx5_1:1' 'near=2 mlx5_2:1' 'near=3 mlx5_2:1')
  for rank in 0 1 2; do
    bound SLURM_LOCALID=$rank SLURM_STEP_TASKS_PER_NODE='8(x2),4' SLURM_NODEID=2 SLURM_STEP_GPUS=0,1,2,3 \
      CUDA_VISIBLE_DEVICES=0,1,2,3 -- "${four[@]}"
    [[ $output == "CUDA_DEVICE_ORDER=PCI_BUS_ID
CUDA_VISIBLE_DEVICES=$rank
NCCL_IB_GID_INDEX=3
UCX_IB_GID_INDEX=3
UCX_NET_DEVICES=mlx5_$rank:1" ]]
  done
  # Two ranks, four GPUs that Slurm counts from 0 again; each has the ports of both of its GPUs, once.
  bound SLURM_LOCALID=0 SLURM_STEP_TASKS_PER_NODE=2 SLURM_NODEID=0 SLURM_STEP_GPUS=0,1,2,3 \
    ZE_AFFINITY_MASK=0,1,2,3 -- "${four[@]}"
  [[ $output == *UCX_NET_DEVICES=mlx5_0:1,mlx5_1:1*ZE_AFFINITY_MASK=0,1* ]]
  bound SLURM_LOCALID=1 SLURM_STEP_TASKS_PER_NODE=2 SLURM_NODEID=0 SLURM_STEP_GPUS=0,1,2,3 \
    ZE_AFFINITY_MASK=0,1,2,3 -- "${four[@]}"
  [[ $output == *UCX_NET_DEVICES=mlx5_2:1*ZE_AFFINITY_MASK=2,3* ]]
  # Five ranks share three GPUs.
  bound SLURM_LOCALID=4 SLURM_STEP_TASKS_PER_NODE=5 SLURM_NODEID=0 SLURM_STEP_GPUS=0,1,3 CUDA_VISIBLE_DEVICES=0,1,2 -- "${four[@]}"
  [[ $output == *CUDA_VISIBLE_DEVICES=2* && $output == *mlx5_2:1* ]]
  # AMD: only ROCr chooses. Where Slurm has not set its variable, the others are all there is.
  bound SLURM_LOCALID=3 SLURM_STEP_TASKS_PER_NODE=4 SLURM_NODEID=0 SLURM_STEP_GPUS=0,1,2,3 CUDA_VISIBLE_DEVICES=0,1,2,3 \
    ROCR_VISIBLE_DEVICES=0,1,2,3 GPU_DEVICE_ORDINAL=0,1,2,3 -- gpus=hpcrun-amd
  [[ $output == ROCR_VISIBLE_DEVICES=3 ]]
  bound SLURM_LOCALID=3 SLURM_STEP_TASKS_PER_NODE=4 SLURM_NODEID=0 SLURM_STEP_GPUS=0,1,2,3 GPU_DEVICE_ORDINAL=0,1,2,3 -- gpus=hpcrun-amd
  [[ $output == GPU_DEVICE_ORDINAL=3 ]]
  # MIG instances come as identifiers.
  bound SLURM_LOCALID=1 SLURM_STEP_TASKS_PER_NODE=2 SLURM_NODEID=0 SLURM_STEP_GPUS=0,1 CUDA_VISIBLE_DEVICES=MIG-a,MIG-b -- gpus=hpcrun
  [[ $output == *CUDA_VISIBLE_DEVICES=MIG-b* ]]
  # Slurm divides, as the user wants it for the job or for the step.
  bound SLURM_LOCALID=1 SLURM_STEP_TASKS_PER_NODE=2 SLURM_NODEID=0 SLURM_STEP_GPUS=2,3 CUDA_VISIBLE_DEVICES=2,3 -- \
    gpus=slurm "${four[@]:1}"
  [[ $output == *CUDA_VISIBLE_DEVICES=2,3* && $output == *mlx5_2:1* ]]
  bound HPCRUN_GPUS=slurm SLURM_LOCALID=1 SLURM_STEP_TASKS_PER_NODE=2 SLURM_NODEID=0 SLURM_STEP_GPUS=2,3 CUDA_VISIBLE_DEVICES=2,3 -- "${four[@]}"
  [[ $output == *CUDA_VISIBLE_DEVICES=2,3* ]]
  # What is set stays, and the GID of a port that the user chose is the user's.
  bound SLURM_LOCALID=0 SLURM_STEP_TASKS_PER_NODE=1 SLURM_NODEID=0 SLURM_STEP_GPUS=0 UCX_NET_DEVICES=all \
    CUDA_DEVICE_ORDER=FASTEST_FIRST CUDA_VISIBLE_DEVICES=0 -- "${four[@]}"
  [[ $output == *UCX_NET_DEVICES=all* && $output != *GID* && $output == *FASTEST_FIRST* ]]
  bound UCX_IB_GID_INDEX=1 NCCL_IB_HCA=mlx5_3 SLURM_LOCALID=0 SLURM_NODEID=0 -- "${four[@]}"
  [[ $output == "NCCL_IB_HCA=mlx5_3
UCX_IB_GID_INDEX=1" ]]
  # The fabric's ports where others are for something else; the GID is theirs.
  bound SLURM_LOCALID=0 SLURM_NODEID=0 -- gpus=hpcrun gid=3 hca==mlx5_0:1,mlx5_1:1
  [[ $output == "NCCL_IB_GID_INDEX=3
NCCL_IB_HCA==mlx5_0:1,mlx5_1:1
UCX_IB_GID_INDEX=3" ]]
  bound SLURM_LOCALID=0 SLURM_NODEID=0 -- gpus=hpcrun net=mlx5_0:1,mlx5_1:1
  [[ $output == UCX_NET_DEVICES=mlx5_0:1,mlx5_1:1 ]]
  bound SLURM_LOCALID=0 SLURM_NODEID=0 SLURM_STEP_GPUS=1 -- gpus=hpcrun net=mlx5_0:1,mlx5_1:1 'near=1 mlx5_1:1'
  [[ $output == UCX_NET_DEVICES=mlx5_1:1 ]]
  bound UCX_NET_DEVICES=all SLURM_LOCALID=0 SLURM_NODEID=0 -- gpus=hpcrun net=mlx5_0:1
  [[ $output == UCX_NET_DEVICES=all ]]
  bound NCCL_IB_HCA=^mlx5_1 SLURM_LOCALID=0 SLURM_NODEID=0 -- gpus=hpcrun hca==mlx5_0:1
  [[ $output == NCCL_IB_HCA=^mlx5_1 ]]
  # Without GPUs, only the GID; without words nothing; nonsense does no harm.
  bound SLURM_LOCALID=2 SLURM_STEP_TASKS_PER_NODE=4 SLURM_NODEID=0 -- "${four[@]}"
  [[ $output == "NCCL_IB_GID_INDEX=3
UCX_IB_GID_INDEX=3" ]]
  bound SLURM_LOCALID=2 SLURM_STEP_TASKS_PER_NODE=4 SLURM_NODEID=0 CUDA_VISIBLE_DEVICES=0,1,2,3 -- set=A=gpus=hpcrun
  [[ $output == CUDA_VISIBLE_DEVICES=0,1,2,3 ]]
  bound SLURM_LOCALID=7 SLURM_STEP_TASKS_PER_NODE=x SLURM_NODEID=0 CUDA_VISIBLE_DEVICES=a,,b -- near= near=1 gpus=hpcrun
  kill "$holder"
}

@test "a step's GPUs are divided by hpcrun, unless Slurm is told how" {
  hpcrun_gpus=hpcrun
  hpcrun_srun=(--mpi=none)
  hpcrun_divide_gpus
  [[ ${hpcrun_srun[*]} == --mpi=none && -z ${HPCRUN_GPUS-} ]]
  hpcrun_srun=(--gpus-per-task=2)
  hpcrun_divide_gpus
  [[ ${hpcrun_srun[*]} == '--gpus-per-task=2 --gpu-bind=none' && -z ${HPCRUN_GPUS-} ]]
  hpcrun_srun=()
  SLURM_GPUS_PER_TASK=1 hpcrun_divide_gpus
  [[ ${hpcrun_srun[*]} == --gpu-bind=none && -z ${HPCRUN_GPUS-} ]]
  # As sbatch sets them for --gpus-per-task=1 and for --ntasks-per-gpu=2.
  hpcrun_srun=()
  SLURM_TRES_PER_TASK=gres/gpu=1 SLURM_TRES_BIND=gres/gpu:per_task:1 hpcrun_divide_gpus
  [[ ${hpcrun_srun[*]} == --gpu-bind=none && -z ${HPCRUN_GPUS-} ]]
  hpcrun_srun=()
  SLURM_NTASKS_PER_GPU=2 SLURM_TRES_BIND=gres/gpu:single:2 hpcrun_divide_gpus
  [[ ${hpcrun_srun[*]} == --gpu-bind=none && -z ${HPCRUN_GPUS-} ]]
  hpcrun_srun=()
  SLURM_GPUS_PER_TASK=1 SLURM_TRES_BIND=gres/gpu:map:1,0 hpcrun_divide_gpus
  [[ ${#hpcrun_srun[@]} == 0 && $HPCRUN_GPUS == slurm ]]
  unset HPCRUN_GPUS
  hpcrun_srun=(--gpus-per-task=2 --tres-bind=gres/gpu:closest)
  hpcrun_divide_gpus
  [[ ${#hpcrun_srun[@]} == 2 && $HPCRUN_GPUS == slurm ]]
  unset HPCRUN_GPUS
  hpcrun_srun=()
  SLURM_GPU_BIND=closest
  hpcrun_divide_gpus
  [[ ${#hpcrun_srun[@]} == 0 && $HPCRUN_GPUS == slurm ]]
}

@test "a map that does not come, or comes half, is left out" {
  local pipe
  exec {pipe}< <(printf 'gpus=hpcrun\0near=0 x:1\0gid=1\0x\0')
  run hpcrun_read_map "$pipe"
  [[ $output == *'the devices did not answer'* ]]
  exec {pipe}<&-
  exec {pipe}< <(printf '%s\0' gpus=hpcrun gid=1 fabric=roce port=mlx5_0:1 pass=/dev/x up=2 'problem=none is up' 'topology="a":1' end)
  hpcrun_read_map "$pipe"
  [[ ${hpcrun_mapped[*]} == 'gpus=hpcrun gid=1' && $hpcrun_ports_up == 2 && $hpcrun_topology_text == '"a":1' ]]
  [[ $hpcrun_fabric_here == roce && ${hpcrun_passed[*]} == /dev/x && ${hpcrun_fabric_ports[*]} == mlx5_0:1 && $hpcrun_fabric_problem == 'none is up' ]]
}

@test "the program runs in the holder's directory and namespaces, without new privileges" {
  program
  printf '%s\0' join /image.sif "user=/proc/$holder/ns/user" "mount=/proc/$holder/ns/mnt" "root=/proc/$holder/root" \
    chdir=/usr >node/enter
  # shellcheck disable=SC2016 # expanded by the inner shell
  run ./hpcrun-enter "=$PWD/node" =- =sh =-c '=pwd; readlink /proc/self/ns/user /proc/self/ns/mnt; grep NoNewPrivs /proc/self/status; echo "$@"' =x =: ===
  local user mount
  user=$(readlink "/proc/$holder/ns/user") mount=$(readlink "/proc/$holder/ns/mnt")
  kill "$holder"
  [[ $output == $'/usr\n'"$user"$'\n'"$mount"$'\nNoNewPrivs:\t1\n: ==' ]]
  [[ $(<node/ranks) == 1 ]]
}

@test "the program says what it cannot run, and runs scripts without a first line" {
  program
  printf '%s\0' join /image.sif "user=/proc/$holder/ns/user" "mount=/proc/$holder/ns/mnt" "wd=/proc/$holder/cwd" >node/enter
  printf 'echo "script $1"\n' >script
  chmod +x script
  echo >plain
  run ./hpcrun-enter "=$PWD/node" =- =./script =a
  [[ $status -eq 0 && $output == "script a" ]]
  PATH=$PWD:$PATH run ./hpcrun-enter "=$PWD/node" =- =script =b
  [[ $status -eq 0 && $output == "script b" ]]
  SLURM_PROCID=3 run -127 ./hpcrun-enter "=$PWD/node" =- =nosuch
  [[ $status -eq 127 && $output == "hpcrun: rank 3 on c1 cannot run nosuch: No such file or directory" ]]
  run ./hpcrun-enter "=$PWD/node" =- =./plain
  [[ $status -eq 126 && $output == *"cannot run ./plain: Permission denied" ]]
  run -127 ./hpcrun-enter "=$PWD/node" =- =
  [[ $status -eq 127 ]]
  kill "$holder"
  wait "$holder" || true
  run ./hpcrun-enter "=$PWD/node" =- =true
  [[ $status -eq 1 && $output == *"cannot enter, its container is gone"* ]]
  rm node/enter
  run ./hpcrun-enter "=$PWD/node" =- =true
  [[ $status -eq 1 && $output == *"cannot enter, the agent of this node and its container are gone"* ]]
}
