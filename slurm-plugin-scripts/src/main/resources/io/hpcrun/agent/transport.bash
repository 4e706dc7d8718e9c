# Which network the ranks really use, seen from outside: the device files (also those of GPUs) that their processes
# have open, the libraries that they have loaded, and their TCP connections to other machines. Looked at once some
# seconds after the ranks' start, and once more a minute later, for what connects late; a few programs for all ranks of
# a node.

# hpcrun_transport_look LOOKS, how many there were: fills hpcrun_network (rdma, tcp or unknown) and hpcrun_evidence for
# each rank that lives, by the same numbers as hpcrun_pid; of those with TCP connections and without devices also
# hpcrun_talking, their processes that have some. What was seen once stays seen; but from the second look on a device is no
# proof if no port of the fabric has sent anything.
hpcrun_transport_look() {
  local i pid file target line inode remote own still=''
  local -a pids=() maps=()
  hpcrun_talking=()
  local -A rank=() device=() gpus=() library=() peer=() connections=() machines=() seen=()
  for i in "${!hpcrun_pid[@]}"; do
    hpcrun_family "${hpcrun_pid[i]}"
    for pid in "${hpcrun_processes[@]}"; do
      rank[$pid]=$i
      pids+=("/proc/$pid/fd") maps+=("/proc/$pid/maps")
    done
  done
  ((${#pids[@]})) || return 0
  if ((${#hpcrun_fabric_ports[@]})); then
    hpcrun_read_traffic
    hpcrun_ask_traffic
    hpcrun_read_traffic
    hpcrun_ask_traffic
    if (($1 > 0 && ${#hpcrun_sent[@]} == ${#hpcrun_fabric_ports[@]})) && [[ ! ${hpcrun_sent[*]} =~ [1-9] ]]; then
      still=1
    fi
  fi
  # Established connections (01) to other machines, by the inode of the socket (Linux, Documentation/networking/
  # proc_net_tcp.rst). A remote address that is also the local one is this machine.
  while read -r _ own remote target _ _ _ _ _ inode _; do
    remote=${remote%:*}
    if [[ $target == 01 && $remote != "${own%:*}" && ! $remote =~ ^(.{6}|0{16}FFFF0000.{6})7F$|^0{24}01000000$ ]]; then
      peer[$inode]=$remote
    fi
  done < <(head -qn 50000 "${pids[0]%/fd}/net/tcp" "${pids[0]%/fd}/net/tcp6" 2>/dev/null)
  while IFS=' ' read -r file target; do
    pid=${file#/proc/} pid=${pid%%/*}
    i=${rank[$pid]}
    case $target in
      socket:*)
        inode=${target#socket:\[} inode=${inode%\]}
        if [[ -n ${peer[$inode]-} ]]; then
          connections[$i]=$((${connections[$i]:-0} + 1))
          if [[ -z ${seen[$i ${peer[$inode]}]-} ]]; then
            seen[$i ${peer[$inode]}]=1
            machines[$i]=$((${machines[$i]:-0} + 1))
            [[ " ${hpcrun_talking[i]-} " == *" $pid "* ]] || hpcrun_talking[i]+=" $pid"
          fi
        fi
        ;;
      /dev/nvidia* | /dev/kfd | /dev/dri/*)
        [[ " ${gpus[$i]-} " == *" $target "* ]] || gpus[$i]+=${gpus[$i]:+ }$target
        ;;
      *) [[ " ${device[$i]-} " == *" $target "* ]] || device[$i]+=${device[$i]:+ }$target ;;
    esac
  done < <(find "${pids[@]}" -mindepth 1 -maxdepth 1 \
    \( -lname '/dev/infiniband/uverbs*' -o -lname '/dev/cxi[0-9]*' -o -lname '/dev/hfi1_[0-9]*' -o -lname '/dev/nvidia[0-9]*' \
      -o -lname /dev/kfd -o -lname '/dev/dri/renderD*' -o -lname 'socket:*' \) \
    -printf '%p %l\n' 2>/dev/null)
  while IFS= read -r line; do
    pid=${line#/proc/} pid=${pid%%/*}
    i=${rank[$pid]} target=${line##*/}
    [[ " ${library[$i]-} " == *" $target "* ]] || library[$i]+=${library[$i]:+ }$target
  done < <(grep -sHoE '/lib(ibverbs|mlx[45]|efa|cxi|psm2|psm3|fabric|ucp|uct_ib|bnxt_re)[^/ ]*\.so[^/ ]*' \
    "${maps[@]}")
  for i in "${!hpcrun_pid[@]}"; do
    if [[ -n ${device[$i]-} && -n $still && -n ${connections[$i]-} ]]; then
      hpcrun_network[i]=tcp
      unset -v "hpcrun_talking[$i]"
      hpcrun_evidence[i]="TCP connections: ${connections[$i]}, to other machines: ${machines[$i]}; open: ${device[$i]}, but no port has sent anything"
    elif [[ -n ${device[$i]-} ]]; then
      unset -v "hpcrun_talking[$i]"
      hpcrun_network[i]=rdma
      hpcrun_evidence[i]="open: ${device[$i]}${library[$i]:+; loaded: ${library[$i]}}"
    elif [[ ${hpcrun_network[i]-} != rdma && -n ${connections[$i]-} ]]; then
      hpcrun_network[i]=tcp
      hpcrun_evidence[i]="TCP connections: ${connections[$i]}, to other machines: ${machines[$i]}${library[$i]:+; loaded: ${library[$i]}}"
    else
      hpcrun_network[i]=${hpcrun_network[i]:-unknown}
    fi
    if [[ -n ${gpus[$i]-} && ${hpcrun_evidence[i]-} != *'GPUs: '* ]]; then
      hpcrun_evidence[i]+="${hpcrun_evidence[i]:+; }GPUs: ${gpus[$i]}"
    fi
  done
}

# hpcrun_family PID: the process and what it has started, two generations, 16 at most, in hpcrun_processes. A rank may
# be a shell, or the container's runtime.
hpcrun_family() {
  local i file
  local -a children
  hpcrun_processes=("$1")
  for ((i = 0; i < ${#hpcrun_processes[@]} && i < 5; i++)); do
    for file in "/proc/${hpcrun_processes[i]}/task/"*/children; do
      children=()
      { read -r -a children <"$file"; } 2>/dev/null
      hpcrun_processes+=("${children[@]+"${children[@]}"}")
    done
  done
  hpcrun_processes=("${hpcrun_processes[@]:0:16}")
}
