# The network that a launch is to use: whether this node can serve it, what of /dev a container needs for it, how far
# the ports' counters move, and what follows if ranks use TCP instead.
#
# The job script says hpcrun_fabric (auto, tcp, or a name of hpcrun_fabric_of), hpcrun_require (yes or no),
# hpcrun_memlock (the KiB that ranks must be able to lock then),
# hpcrun_providers (what the image has for it: verbs:NAME, a provider of rdma-core; libfabric and libfabric:NAME; psm2; or ?
# if that is not known), hpcrun_gres (yes if the job has GRES that are not GPUs: the agent's step has none of them) and
# hpcrun_driver (FIRST:CUDA, the first release of NVIDIA's driver that the image's CUDA runs with).

# hpcrun_fabric_title NAME: what people call a fabric, in REPLY.
hpcrun_fabric_title() {
  case $1 in
    infiniband) REPLY=InfiniBand ;;
    roce) REPLY=RoCE ;;
    slingshot) REPLY=Slingshot ;;
    omnipath) REPLY=Omni-Path ;;
    efa) REPLY=EFA ;;
    *) REPLY=RDMA ;;
  esac
}

# hpcrun_require_fabric: why this node, with this image, cannot serve the fabric that is required, and what to do; in
# REPLY, empty if it can or nothing is required. After hpcrun_discover.
hpcrun_require_fabric() {
  local i title found='' why='' missing='' limit
  REPLY=''
  [[ $hpcrun_require == yes ]] || return 0
  hpcrun_fabric_title "$hpcrun_fabric"
  title=$REPLY
  if [[ -z $hpcrun_fabric_here ]]; then
    for ((i = 0; i < ${#hpcrun_port_kind[@]}; i++)); do
      hpcrun_fabric_of "$i"
      [[ -n $REPLY && ($hpcrun_fabric == auto || $hpcrun_fabric == "$REPLY") ]] || continue
      found=$((found + 1))
      if ! hpcrun_usable "$i" && ((found < 5)); then
        why+="${why:+; }${hpcrun_port_name[i]}:${hpcrun_port_number[i]} $REPLY"
      fi
    done
    if [[ -z $found ]]; then
      REPLY="there is no $title adapter; ask for nodes that have one (--partition, --constraint)"
    else
      REPLY="no $title port can be used: $why; 'hpcrun topo --node=NODE' shows them; ask the administrators to mend it, or exclude the node (--exclude)"
    fi
    return 0
  fi
  hpcrun_fabric_title "$hpcrun_fabric_here"
  title=$REPLY
  for ((i = 0; i < ${#hpcrun_port_kind[@]}; i++)); do
    [[ -n ${hpcrun_port_fabric[i]} ]] || continue
    if [[ $hpcrun_gres == no ]] && ! { : <>"$hpcrun_real_root/dev/${hpcrun_port_file[i]}"; } 2>/dev/null; then
      REPLY="/dev/${hpcrun_port_file[i]} of $title cannot be opened in a job; ask for it if it is a GRES (--gres), or the administrators to let jobs open it (cgroup.conf ConstrainDevices)"
      return 0
    fi
    [[ -n $missing ]] || { hpcrun_provider_problem "$i" && missing=$REPLY; }
  done
  limit=$(ulimit -l)
  if [[ $hpcrun_fabric_here != slingshot && $limit != unlimited ]] && ((limit < hpcrun_memlock)); then
    REPLY="locked memory is limited to $limit KiB, and $title needs $((hpcrun_memlock >> 10)) MiB at least; ask the administrators for LimitMEMLOCK=infinity in slurmd's unit and PropagateResourceLimitsExcept=MEMLOCK in slurm.conf, or say 'ulimit -l unlimited' before you submit"
  elif [[ -n $missing ]]; then
    REPLY="the image lacks $missing, which $title needs here; install it in the image"
  else
    REPLY=''
  fi
}

# hpcrun_provider_problem PORT: what the image lacks for this port, in REPLY; fails if it lacks nothing.
hpcrun_provider_problem() {
  local have=" $hpcrun_providers " provider
  # What is bound may bring it.
  [[ $hpcrun_providers != '?' && -z ${APPTAINER_BIND-}${APPTAINER_BINDPATH-}${SINGULARITY_BIND-}${SINGULARITY_BINDPATH-} ]] || return 1
  case $hpcrun_fabric_here in
    slingshot)
      REPLY="libfabric's provider cxi"
      [[ $have != *' libfabric:cxi '* ]]
      ;;
    omnipath)
      REPLY='PSM2, or libfabric'
      [[ $have != *' psm2 '* && $have != *' libfabric '* ]]
      ;;
    *)
      hpcrun_provider_of "$1"
      provider=$REPLY
      REPLY="rdma-core's provider $provider (in Debian's package ibverbs-providers, Fedora's libibverbs)"
      [[ -z $provider || $have == *" verbs:$provider "* ]] || return 0
      REPLY="libfabric's provider efa"
      [[ $hpcrun_fabric_here == efa && $have != *' libfabric:efa '* ]]
      ;;
  esac
}

# hpcrun_provider_of PORT: the provider of rdma-core for its adapter, by the kernel's driver, in REPLY; empty if it is
# none of those known here (rdma-core, providers/*/*.c, the tables of PCI ids).
hpcrun_provider_of() {
  local driver
  driver=$(readlink "$hpcrun_real_root/sys/class/infiniband/${hpcrun_port_name[$1]}/device/driver")
  case ${driver##*/} in
    mlx5_core) REPLY=mlx5 ;;
    mlx4_core) REPLY=mlx4 ;;
    bnxt_en) REPLY=bnxt_re ;;
    ice | i40e | irdma | idpf) REPLY=irdma ;;
    hns3) REPLY=hns ;;
    qede) REPLY=qedr ;;
    efa | mana) REPLY=${driver##*/} ;;
    *)
      case ${hpcrun_port_name[$1]} in
        mlx5_* | mlx4_* | efa_*) REPLY=${hpcrun_port_name[$1]%%_*} ;;
        bnxt_re[0-9]*) REPLY=bnxt_re ;;
        *) REPLY='' ;;
      esac
      ;;
  esac
}

# Prints the device files that a container without the node's /dev needs for the fabric, as words pass=FILE (see
# hpcrun_map): of its ports, not of others. After hpcrun_discover. --nv and --rocm bring those of their GPUs themselves.
hpcrun_pass_devices() {
  local i file
  local -a more=()
  local -A wanted=()
  for ((i = 0; i < ${#hpcrun_port_kind[@]}; i++)); do
    [[ -n ${hpcrun_port_fabric[i]} ]] || continue
    wanted[${hpcrun_port_file[i]}]=1
    case ${hpcrun_port_kind[i]} in
      slingshot) wanted[ss0]=1 ;;
      *)
        more=("$hpcrun_real_root/sys/class/infiniband/${hpcrun_port_name[i]}/device/infiniband_verbs"/uverbs*)
        wanted[infiniband/${more[0]##*/}]=1 wanted[infiniband/rdma_cm]=1
        ;;
    esac
    [[ -z ${hpcrun_gpu_kind[0]-} ]] || wanted[gdrdrv]=1
  done
  # Copies between processes of a node.
  wanted[xpmem]=1 wanted[knem]=1
  for ((i = 0; i < ${#hpcrun_gpu_kind[@]}; i++)); do
    [[ ${hpcrun_gpu_kind[i]} != intel || -z ${hpcrun_gpu_file[i]} ]] || wanted[${hpcrun_gpu_file[i]}]=1
  done
  for file in "${!wanted[@]}"; do
    if [[ -e $hpcrun_real_root/dev/$file && ! -d $hpcrun_real_root/dev/$file && $file =~ ^[A-Za-z0-9_./-]+$ ]]; then
      printf 'pass=/dev/%s\0' "$file"
    fi
  done
  [[ -z $hpcrun_mps ]] || printf 'pass=%s\0' "$hpcrun_mps"
}

# hpcrun_dev OPTION…: what the container has of the node's /dev, in REPLY: whole, minimal or no; by its options and the
# runtime's configuration.
hpcrun_dev() {
  local word file name runtime
  REPLY=minimal
  for word in "$@"; do
    [[ $word != --contain ]] || return 0
  done
  REPLY=whole runtime=$(readlink -f -- "$hpcrun_runtime")
  for name in "${runtime##*/}" apptainer singularity; do
    for file in "${runtime%/bin/*}/etc" /etc; do
      file+=/$name/$name.conf
      if [[ -f $file && -r $file ]]; then
        word=$(grep -E '^[[:blank:]]*mount dev[[:blank:]]*=' "$file" | tail -n 1)
        word=${word##*=}
        case ${word//[[:blank:]]/} in
          minimal | no) REPLY=${word//[[:blank:]]/} ;;
          *) ;;
        esac
        return 0
      fi
    done
  done
}

# REPLY: why this node's NVIDIA driver cannot run the image's CUDA; empty if it can, or has none.
hpcrun_driver_problem() {
  local line=''
  REPLY=''
  [[ -n $hpcrun_driver ]] || return 0
  { IFS= read -r line <"${hpcrun_root-}/proc/driver/nvidia/version"; } 2>/dev/null || return 0
  if [[ $line == *'Kernel Module'* && $line =~ \ ([0-9]{2,6})((\.[0-9]+)+)\  ]] && ((BASH_REMATCH[1] < ${hpcrun_driver%%:*})); then
    REPLY="the NVIDIA driver is ${BASH_REMATCH[1]}${BASH_REMATCH[2]}, and CUDA ${hpcrun_driver#*:} of the image needs ${hpcrun_driver%%:*} at least; ask for other nodes, or use an image with an older CUDA"
  fi
}

# Prints what each RDMA port has sent and received, in bytes: NAME:NUMBER SENT RECEIVED. The counters of InfiniBand
# count words of four bytes (Linux, Documentation/ABI/stable/sysfs-class-infiniband); EFA has its own.
hpcrun_count_traffic() {
  local i port
  local -a hpcrun_found hpcrun_found_in
  local -A sent=() received=()
  hpcrun_lines "${hpcrun_root-}"/sys/class/infiniband/*/ports/*/counters/port_{xmit,rcv}_data \
    "${hpcrun_root-}"/sys/class/infiniband/*/ports/*/hw_counters/{tx,rx}_bytes
  for ((i = 0; i < ${#hpcrun_found[@]}; i++)); do
    hpcrun_as_number "${hpcrun_found[i]}"
    [[ -n $REPLY ]] || continue
    port=${hpcrun_found_in[i]%/*/*}
    port=${port%/ports/*}:${port##*/} port=${port##*/}
    [[ $port =~ ^[A-Za-z0-9_.-]+:[0-9]+$ ]] || continue
    case ${hpcrun_found_in[i]##*/} in
      port_xmit_data) sent[$port]=$((10#$REPLY * 4)) ;;
      port_rcv_data) received[$port]=$((10#$REPLY * 4)) ;;
      tx_bytes) sent[$port]=$((10#$REPLY)) ;;
      *) received[$port]=$((10#$REPLY)) ;;
    esac
  done
  for port in "${!sent[@]}"; do
    printf '%s %s %s\n' "$port" "${sent[$port]}" "${received[$port]:-0}"
  done
}

# Begins to read the counters; hpcrun_read_traffic takes them. hpcrun_traffic_first is not empty before the first time.
hpcrun_ask_traffic() {
  exec {hpcrun_traffic}< <(hpcrun_count_traffic)
}

# Takes the counters of the fabric's ports that were asked for, waiting 2 s at most. The first time they are where the
# launch begins; later hpcrun_sent and hpcrun_received say, for each port, how far it has moved since.
hpcrun_read_traffic() {
  local port sent received first=$hpcrun_traffic_first
  hpcrun_traffic_first=''
  while read -r -t 2 -u "$hpcrun_traffic" port sent received; do
    [[ " ${hpcrun_fabric_ports[*]-} " == *" $port "* && "$sent $received" =~ ^-?[0-9]{1,20}\ -?[0-9]{1,20}$ ]] || continue
    if [[ -n $first ]]; then
      hpcrun_sent_before[$port]=$sent hpcrun_received_before[$port]=$received
    fi
    [[ -n ${hpcrun_sent_before[$port]+set} ]] || continue
    hpcrun_sent[$port]=$((sent - hpcrun_sent_before[$port]))
    hpcrun_received[$port]=$((received - hpcrun_received_before[$port]))
  done
  exec {hpcrun_traffic}<&-
}

# REPLY: what the ports have moved, as members of the node's record.
hpcrun_traffic_members() {
  local port sent=0 received=0 list=''
  REPLY=''
  ((${#hpcrun_sent[@]})) || return 0
  for port in "${!hpcrun_sent[@]}"; do
    hpcrun_json "$port"
    list+="${list:+,}{\"port\":\"$REPLY\",\"sent_bytes\":${hpcrun_sent[$port]},\"received_bytes\":${hpcrun_received[$port]}}"
    sent=$((sent + hpcrun_sent[$port])) received=$((received + hpcrun_received[$port]))
  done
  REPLY=",\"rdma_sent_bytes\":$sent,\"rdma_received_bytes\":$received,\"rdma_traffic\":[$list]"
}

# After a look at the ranks: notes it, once for a step, if one of them has TCP connections to other machines and no
# device of the fabric open although this node has it, and its MPI is initialised: MPI opens devices when it is
# initialised, so it does without them. Before that, and without MPI, a connection may be for something else, such as
# a store, a licence or a database. Seen twice, two seconds apart. Where the fabric is required, the launch is to end.
hpcrun_judge_network() {
  local i pid tries=0
  local -a rank
  [[ -n $hpcrun_fabric_here ]] || return 0
  for i in "${!hpcrun_talking[@]}"; do
    IFS=' ' read -r -a rank <<<"${hpcrun_line[i]}"
    if [[ $hpcrun_judged == *" ${rank[1]} "* ]] || ((tries++ > 7)); then
      continue
    fi
    for pid in ${hpcrun_talking[i]}; do
      hpcrun_guard_process "$pid"
      if (($? > 1 || hpcrun_guard_ranks < 2 || hpcrun_guard_nodes < 2)) || [[ -z $hpcrun_guard_whole ]]; then
        continue
      fi
      if [[ $hpcrun_suspect != "${rank[1]}" ]]; then
        hpcrun_suspect=${rank[1]} hpcrun_look_again=$((SECONDS + 2))
        return 0
      fi
      hpcrun_suspect='' hpcrun_judged+="${rank[1]} " hpcrun_fallback=${rank[1]}
      hpcrun_fabric_title "$hpcrun_fabric_here"
      hpcrun_fallback_text="rank ${rank[2]} uses TCP, although the node has $REPLY (${hpcrun_evidence[i]})"
      # One scancel would do: the others wait whether the ranks end.
      hpcrun_fallback_end=$((SECONDS + (${SLURM_NODEID:-0} + 7) / 8))
      if [[ $hpcrun_require == no ]] && ((${SLURM_NODEID:-0} < 64)); then # the pipe holds no more
        hpcrun_note tcp 0 "$hpcrun_fallback_text"
      fi
      return 0
    done
  done
}

# Ends the step whose ranks do not use the fabric that is required, when it is time, if it still runs.
hpcrun_end_fallback() {
  local i rank
  [[ $hpcrun_require == yes && -n $hpcrun_fallback ]] && ((SECONDS >= hpcrun_fallback_end)) || return 0
  for i in "${!hpcrun_pid[@]}"; do
    IFS=' ' read -r -a rank <<<"${hpcrun_line[i]}"
    if [[ ${rank[1]} == "$hpcrun_fallback" ]] && kill -0 "${hpcrun_pid[i]}" 2>/dev/null; then
      hpcrun_say "on $hpcrun_node $hpcrun_fallback_text; the launch is ended (--require-fabric)"
      hpcrun_advise_network
      hpcrun_note alone 3 ''
      scancel --signal=KILL "$SLURM_JOB_ID.$hpcrun_fallback"
      hpcrun_fallback_end=$((SECONDS + 60))
      return 0
    fi
  done
}

# What to do about ranks that use TCP.
hpcrun_advise_network() {
  hpcrun_say "what to do: 'hpcrun inspect' says what the image has for networks, 'hpcrun topo --node=NODE' what the node has; UCX_LOG_LEVEL=info, FI_LOG_LEVEL=info or NCCL_DEBUG=INFO say what was chosen and why"
}
