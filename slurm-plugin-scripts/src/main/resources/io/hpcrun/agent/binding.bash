# What the ranks of a node need of its GPUs and network ports: the map, made once by the agent from what topology.bash
# sees, and how each rank takes its own from it, which hpcrun-enter.c does too.

# Whether there is anything here that needs a map.
hpcrun_has_devices() {
  local -a some=(/dev/nvidia[0-9]* /sys/class/kfd/kfd/topology/nodes/1 /sys/class/infiniband/* /sys/class/cxi/* /dev/dri/renderD*)
  local file
  for file in "${some[@]}"; do
    [[ ! -e $file ]] || return 0
  done
  return 1
}

# hpcrun_map BIND PIN: what the ranks need of this node, as words of the file "enter" (see hpcrun_write_enter), each
# ended by NUL; and for the agent the words
#   up=NUMBER                        ports that are up
#   fabric=NAME                      the fabric that this node has (see hpcrun_fabric_of), if any
#   port=NAME:NUMBER                 one of its ports that has counters
#   pass=FILE                        a device file that a container without the node's /dev needs
#   problem=TEXT                     why the node cannot serve the fabric that is required
#   topology=JSON
# the last of them being "end". BIND: hpcrun if hpcrun divides the GPUs among the ranks, slurm if Slurm does. PIN: yes
# if the image's UCX can use InfiniBand and RoCE. Ports are given to GPUs only where there is a choice, all ports
# reach each other (one InfiniBand subnet) and Slurm's numbers are those of GPUs, not of their parts.
hpcrun_map() {
  local i port up=0 ports=0 divided=0 subnet='' one=1 gid='' amd='' list='' others=0
  hpcrun_root=''
  hpcrun_discover
  for ((i = 0; i < ${#hpcrun_port_kind[@]}; i++)); do
    [[ ${hpcrun_port_state[i]} != ACTIVE ]] || up=$((up + 1))
    if [[ -n ${hpcrun_port_fabric[i]} ]]; then
      printf 'port=%s:%s\0' "${hpcrun_port_name[i]}" "${hpcrun_port_number[i]}"
    elif [[ ${hpcrun_port_state[i]} == ACTIVE && ${hpcrun_port_kind[i]} == verbs ]]; then
      others=1
    fi
    [[ -n ${hpcrun_port_fabric[i]} && ${hpcrun_port_kind[i]} == verbs ]] || continue
    ports=$((ports + 1)) list+=${list:+,}${hpcrun_port_name[i]}:${hpcrun_port_number[i]}
    [[ ${subnet:=${hpcrun_port_subnet[i]}} == "${hpcrun_port_subnet[i]}" ]] || one=0
    [[ ${gid:=${hpcrun_port_gid[i]}} == "${hpcrun_port_gid[i]}" ]] || gid=-
  done
  for ((i = 0; i < ${#hpcrun_gpu_kind[@]}; i++)); do
    [[ ${hpcrun_gpu_kind[i]} != nvidia || ${hpcrun_gpu_parts[i]} == 0 ]] || divided=1
    [[ ${hpcrun_gpu_kind[i]} != amd ]] || amd=-amd
  done
  printf 'gpus=%s\0' "$1$amd"
  if [[ $gid =~ ^[0-9]+$ ]]; then
    printf 'gid=%s\0' "$gid"
  fi
  if [[ $2 == yes ]] && ((ports > 1 && one && divided == 0)); then
    for ((i = 0; i < ${#hpcrun_gpu_kind[@]}; i++)); do
      port=${hpcrun_gpu_port[i]}
      [[ $port == - ]] || printf 'near=%d %s:%s\0' "$i" "${hpcrun_port_name[port]}" "${hpcrun_port_number[port]}"
    done
  fi
  if ((others)) && [[ -n $list ]]; then
    printf 'hca==%s\0' "$list" # exactly these: NCCL would use all
    if [[ $hpcrun_fabric != auto && $2 == yes ]]; then
      printf 'net=%s\0' "$list" # UCX would choose among all
    fi
  fi
  [[ -z $hpcrun_fabric_here ]] || printf 'fabric=%s\0' "$hpcrun_fabric_here"
  hpcrun_pass_devices
  hpcrun_require_fabric
  [[ -z $REPLY ]] || printf 'problem=%s\0' "$REPLY"
  hpcrun_topology
  printf '%s\0' "up=$up" "topology=${REPLY//$'\n'/}" end
}

# Takes what hpcrun_map says from a descriptor: the words for the ranks in hpcrun_mapped, the others in
# hpcrun_ports_up, hpcrun_fabric_here, hpcrun_fabric_ports, hpcrun_passed, hpcrun_fabric_problem and
# hpcrun_topology_text; waits 5 s at most, or 30 s if the fabric is required: a device that hangs must not hold the
# launch.
hpcrun_read_map() {
  local word='' limit=5 deadline
  [[ $hpcrun_require != yes ]] || limit=30
  deadline=$((SECONDS + limit))
  hpcrun_mapped=() hpcrun_fabric_ports=() hpcrun_passed=() hpcrun_fabric_here='' hpcrun_fabric_problem=''
  while ((SECONDS <= deadline)) && IFS= read -r -d '' -t "$limit" -u "$1" word; do
    case $word in
      up=*) hpcrun_ports_up=${word#*=} ;;
      fabric=*) hpcrun_fabric_here=${word#*=} ;;
      port=*) hpcrun_fabric_ports+=("${word#*=}") ;;
      pass=*) hpcrun_passed+=("${word#*=}") ;;
      problem=*) hpcrun_fabric_problem=${word#*=} ;;
      topology=*) hpcrun_topology_text=${word#*=} ;;
      end) return 0 ;;
      *) hpcrun_mapped+=("$word") ;;
    esac
  done
  hpcrun_mapped=() hpcrun_ports_up='' hpcrun_topology_text='' hpcrun_passed=() hpcrun_fabric_here=''
  hpcrun_fabric_problem="whether it has the fabric cannot be told: its devices did not answer within $limit s"
  [[ -n ${hpcrun_terminated-} ]] || # the job is being ended
    hpcrun_note remark 0 "the devices did not answer within $limit s, or could not be looked at: GPUs are not divided among ranks"
}

# hpcrun_share LIST RANK RANKS: the part of a list with commas that a rank has of it, in REPLY: as equal as
# can be and in order; ranks share where there are fewer.
hpcrun_share() {
  local -a items
  local first last
  IFS=, read -r -a items <<<"$1"
  first=$(($2 * ${#items[@]} / $3)) last=$((($2 + 1) * ${#items[@]} / $3 - 1))
  ((last >= first)) || last=$first
  REPLY=$(IFS=, && printf '%s' "${items[*]:first:last-first+1}")
}

# hpcrun_count_local COUNTS NODE: the number of tasks on a node of a step, from SLURM_STEP_TASKS_PER_NODE, such
# as 2(x3),1, in REPLY.
hpcrun_count_local() {
  local part count times node=$2
  local -a parts
  IFS=, read -r -a parts <<<"$1"
  REPLY=1
  for part in "${parts[@]+"${parts[@]}"}"; do
    count=${part%%(*} times=1
    if [[ $part == *'(x'* ]]; then
      times=${part##*(x} times=${times%)}
    fi
    [[ $count$times =~ ^[0-9]{1,12}$ && $node =~ ^[0-9]{1,9}$ ]] || return 0
    if ((node < times)); then
      REPLY=$count
      return
    fi
    node=$((node - times))
  done
}

# hpcrun_bind_devices WORD…: gives this rank its GPUs and their ports, by those words of the file "enter". What is
# set stays: the user or the image's author meant it. HPCRUN_GPUS=slurm says that Slurm has divided the GPUs of this
# step.
hpcrun_bind_devices() {
  local hpcrun_word hpcrun_bind='' hpcrun_gid='' hpcrun_hca='' hpcrun_net='' hpcrun_ranks hpcrun_local hpcrun_list hpcrun_ports='' REPLY
  local hpcrun_number hpcrun_cut='CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES ZE_AFFINITY_MASK GPU_DEVICE_ORDINAL'
  for hpcrun_word in "$@"; do
    case $hpcrun_word in
      gpus=*) hpcrun_bind=${hpcrun_word#gpus=} ;;
      gid=*) hpcrun_gid=${hpcrun_word#gid=} ;;
      hca=*) hpcrun_hca=${hpcrun_word#hca=} ;;
      net=*) hpcrun_net=${hpcrun_word#net=} ;;
      *) ;;
    esac
  done
  [[ -n $hpcrun_bind ]] || return 0
  hpcrun_count_local "${SLURM_STEP_TASKS_PER_NODE-${SLURM_TASKS_PER_NODE-1}}" "${SLURM_NODEID:-0}"
  hpcrun_ranks=$((REPLY > 0 ? REPLY : 1)) hpcrun_local=${SLURM_LOCALID:-0}
  [[ $hpcrun_local =~ ^[0-9]{1,9}$ ]] || hpcrun_local=0
  ((hpcrun_local < hpcrun_ranks)) || hpcrun_local=0 # a command may have set something else
  hpcrun_list=${SLURM_STEP_GPUS-}
  if [[ $hpcrun_bind == hpcrun* && ${HPCRUN_GPUS-} != slurm ]]; then
    # ROCr shows what is left, from 0 on, to HIP and OpenCL, which choose once more by their own variables.
    [[ $hpcrun_bind != *-amd || -z ${ROCR_VISIBLE_DEVICES-} ]] || hpcrun_cut=ROCR_VISIBLE_DEVICES
    for hpcrun_word in $hpcrun_cut; do
      if [[ ${!hpcrun_word-} == *,* ]]; then
        hpcrun_share "${!hpcrun_word}" "$hpcrun_local" "$hpcrun_ranks"
        export "$hpcrun_word=$REPLY"
        if [[ $hpcrun_cut == ROCR_VISIBLE_DEVICES ]]; then
          unset -v CUDA_VISIBLE_DEVICES HIP_VISIBLE_DEVICES GPU_DEVICE_ORDINAL
        fi
      fi
    done
    if [[ $hpcrun_list == *,* ]]; then
      hpcrun_share "$hpcrun_list" "$hpcrun_local" "$hpcrun_ranks"
      hpcrun_list=$REPLY
    fi
  fi
  # Slurm's numbers are in this order where they are not renumbered (gres.conf).
  if [[ -n ${CUDA_VISIBLE_DEVICES-} && -z ${CUDA_DEVICE_ORDER+set} ]]; then
    export CUDA_DEVICE_ORDER=PCI_BUS_ID
  fi
  if [[ -n ${UCX_NET_DEVICES+set}${APPTAINERENV_UCX_NET_DEVICES+set}${SINGULARITYENV_UCX_NET_DEVICES+set} ]]; then
    hpcrun_gid=''
  else
    for hpcrun_word in "$@"; do
      hpcrun_number=${hpcrun_word#near=} hpcrun_number=${hpcrun_number%% *}
      if [[ $hpcrun_word == near=[0-9]*' '* && ,$hpcrun_list, == *",$hpcrun_number,"* && ,$hpcrun_ports, != *",${hpcrun_word#near=* },"* ]]; then
        hpcrun_ports+=${hpcrun_ports:+,}${hpcrun_word#near=* }
      fi
    done
    hpcrun_ports=${hpcrun_ports:-$hpcrun_net}
    [[ -z $hpcrun_ports ]] || export "UCX_NET_DEVICES=$hpcrun_ports"
  fi
  if [[ -n $hpcrun_gid ]]; then # the same for all ports of the fabric
    [[ -n ${UCX_IB_GID_INDEX+set} ]] || export "UCX_IB_GID_INDEX=$hpcrun_gid"
    [[ -n ${NCCL_IB_GID_INDEX+set}${NCCL_IB_HCA+set}${APPTAINERENV_NCCL_IB_HCA+set}${SINGULARITYENV_NCCL_IB_HCA+set} ]] ||
      export "NCCL_IB_GID_INDEX=$hpcrun_gid"
  fi
  if [[ -n $hpcrun_hca && -z ${NCCL_IB_HCA+set}${APPTAINERENV_NCCL_IB_HCA+set}${SINGULARITYENV_NCCL_IB_HCA+set} ]]; then
    export "NCCL_IB_HCA=$hpcrun_hca"
  fi
}
