#!/usr/bin/env bats
# The fabric of a launch: which ports it uses, whether a node can serve it, what of /dev a container needs for it. On
# trees of files shaped like those of real machines (trees/*.tree).

bats_require_minimum_version 1.5.0

setup() {
  local part
  for part in agent container topology binding fabric; do
    # shellcheck source=/dev/null
    source "$BATS_TEST_DIRNAME/../../main/resources/io/hpcrun/agent/$part.bash"
  done
  trees=$BATS_TEST_DIRNAME/../trees
  cd "$BATS_TEST_TMPDIR" || return 1
  hpcrun_roce_interface='' hpcrun_fabric=auto hpcrun_require=yes hpcrun_providers='?' hpcrun_memlock=1048576 hpcrun_gres=no hpcrun_driver=''
  hpcrun_root=tree
  ulimit() { echo unlimited; }
}

# look TREE [LINE…]: discovers a tree with more lines; the problem, if there is one, is in problem.
look() {
  rm -rf tree
  { cat "$trees/$1.tree" && printf '%s\n' "${@:2}"; } >this.tree
  "$trees/build-tree" this.tree tree
  hpcrun_discover
  hpcrun_require_fabric
  problem=$REPLY
  [[ -z $problem ]] || printf '# %s\n' "$problem" >&3
}

# The names of the ports that make up the fabric.
ports() {
  local i
  for i in "${!hpcrun_port_name[@]}"; do
    [[ -z ${hpcrun_port_fabric[i]} ]] || printf '%s ' "${hpcrun_port_name[i]}"
  done
}

@test "the fabric is the fastest one, or the one that is wanted" {
  look mixed
  [[ $hpcrun_fabric_here == infiniband && $(ports) == 'mlx5_0 ' && -z $problem ]]
  hpcrun_fabric=roce
  look mixed "gid mlx5_1 1 1 'RoCE v2' 0000:0000:0000:0000:0000:ffff:0a00:0007 ens2"
  [[ $hpcrun_fabric_here == roce && $(ports) == 'mlx5_1 ' && -z $problem ]]
  hpcrun_fabric=tcp hpcrun_require=no
  look mixed
  [[ -z $hpcrun_fabric_here && -z $(ports) && -z $problem ]]
}

@test "required: there is no adapter" {
  hpcrun_fabric=slingshot
  look dgx-h100-ib
  [[ $problem == 'there is no Slingshot adapter; ask for nodes that have one'* ]]
}

@test "required: no port is up" {
  look vm-sriov 'put sys/class/infiniband/mlx5_0/ports/1/state "1: DOWN"'
  [[ $problem == 'no RDMA port can be used: mlx5_0:1 is DOWN; '* ]]
}

@test "required: there is no verbs device" {
  look vm-sriov 'rm "$root/dev/infiniband/uverbs0"'
  [[ $problem == *'mlx5_0:1 has no device file /dev/infiniband/uverbs0'* ]]
}

@test "required: the device may not be opened" {
  if ((EUID == 0)); then
    skip 'root may open everything'
  fi
  look vm-sriov 'chmod 0 "$root/dev/infiniband/uverbs0"'
  [[ $problem == *'mlx5_0:1 cannot be used: you may not open /dev/infiniband/uverbs0'* ]]
}

@test "required: the device cannot be opened in a job" {
  # A directory stands for what the device cgroup forbids: access(2) allows it, open(2) fails.
  look vm-sriov 'rm "$root/dev/infiniband/uverbs0"; mkdir "$root/dev/infiniband/uverbs0"'
  [[ $problem == '/dev/infiniband/uverbs0 of InfiniBand cannot be opened in a job; '*ConstrainDevices* ]]
  hpcrun_gres=yes # it may be a GRES, which ranks have and the agent has not
  look vm-sriov 'rm "$root/dev/infiniband/uverbs0"; mkdir "$root/dev/infiniband/uverbs0"'
  [[ -z $problem ]]
}

@test "required: RoCE has no routable address" {
  hpcrun_fabric=roce
  look mixed
  [[ $problem == *'mlx5_1:1 has no GID of RoCE v2 with a routable address, only link-local addresses'* ]]
}

@test "required: too little memory may be locked" {
  ulimit() { echo 8192; }
  look vm-sriov
  [[ $problem == 'locked memory is limited to 8192 KiB, and InfiniBand needs 1024 MiB at least; '*LimitMEMLOCK=infinity* ]]
  ulimit() { echo 1048576; }
  look vm-sriov
  [[ -z $problem ]]
}

@test "required: the image lacks a provider" {
  hpcrun_providers='ucx verbs:efa'
  look vm-sriov
  [[ $problem == "the image lacks rdma-core's provider mlx5"*'which InfiniBand needs here'* ]]
  # By the driver, whatever the adapter is called.
  look vm-sriov 'ln -s ../../../../bus/pci/drivers/mlx4_core "$root/sys/class/infiniband/mlx5_0/device/driver"'
  [[ $problem == "the image lacks rdma-core's provider mlx4"* ]]
  hpcrun_providers='ucx verbs:mlx5'
  look vm-sriov
  [[ -z $problem ]]
  look mi250x-slingshot
  [[ $problem == "the image lacks libfabric's provider cxi"* ]]
  hpcrun_providers='libfabric libfabric:cxi'
  look mi250x-slingshot
  [[ -z $problem ]]
  look efa 'ln -s ../../../../bus/pci/drivers/efa "$root/sys/class/infiniband/rdmap10s27/device/driver"'
  [[ $problem == "the image lacks rdma-core's provider efa"* ]]
  hpcrun_providers='verbs:efa'
  look efa
  [[ $problem == "the image lacks libfabric's provider efa"* ]]
  hpcrun_providers=''
  look omnipath
  [[ $problem == 'the image lacks PSM2, or libfabric'* ]]
  hpcrun_providers='psm2'
  look omnipath
  [[ -z $problem ]]
}

# passed TREE [LINE…]: the device files that a container needs.
passed() {
  look "$@" >/dev/null
  hpcrun_pass_devices | tr '\0' '\n' | sort | tr '\n' ' '
}

@test "a container without the node's /dev gets the fabric's devices, and no others" {
  hpcrun_require=no
  [[ $(passed mixed) == 'pass=/dev/infiniband/rdma_cm pass=/dev/infiniband/uverbs0 ' ]]
  [[ $(passed processors 'device_file infiniband/umad0 infiniband/issm0 knem fuse sda') == 'pass=/dev/infiniband/rdma_cm pass=/dev/infiniband/uverbs0 pass=/dev/infiniband/uverbs1 pass=/dev/knem pass=/dev/xpmem ' ]]
  [[ $(passed mi250x-slingshot 'device_file ss0') == 'pass=/dev/cxi0 pass=/dev/cxi1 pass=/dev/cxi2 pass=/dev/cxi3 pass=/dev/ss0 ' ]]
  [[ $(passed omnipath 'device_file gdrdrv') == 'pass=/dev/gdrdrv pass=/dev/hfi1_0 pass=/dev/infiniband/rdma_cm pass=/dev/infiniband/uverbs0 ' ]]
  [[ $(passed intel-max-slingshot) == *' pass=/dev/dri/renderD128 '* ]]
  hpcrun_fabric=tcp
  [[ $(passed mixed) == '' ]]
}

@test "whether the container has a /dev of its own, by option or by the runtime's configuration" {
  mkdir -p usr/bin usr/etc/apptainer
  hpcrun_runtime=$PWD/usr/bin/apptainer
  echo 'mount dev = yes' >usr/etc/apptainer/apptainer.conf
  hpcrun_dev --nv
  [[ $REPLY == whole ]]
  hpcrun_dev --nv --contain
  [[ $REPLY == minimal ]]
  printf '# mount dev = yes\n  mount dev= minimal\n' >usr/etc/apptainer/apptainer.conf
  hpcrun_dev
  [[ $REPLY == minimal ]]
  # By a link in another directory, and by the other name.
  mkdir bin
  : >usr/bin/apptainer
  ln -s ../usr/bin/apptainer bin/singularity
  hpcrun_runtime=$PWD/bin/singularity
  hpcrun_dev
  [[ $REPLY == minimal ]]
  echo 'mount dev = no' >usr/etc/apptainer/apptainer.conf
  hpcrun_dev
  [[ $REPLY == no ]]
}

@test "a driver that is older than the image's CUDA needs" {
  local line
  hpcrun_driver=525:12
  mkdir -p tree/proc/driver/nvidia
  for line in 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.57.02  Tue Jul 13 16:14:05 UTC 2021' \
    'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  470.57.02  Release Build  (root@x)'; do
    echo "$line" >tree/proc/driver/nvidia/version
    hpcrun_driver_problem
    [[ $REPLY == 'the NVIDIA driver is 470.57.02, and CUDA 12 of the image needs 525 at least; '* ]]
  done
  echo 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build' >tree/proc/driver/nvidia/version
  hpcrun_driver_problem
  [[ -z $REPLY ]]
  echo 'NVRM version: 9+a[$(touch evaluated >&2)]' >tree/proc/driver/nvidia/version
  hpcrun_driver_problem
  [[ -z $REPLY && ! -e evaluated ]]
  rm tree/proc/driver/nvidia/version
  hpcrun_driver_problem
  [[ -z $REPLY ]]
}

@test "how far the ports' counters have moved" {
  local -A hpcrun_sent=() hpcrun_received=() hpcrun_sent_before=() hpcrun_received_before=()
  local -a hpcrun_fabric_ports=(mlx5_0:1 rdma:1)
  local hpcrun_traffic_first=1 port=tree/sys/class/infiniband/mlx5_0/ports/1/counters efa=tree/sys/class/infiniband/rdma/ports/1/hw_counters
  mkdir -p "$port" "$efa" "${port/mlx5_0/storage}"
  echo 1 >"${port/mlx5_0/storage}/port_xmit_data" # not of the fabric
  echo 1000 >"$port/port_xmit_data" && echo 008 >"$port/port_rcv_data"
  echo 70 >"$efa/tx_bytes" && echo 80 >"$efa/rx_bytes"
  hpcrun_ask_traffic
  hpcrun_read_traffic
  [[ ${hpcrun_sent[mlx5_0:1]} == 0 ]]
  echo 1500 >"$port/port_xmit_data" && echo 18 >"$port/port_rcv_data" && echo 71 >"$efa/tx_bytes"
  hpcrun_ask_traffic
  hpcrun_read_traffic
  [[ ${hpcrun_sent[mlx5_0:1]} == 2000 && ${hpcrun_received[mlx5_0:1]} == 40 && ${hpcrun_sent[rdma:1]} == 1 ]]
  hpcrun_traffic_members
  [[ $REPLY == ',"rdma_sent_bytes":2001,"rdma_received_bytes":40,"rdma_traffic":['*'{"port":"mlx5_0:1","sent_bytes":2000,"received_bytes":40}'* ]]
  echo 'x[$(touch evaluated)]' >"$port/port_xmit_data"
  hpcrun_ask_traffic
  hpcrun_read_traffic
  [[ ! -e evaluated && ${#hpcrun_sent[@]} == 2 ]]
  # A name that would be read as another port's line.
  mkdir -p 'tree/sys/class/infiniband/mlx5_0:1 a[$(touch evaluated)] b/ports/1/counters'
  echo 7 >'tree/sys/class/infiniband/mlx5_0:1 a[$(touch evaluated)] b/ports/1/counters/port_xmit_data'
  exec {hpcrun_traffic}< <(hpcrun_count_traffic && echo 'mlx5_0:1 a[$(touch evaluated)] 1')
  hpcrun_read_traffic
  [[ ! -e evaluated ]]
  hpcrun_discover
  [[ ! -e evaluated && "${hpcrun_problems[*]}" == *'an adapter with an odd name is passed over: mlx5_0:1 a['* && ${#hpcrun_port_name[@]} == 3 ]]
}
