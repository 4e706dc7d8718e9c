# What a node has: GPUs, network ports and how near they are to each other, from /sys, /proc and /dev; and
# from that, which port each GPU's rank uses. Nothing is run and nothing is opened for writing. The tree
# is looked at below hpcrun_root, which is empty on a node.
#
# hpcrun_discover fills, for each GPU, in the order in which its vendor's library counts them,
#   hpcrun_gpu_kind (nvidia, amd, intel) _pci _path _numa _uuid _model _file (below /dev) _parts (MIG
#   compute instances, tiles) _port (the number of the nearest port, - without one) _why
# and for each port of a network adapter
#   hpcrun_port_kind (verbs, iwarp, efa, omnipath, slingshot) _name _number _pci _path _numa _file _virtual
#   _state _rate (Gbit/s) _link (InfiniBand, Ethernet ...) _interface _subnet (of InfiniBand) _gid (the index to
#   use, empty if none has to be chosen or none fits) _fabric (whether it is one of the fastest ports of one kind,
#   which are the fabric) _why
# besides hpcrun_devices (other device files), hpcrun_gpudirect (the module that lets adapters reach GPUs), hpcrun_mps,
# hpcrun_machine and hpcrun_problems. What cannot be read is
# empty.

# hpcrun_read FILE: its first line, in REPLY; empty if it cannot be read. An unused entry of a GID table
# is such a file (EINVAL; Linux, drivers/infiniband/core/sysfs.c).
hpcrun_read() {
  REPLY=''
  [[ -f $1 ]] || return 0 # no pipe, no device
  { IFS= read -r REPLY <"$1"; } 2>/dev/null || [[ -n $REPLY ]] || REPLY=''
}

# hpcrun_as_number TEXT: the text in REPLY if it is a number, else nothing. Bash evaluates what it calculates with: a
# text of a file must not get there.
hpcrun_as_number() {
  REPLY=''
  [[ ! $1 =~ ^[0-9]{1,20}$ ]] || REPLY=$1
}

# hpcrun_is_name NAME: whether an adapter is called as adapters are: names go into variables and lists.
hpcrun_is_name() {
  [[ $1 =~ ^[A-Za-z0-9_.-]{1,64}$ ]] || {
    hpcrun_problems+=("an adapter with an odd name is passed over: $1")
    return 1
  }
}

# hpcrun_locate DIRECTORY: where a device is, the names from its root complex on, in REPLY; its PCI
# address in hpcrun_pci, its NUMA node in hpcrun_numa and the processors near to it in hpcrun_cpus. A device without
# a node is near to all (-1).
hpcrun_locate() {
  local path=''
  hpcrun_pci='' hpcrun_numa='' hpcrun_cpus=''
  if cd -P -- "$1" 2>/dev/null; then
    path=${PWD#"$hpcrun_real_root"/sys/devices/}
    hpcrun_pci=${path##*/}
    [[ $hpcrun_pci == [0-9a-f]*:*:*.* ]] || hpcrun_pci=''
    hpcrun_read numa_node
    hpcrun_as_number "$REPLY"
    hpcrun_numa=${REPLY:--1}
    hpcrun_read local_cpulist
    [[ ! $REPLY =~ ^[0-9,-]{1,1000}$ ]] || hpcrun_cpus=$REPLY
  fi
  REPLY=$path
}

# hpcrun_common PATH PATH: how many names two paths have in common, in REPLY.
hpcrun_common() {
  local one=$1/ other=$2/
  REPLY=0
  while [[ -n $one && ${one%%/*} == "${other%%/*}" && -n ${one%%/*} ]]; do
    one=${one#*/} other=${other#*/} REPLY=$((REPLY + 1))
  done
}

# hpcrun_lines FILE…: what is in these files, in hpcrun_found and hpcrun_found_in: each line and the file that it is
# in. One program for all of them; files that cannot be read are left out.
hpcrun_lines() {
  local file line
  hpcrun_found=() hpcrun_found_in=()
  (($#)) || return 0
  while IFS= read -r -d '' file && IFS= read -r line; do
    hpcrun_found_in+=("$file") hpcrun_found+=("$line")
  done < <(printf '%s\0' "$@" | LC_ALL=C xargs -0 grep -asHZ -D skip . 2>/dev/null)
}

hpcrun_discover() {
  hpcrun_real_root=''
  if [[ -n $hpcrun_root ]]; then
    hpcrun_real_root=$(cd -P -- "$hpcrun_root" 2>/dev/null && printf '%s' "$PWD") || return 1
  fi
  hpcrun_gpu_kind=() hpcrun_gpu_pci=() hpcrun_gpu_path=() hpcrun_gpu_numa=() hpcrun_gpu_uuid=()
  hpcrun_gpu_model=() hpcrun_gpu_file=() hpcrun_gpu_parts=() hpcrun_gpu_port=() hpcrun_gpu_why=()
  hpcrun_port_kind=() hpcrun_port_name=() hpcrun_port_number=() hpcrun_port_pci=() hpcrun_port_path=()
  hpcrun_port_numa=() hpcrun_port_file=() hpcrun_port_virtual=() hpcrun_port_state=() hpcrun_port_rate=()
  hpcrun_port_link=() hpcrun_port_interface=() hpcrun_port_gid=() hpcrun_port_why=()
  hpcrun_port_subnet=() hpcrun_port_fabric=() hpcrun_gpu_cpus=() hpcrun_port_cpus=()
  hpcrun_devices=() hpcrun_problems=() hpcrun_gpudirect='' hpcrun_mps=''
  hpcrun_machine=metal
  if grep -qsm 1 '^flags.* hypervisor' "$hpcrun_real_root/proc/cpuinfo" ||
    [[ -e $hpcrun_real_root/sys/hypervisor/type ]]; then
    hpcrun_machine=virtual
  fi
  hpcrun_discover_nvidia
  hpcrun_discover_amd
  hpcrun_discover_intel
  hpcrun_discover_verbs
  hpcrun_discover_slingshot
  hpcrun_discover_devices
  hpcrun_find_fabric
  hpcrun_pair
}

# hpcrun_add_gpu KIND PATH MODEL UUID FILE PARTS, where hpcrun_pci and hpcrun_numa are its own.
hpcrun_add_gpu() {
  hpcrun_gpu_kind+=("$1") hpcrun_gpu_path+=("$2") hpcrun_gpu_model+=("$3") hpcrun_gpu_uuid+=("$4")
  hpcrun_gpu_file+=("$5") hpcrun_gpu_parts+=("$6") hpcrun_gpu_pci+=("$hpcrun_pci") hpcrun_gpu_numa+=("$hpcrun_numa")
  hpcrun_gpu_cpus+=("$hpcrun_cpus")
}

# The driver has a directory for each GPU, named by its PCI address; CUDA counts in this order
# (CUDA_DEVICE_ORDER=PCI_BUS_ID). Device files alone say that there is a GPU, not where.
hpcrun_discover_nvidia() {
  local directory line name file i minor
  local -a parts hpcrun_found hpcrun_found_in
  local -A model=() uuid=() number=()
  hpcrun_lines "$hpcrun_real_root"/proc/driver/nvidia/gpus/*/information
  for ((i = 0; i < ${#hpcrun_found[@]}; i++)); do
    file=${hpcrun_found_in[i]%/*} line=${hpcrun_found[i]#*:}
    line=${line#"${line%%[![:space:]]*}"}
    case ${hpcrun_found[i]} in
      Model:*) model[$file]=$line ;;
      'GPU UUID:'*) uuid[$file]=$line ;;
      'Device Minor:'*)
        hpcrun_as_number "$line"
        number[$file]=$REPLY
        ;;
      *) ;;
    esac
  done
  for directory in "$hpcrun_real_root"/proc/driver/nvidia/gpus/*; do
    [[ -d $directory ]] || continue
    name=${directory##*/} minor=${number[$directory]-}
    hpcrun_locate "$hpcrun_real_root/sys/bus/pci/devices/$name"
    [[ -n $hpcrun_pci ]] || hpcrun_problems+=("GPU $name is not in /sys: where it is cannot be told")
    hpcrun_pci=$name parts=()
    if [[ -n $minor ]]; then
      parts=("$hpcrun_real_root/proc/driver/nvidia/capabilities/gpu$minor/mig"/gi*/ci*)
      [[ -e ${parts[0]} ]] || parts=()
    else
      hpcrun_problems+=("the driver's information about GPU $name cannot be read")
    fi
    hpcrun_add_gpu nvidia "$REPLY" "${model[$directory]-}" "${uuid[$directory]-}" "${minor:+nvidia$minor}" "${#parts[@]}"
  done
  if ((${#hpcrun_gpu_kind[@]} == 0)); then
    hpcrun_pci='' hpcrun_numa='' hpcrun_cpus=''
    for ((i = 0; i < 64; i++)); do
      [[ ! -e $hpcrun_real_root/dev/nvidia$i ]] || hpcrun_add_gpu nvidia '' '' '' "nvidia$i" 0
    done
  fi
}

# Nodes of the KFD topology that have SIMD units; ROCr counts in this order. location_id is bus, device
# and function in 8, 5 and 3 bits (Linux, drivers/gpu/drm/amd/amdkfd/kfd_topology.c). Where
# Slurm constrains devices, steps without GPUs, as the agent's, may not read those of GPUs
# (kfd_devcgroup_check_permission): then they are found as graphics cards, in PCI order, if there are as many.
hpcrun_discover_amd() {
  local -a kfd=("$hpcrun_real_root"/sys/class/kfd/kfd/topology/nodes/*) hpcrun_found hpcrun_found_in
  local id=-1 found=0 i node value address model uuid hidden=0 shown=0 card
  local -a problems=() cards=() files
  local -A property=() seen=()
  [[ -d ${kfd[0]} ]] || return 0
  hpcrun_lines "${kfd[@]/%//properties}"
  for ((i = 0; i < ${#hpcrun_found[@]}; i++)); do
    node=${hpcrun_found_in[i]%/*} node=${node##*/}
    seen[$node]=1
    hpcrun_as_number "${hpcrun_found[i]##* }"
    property[$node ${hpcrun_found[i]% *}]=$REPLY
  done
  while ((found < ${#kfd[@]} && ++id < 4096)); do
    [[ -d $hpcrun_real_root/sys/class/kfd/kfd/topology/nodes/$id ]] || continue
    found=$((found + 1))
    if [[ -z ${seen[$id]-} ]]; then
      hidden=$((hidden + 1)) problems+=("KFD node $id cannot be read")
    fi
    [[ ${property[$id simd_count]:-0} == [1-9]* ]] || continue
    value=${property[$id location_id]:-0}
    printf -v address '%04x:%02x:%02x.%d' "${property[$id domain]:-0}" $((value >> 8 & 255)) \
      $((value >> 3 & 31)) $((value & 7))
    model=${property[$id gfx_target_version]:-} uuid=''
    [[ -z $model ]] || printf -v model 'gfx%d%x%x' $((model / 10000)) $((model / 100 % 100)) $((model % 100))
    value=${property[$id unique_id]:-0}
    [[ ! $value =~ ^[1-9][0-9]*$ ]] || printf -v uuid 'GPU-%016x' "$value"
    hpcrun_locate "$hpcrun_real_root/sys/bus/pci/devices/$address"
    hpcrun_pci=$address value=${property[$id drm_render_minor]-}
    shown=$((shown + 1))
    hpcrun_add_gpu amd "$REPLY" "$model" "$uuid" "${value:+dri/renderD$value}" 0
  done
  if ((hidden)); then
    while IFS= read -r card; do
      [[ -z $card ]] || cards+=("$card")
    done < <(hpcrun_cards 0x1002)
    if ((${#cards[@]} != shown + hidden)); then
      hpcrun_problems+=("${problems[@]}")
      return
    fi
    for ((; shown > 0; shown--)); do
      unset -v 'hpcrun_gpu_kind[-1]' 'hpcrun_gpu_path[-1]' 'hpcrun_gpu_model[-1]' 'hpcrun_gpu_uuid[-1]' \
        'hpcrun_gpu_file[-1]' 'hpcrun_gpu_parts[-1]' 'hpcrun_gpu_pci[-1]' 'hpcrun_gpu_numa[-1]' 'hpcrun_gpu_cpus[-1]'
    done
    for card in "${cards[@]}"; do
      hpcrun_locate "$card/device"
      files=("$card/device/drm"/renderD*)
      [[ -e ${files[0]} ]] || files=('')
      hpcrun_add_gpu amd "$REPLY" '' '' "${files[0]:+dri/${files[0]##*/}}" 0
    done
  fi
}

# hpcrun_cards VENDOR: prints the graphics cards of a vendor, by PCI address.
hpcrun_cards() {
  local card
  for card in "$hpcrun_real_root"/sys/class/drm/card*; do
    [[ ${card##*/} =~ ^card[0-9]+$ ]] || continue # card0-DP-1 is a plug
    hpcrun_read "$card/device/vendor"
    [[ $REPLY == "$1" ]] || continue
    hpcrun_locate "$card/device"
    printf '%s %s\n' "$hpcrun_pci" "$card"
  done | sort | cut -d ' ' -f 2-
}

# Intel's GPUs without a screen (PCI class 0380, display controller: other), and their tiles. Level Zero
# counts by PCI address.
hpcrun_discover_intel() {
  local card path
  local -a tiles files
  while IFS= read -r card; do
    hpcrun_read "$card/device/class"
    [[ $REPLY == 0x0380* ]] || continue
    hpcrun_locate "$card/device"
    path=$REPLY
    files=("$card/device/drm"/renderD*) tiles=("$card/gt"/gt*)
    [[ -e ${tiles[0]} ]] || tiles=("$card/device"/tile*)
    hpcrun_read "$card/device/device"
    [[ -e ${tiles[0]} ]] || tiles=()
    [[ -e ${files[0]} ]] || files=('')
    hpcrun_add_gpu intel "$path" "${REPLY:+8086:${REPLY#0x}}" '' "${files[0]:+dri/${files[0]##*/}}" "${#tiles[@]}"
  done < <(hpcrun_cards 0x8086)
}

# hpcrun_add_port KIND NAME NUMBER PATH FILE VIRTUAL STATE RATE LINK INTERFACE, where hpcrun_pci and
# hpcrun_numa are its own.
hpcrun_add_port() {
  hpcrun_port_kind+=("$1") hpcrun_port_name+=("$2") hpcrun_port_number+=("$3") hpcrun_port_path+=("$4")
  hpcrun_port_file+=("$5") hpcrun_port_virtual+=("$6") hpcrun_port_state+=("$7") hpcrun_port_rate+=("$8")
  hpcrun_port_link+=("$9") hpcrun_port_interface+=("${10}") hpcrun_port_gid+=('') hpcrun_port_why+=('')
  hpcrun_port_subnet+=('') hpcrun_port_fabric+=('')
  hpcrun_port_pci+=("$hpcrun_pci") hpcrun_port_numa+=("$hpcrun_numa") hpcrun_port_cpus+=("$hpcrun_cpus")
}

# Adapters with verbs: InfiniBand, RoCE, Omni-Path, EFA; one entry for each port (Linux,
# Documentation/ABI/stable/sysfs-class-infiniband).
hpcrun_discover_verbs() {
  local device name kind path file virtual port state rate link interface number i
  local -a files hpcrun_found hpcrun_found_in
  local -A hpcrun_gid_types=()
  files=("$hpcrun_real_root"/sys/class/infiniband/*/ports/*/gid_attrs/types/*)
  [[ -e ${files[0]} ]] || files=()
  hpcrun_lines "${files[@]+"${files[@]}"}"
  for ((i = 0; i < ${#hpcrun_found[@]}; i++)); do
    file=${hpcrun_found_in[i]} port=${hpcrun_found_in[i]%/gid_attrs/*}
    hpcrun_gid_types[$port]+="${file##*/}:${hpcrun_found[i]}"$'\n'
  done
  for device in "$hpcrun_real_root"/sys/class/infiniband/*; do
    [[ -d $device ]] || continue
    name=${device##*/}
    hpcrun_is_name "$name" || continue
    hpcrun_locate "$device/device"
    path=$REPLY virtual=0 kind=verbs
    [[ ! -e $device/device/physfn ]] || virtual=1
    if [[ $name == hfi1_* ]]; then
      kind=omnipath
    else
      hpcrun_read "$device/device/vendor"
      [[ $REPLY != 0x1d0f ]] || kind=efa # Amazon's only adapter with verbs
    fi
    hpcrun_read "$device/node_type"
    [[ $REPLY != 4:* ]] || kind=iwarp # RNIC: neither UCX nor NCCL uses it
    files=("$device/device/infiniband_verbs"/uverbs*)
    file=''
    [[ ! -e ${files[0]} ]] || file=infiniband/${files[0]##*/}
    [[ -n $file ]] || hpcrun_problems+=("$name has no verbs device: the kernel module ib_uverbs is not loaded")
    if [[ $kind == omnipath && -e $hpcrun_real_root/dev/$name ]]; then
      file=$name
    fi
    for port in "$device/ports"/*; do
      number=${port##*/}
      [[ -d $port && $number =~ ^[0-9]{1,3}$ ]] || continue
      hpcrun_read "$port/state"
      state=${REPLY#*: }
      [[ -n $state ]] || hpcrun_problems+=("the state of $name:$number cannot be read")
      hpcrun_read "$port/rate"
      rate=${REPLY%% *}
      [[ $rate =~ ^[0-9]{1,6}(\.[0-9]+)?$ ]] || rate=''
      hpcrun_read "$port/link_layer"
      link=$REPLY interface=''
      if [[ $link == Ethernet ]]; then
        hpcrun_read "$port/gid_attrs/ndevs/0"
        interface=$REPLY
      fi
      if [[ -z $interface ]]; then
        files=("$device/device/net"/*)
        [[ ! -e ${files[0]} ]] || interface=${files[0]##*/}
      fi
      hpcrun_add_port "$kind" "$name" "$number" "$path" "$file" "$virtual" "$state" "$rate" "$link" "$interface"
      if [[ $link == Ethernet && $kind == verbs ]]; then
        hpcrun_choose_gid "$port" "${hpcrun_roce_interface-}"
      elif [[ $link == InfiniBand ]]; then
        hpcrun_read "$port/gids/0"
        hpcrun_port_subnet[-1]=${REPLY:0:19}
      fi
    done
  done
}

# hpcrun_choose_gid PORT [INTERFACE]: the index of the GID that RoCE is to use, for the port that was added
# last: the lowest one of type RoCE v2 that is routable, an IPv4 address before an IPv6 one, on the
# interface if one is wanted (UCX, uct_ib_device_select_gid; NCCL, ncclIbGetGidIndex). Link-local addresses
# and version 1 do not pass routers. hpcrun_gid_types holds INDEX:TYPE of the entries that are used; reading
# another one is an error.
hpcrun_choose_gid() {
  local line index type gid interface best='' best_rank=9 rank seen=''
  local at=$((${#hpcrun_port_kind[@]} - 1))
  while IFS= read -r line; do
    index=${line%%:*} type=${line#*:}
    [[ $index =~ ^(0|[1-9][0-9]{0,5})$ ]] || continue
    hpcrun_read "$1/gids/$index"
    gid=$REPLY
    [[ -n ${gid//[0:]/} ]] || continue
    hpcrun_read "$1/gid_attrs/ndevs/$index"
    interface=$REPLY
    if [[ $type != 'RoCE v2' ]]; then
      seen=${seen:-version 1}
      continue
    fi
    case $gid in
      0000:0000:0000:0000:0000:ffff:a9fe:*) rank=8 ;; # 169.254.0.0/16
      0000:0000:0000:0000:0000:ffff:*) rank=1 ;;
      fe[89ab]?:*) rank=8 ;;
      *) rank=2 ;;
    esac
    if ((rank == 8)); then
      seen='link-local addresses'
      continue
    fi
    if [[ -n ${2-} && $interface != "$2" ]]; then
      seen="addresses of other interfaces than $2"
      continue
    fi
    if ((rank < best_rank || (rank == best_rank && index < best))); then
      best=$index best_rank=$rank
      hpcrun_port_interface[at]=$interface
    fi
  done <<<"${hpcrun_gid_types[$1]-}"
  hpcrun_port_gid[at]=$best
  if [[ -n $best ]]; then
    hpcrun_port_why[at]="GID $best is the first one of RoCE v2 with a routable address"
  elif [[ ${hpcrun_port_state[at]} == ACTIVE ]]; then
    hpcrun_port_why[at]="no GID of RoCE v2 with a routable address${seen:+, only $seen}"
    hpcrun_problems+=("${hpcrun_port_name[at]}:${hpcrun_port_number[at]} has ${hpcrun_port_why[at]}")
  fi
}

# Slingshot's adapters; whether they are up is what their network interface says (hsn0).
hpcrun_discover_slingshot() {
  local device path state rate virtual
  local -a interfaces
  for device in "$hpcrun_real_root"/sys/class/cxi/cxi*; do
    if [[ ! -d $device ]] || ! hpcrun_is_name "${device##*/}"; then
      continue
    fi
    hpcrun_locate "$device/device"
    path=$REPLY virtual=0
    [[ ! -e $device/device/physfn ]] || virtual=1
    interfaces=("$device/device/net"/*)
    state='' rate=''
    if [[ -e ${interfaces[0]} ]]; then
      hpcrun_read "${interfaces[0]}/operstate"
      [[ $REPLY != up ]] || state=ACTIVE
      [[ $REPLY == up ]] || state=${REPLY^^}
      hpcrun_read "${interfaces[0]}/speed"
      [[ ! $REPLY =~ ^[1-9][0-9]{0,8}$ ]] || rate=$((REPLY / 1000))
    else
      interfaces=('')
    fi
    hpcrun_add_port slingshot "${device##*/}" 1 "$path" "${device##*/}" "$virtual" "$state" "$rate" Slingshot \
      "${interfaces[0]##*/}"
  done
}

# Device files besides those of GPUs and ports that their libraries use; the module with which adapters copy from
# GPUs; where the Multi-Process Service of CUDA listens (NVIDIA, MPS, CUDA_MPS_PIPE_DIRECTORY).
hpcrun_discover_devices() {
  local file
  for file in nvidia_peermem nv_peer_mem; do
    [[ ! -e $hpcrun_real_root/sys/module/$file ]] || hpcrun_gpudirect=$file
  done
  file=$hpcrun_real_root/tmp/nvidia-mps # anybody could make it
  if [[ -p $file/control && $(stat -c %u -- "$file") =~ ^(0|$UID)$ ]]; then
    hpcrun_mps=/tmp/nvidia-mps
  fi
  for file in gdrdrv xpmem knem kfd nvidiactl nvidia-uvm nvidia-uvm-tools nvidia-modeset infiniband/rdma_cm ss0; do
    [[ ! -e $hpcrun_real_root/dev/$file ]] || hpcrun_devices+=("$file")
  done
  for file in "$hpcrun_real_root"/dev/nvidia-caps-imex-channels/channel* "$hpcrun_real_root"/dev/nvidia-caps/nvidia-cap*; do
    [[ ! -e $file ]] || hpcrun_devices+=("${file#"$hpcrun_real_root"/dev/}")
  done
}

# hpcrun_fabric_of PORT: the name of the fabric that a port would belong to, in REPLY; empty for iWARP, which neither
# UCX nor NCCL uses.
hpcrun_fabric_of() {
  case "${hpcrun_port_kind[$1]} ${hpcrun_port_link[$1]}" in
    'verbs InfiniBand') REPLY=infiniband ;;
    'verbs Ethernet') REPLY=roce ;;
    slingshot*) REPLY=slingshot ;;
    omnipath*) REPLY=omnipath ;;
    efa*) REPLY=efa ;;
    *) REPLY='' ;;
  esac
}

# Marks the ports that make up the fabric: of those that can be used, the fastest, all of one kind and link layer.
# Slower ones and those of another kind are for storage or management, and do not reach each other. A virtual
# function counts only where there is nothing else. hpcrun_fabric is the kind that is wanted: auto, tcp (none), or
# a name of hpcrun_fabric_of. Which one it is stands in hpcrun_fabric_here, empty if there is none.
hpcrun_find_fabric() {
  local i name best='' most=-1 virtual
  local wanted=${hpcrun_fabric:-auto}
  hpcrun_fabric_here=''
  for virtual in 0 1; do
    for name in infiniband slingshot omnipath efa roce; do
      [[ $wanted == auto || $wanted == "$name" ]] || continue
      for ((i = 0; i < ${#hpcrun_port_kind[@]}; i++)); do
        hpcrun_fabric_of "$i"
        if [[ $REPLY == "$name" && ${hpcrun_port_virtual[i]} == "$virtual" ]] &&
          hpcrun_usable "$i" && ((${hpcrun_port_rate[i]%%.*} > most)); then
          most=${hpcrun_port_rate[i]%%.*} best="$name ${hpcrun_port_link[i]} ${hpcrun_port_rate[i]} $virtual"
          hpcrun_fabric_here=$name
        fi
      done
    done
    [[ -z $best ]] || break
  done
  for ((i = 0; i < ${#hpcrun_port_kind[@]}; i++)); do
    hpcrun_fabric_of "$i"
    if [[ "$REPLY ${hpcrun_port_link[i]} ${hpcrun_port_rate[i]} ${hpcrun_port_virtual[i]}" == "$best" ]] &&
      hpcrun_usable "$i"; then
      hpcrun_port_fabric[i]=1
    fi
  done
}

# hpcrun_usable PORT: whether it is up, its device can be opened, and it has an address for RoCE; else REPLY says
# why not.
hpcrun_usable() {
  local file=$hpcrun_real_root/dev/${hpcrun_port_file[$1]}
  if [[ ${hpcrun_port_state[$1]} != ACTIVE ]]; then
    REPLY="is ${hpcrun_port_state[$1]:-in an unknown state}"
  elif [[ -z ${hpcrun_port_file[$1]} ]]; then
    REPLY='has no verbs device'
  elif [[ ! -e $file ]]; then
    REPLY="has no device file /dev/${hpcrun_port_file[$1]}"
  elif [[ ! -r $file || ! -w $file ]]; then
    REPLY="cannot be used: you may not open /dev/${hpcrun_port_file[$1]}"
  elif [[ ! ${hpcrun_port_rate[$1]} =~ ^[0-9] ]]; then
    REPLY='does not tell its rate'
  elif [[ "${hpcrun_port_kind[$1]} ${hpcrun_port_link[$1]} ${hpcrun_port_gid[$1]}" == 'verbs Ethernet ' ]]; then
    REPLY="has ${hpcrun_port_why[$1]:-no GID}"
  else
    return 0
  fi
  return 1
}

# Gives each GPU its nearest port of the fabric: by the longest common path through PCI switches, then by NUMA
# node, then the one that fewest GPUs have, then in their order.
hpcrun_pair() {
  local gpu port near best best_near best_used
  local -a used=()
  for ((gpu = 0; gpu < ${#hpcrun_gpu_kind[@]}; gpu++)); do
    best=- best_near=-1 best_used=0
    for ((port = 0; port < ${#hpcrun_port_kind[@]}; port++)); do
      [[ -n ${hpcrun_port_fabric[port]} ]] || continue
      hpcrun_common "${hpcrun_gpu_path[gpu]}" "${hpcrun_port_path[port]}"
      near=$((REPLY * 2))
      if [[ ${hpcrun_gpu_numa[gpu]} == "${hpcrun_port_numa[port]}" && ${hpcrun_gpu_numa[gpu]} =~ ^[0-9] ]]; then
        near=$((near + 1))
      fi
      if ((near > best_near || (near == best_near && ${used[port]:-0} < best_used))); then
        best=$port best_near=$near best_used=${used[port]:-0}
      fi
    done
    hpcrun_gpu_port+=("$best")
    if [[ $best == - ]]; then
      hpcrun_gpu_why+=('')
      continue
    fi
    used[best]=$((${used[best]:-0} + 1))
    if ((best_near > 3)); then
      hpcrun_gpu_why+=('behind the same PCI switch')
    elif ((best_near > 1)); then
      hpcrun_gpu_why+=('below the same root complex')
    elif ((best_near == 1)); then
      hpcrun_gpu_why+=('on the same NUMA node')
    else
      hpcrun_gpu_why+=('none is nearer')
    fi
  done
}

# hpcrun_member NAME VALUE: a member of a JSON object behind others, left out if it is empty; numbers and
# booleans as they are. Appends to hpcrun_text.
hpcrun_member() {
  [[ -n $2 ]] || return 0
  if [[ $2 =~ ^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?$ || $2 == true || $2 == false ]]; then
    hpcrun_text+=",\"$1\":$2"
  else
    hpcrun_json "$2"
    hpcrun_text+=",\"$1\":\"$REPLY\""
  fi
}

# What was discovered as the members of a JSON object, a device on each line, in REPLY.
hpcrun_topology() {
  local i hpcrun_text list='' port flag
  list='"machine":"'$hpcrun_machine'"'
  list+=$',\n"gpus":['
  for ((i = 0; i < ${#hpcrun_gpu_kind[@]}; i++)); do
    hpcrun_text="{\"gpu\":$i"
    hpcrun_member kind "${hpcrun_gpu_kind[i]}"
    hpcrun_member model "${hpcrun_gpu_model[i]}"
    hpcrun_member uuid "${hpcrun_gpu_uuid[i]}"
    hpcrun_member pci "${hpcrun_gpu_pci[i]}"
    hpcrun_member numa "${hpcrun_gpu_numa[i]}"
    hpcrun_text+=${hpcrun_gpu_cpus[i]:+,\"cpus\":\"${hpcrun_gpu_cpus[i]}\"}
    hpcrun_member device "${hpcrun_gpu_file[i]:+/dev/${hpcrun_gpu_file[i]}}"
    [[ ${hpcrun_gpu_parts[i]} == 0 ]] || hpcrun_member parts "${hpcrun_gpu_parts[i]}"
    port=${hpcrun_gpu_port[i]}
    if [[ $port != - ]]; then
      hpcrun_member port "${hpcrun_port_name[port]}:${hpcrun_port_number[port]}"
      hpcrun_member why "${hpcrun_gpu_why[i]}"
    fi
    list+=$'\n'$hpcrun_text'}'
    ((i + 1 == ${#hpcrun_gpu_kind[@]})) || list+=,
  done
  list+=$'],\n"ports":['
  for ((i = 0; i < ${#hpcrun_port_kind[@]}; i++)); do
    hpcrun_json "${hpcrun_port_name[i]}:${hpcrun_port_number[i]}"
    hpcrun_text="{\"port\":\"$REPLY\""
    flag=false
    ((hpcrun_port_virtual[i] == 0)) || flag=true
    hpcrun_member kind "${hpcrun_port_kind[i]}"
    [[ -z ${hpcrun_port_fabric[i]} ]] || hpcrun_member fabric true
    hpcrun_member link "${hpcrun_port_link[i]}"
    hpcrun_member state "${hpcrun_port_state[i]}"
    hpcrun_member rate_gbps "${hpcrun_port_rate[i]}"
    hpcrun_member pci "${hpcrun_port_pci[i]}"
    hpcrun_member numa "${hpcrun_port_numa[i]}"
    hpcrun_text+=${hpcrun_port_cpus[i]:+,\"cpus\":\"${hpcrun_port_cpus[i]}\"}
    hpcrun_member virtual_function "$flag"
    hpcrun_member interface "${hpcrun_port_interface[i]}"
    hpcrun_member device "${hpcrun_port_file[i]:+/dev/${hpcrun_port_file[i]}}"
    hpcrun_member gid_index "${hpcrun_port_gid[i]}"
    hpcrun_member why "${hpcrun_port_why[i]}"
    list+=$'\n'$hpcrun_text'}'
    ((i + 1 == ${#hpcrun_port_kind[@]})) || list+=,
  done
  list+=$'],\n"devices":['
  for ((i = 0; i < ${#hpcrun_devices[@]}; i++)); do
    ((i == 0)) || list+=,
    list+="\"/dev/${hpcrun_devices[i]}\""
  done
  list+=$'],\n"problems":['
  for ((i = 0; i < ${#hpcrun_problems[@]}; i++)); do
    hpcrun_json "${hpcrun_problems[i]}"
    ((i == 0)) || list+=,
    list+=$'\n"'$REPLY'"'
  done
  list+=']'
  REPLY=$list${hpcrun_gpudirect:+,\"gpudirect\":\"$hpcrun_gpudirect\"}${hpcrun_mps:+,\"mps\":\"$hpcrun_mps\"}
}
