#!/usr/bin/env bats
# What the agent sees of a node, on trees of files shaped like those of real machines (trees/*.tree), and what it
# makes of it. The answers stand beside the trees; TREES_WRITE=1 writes them anew, to be read before they are kept.

bats_require_minimum_version 1.5.0

setup() {
  local part
  for part in agent topology binding fabric; do
    # shellcheck source=/dev/null
    source "$BATS_TEST_DIRNAME/../../main/resources/io/hpcrun/agent/$part.bash"
  done
  trees=$BATS_TEST_DIRNAME/../trees
  cd "$BATS_TEST_TMPDIR" || return 1
  hpcrun_roce_interface='' hpcrun_fabric=auto hpcrun_require=no hpcrun_providers='?' hpcrun_memlock=1048576 hpcrun_gres=no hpcrun_driver=''
}

# discover TREE: the tree's answer, in the file "answer".
discover() {
  "$trees/build-tree" "$trees/$1.tree" tree
  hpcrun_root=tree
  hpcrun_discover
  hpcrun_topology
  printf '{%s}\n' "$REPLY" >answer
  [[ -z ${TREES_WRITE-} ]] || cp answer "$trees/$1.json"
  diff "$trees/$1.json" answer
}

@test "eight GPUs with an InfiniBand adapter each" { discover dgx-h100-ib; }
@test "eight GPUs with an Ethernet adapter each" { discover dgx-h100-roce; }
@test "two bonded ports" { discover bond; }
@test "a virtual machine with a virtual function" { discover vm-sriov; }
@test "AMD's modules of two GPUs, with Slingshot" { discover mi250x-slingshot; }
@test "AMD's modules, hidden from a step without GPUs" { discover mi250x-constrained; }
@test "AMD GPUs with Ethernet adapters" { discover mi300x-roce; }
@test "Intel GPUs with Slingshot" { discover intel-max-slingshot; }
@test "MIG instances, and a port without a cable" { discover mig; }
@test "Omni-Path" { discover omnipath; }
@test "EFA" { discover efa; }
@test "holes and files that cannot be read" { discover broken; }
@test "a node without GPUs" { discover processors; }
@test "InfiniBand beside Ethernet and iWARP" { discover mixed; }
@test "virtual functions beside their adapter" { discover virtual-functions; }

# What a copy of another machine's files may hold.
@test "texts of files are not evaluated, and what is no file is not read" {
  cp "$trees/mi300x-roce.tree" hostile.tree
  local evil='9+a[$(touch evaluated >&2)]'
  cat >>hostile.tree <<TREE
put sys/class/infiniband/bnxt_re0/ports/1/rate '$evil'
put sys/class/kfd/kfd/topology/nodes/2/properties 'simd_count 440
location_id $evil
gfx_target_version $evil
domain $evil'
put sys/class/kfd/kfd/topology/nodes/3/properties 'simd_count $evil'
put sys/devices/pci0000:46/0000:46:01.0/0000:48:00.0/0000:49:00.0/numa_node '$evil'
nvidia 0 pci0000:70/0000:70:01.0/0000:71:00.0 0 x
put proc/driver/nvidia/gpus/0000:71:00.0/information 'Device Minor: $evil'
nvidia 1 pci0000:70/0000:70:02.0/0000:72:00.0 0 x
rm "\$root/proc/driver/nvidia/gpus/0000:72:00.0/information"
mkfifo "\$root/proc/driver/nvidia/gpus/0000:72:00.0/information"
rm "\$root/sys/class/infiniband/bnxt_re1/ports/1/rate"
mkfifo "\$root/sys/class/infiniband/bnxt_re1/ports/1/rate"
ln -sf /dev/zero "\$root/sys/devices/pci0000:70/0000:70:01.0/0000:71:00.0/numa_node"
TREE
  "$trees/build-tree" hostile.tree tree
  hpcrun_root=tree
  hpcrun_discover
  hpcrun_topology
  [[ ! -e evaluated && -z $(find tree -name evaluated) ]]
  [[ $REPLY == *'"port":"bnxt_re2:1"'* && $REPLY != *touch* ]]
  SLURM_LOCALID=$evil SLURM_STEP_TASKS_PER_NODE=$evil CUDA_VISIBLE_DEVICES=0,1 hpcrun_bind_devices gpus=hpcrun
  [[ ! -e evaluated ]]
}

@test "a node with nothing says so" {
  : >nothing.tree
  "$trees/build-tree" nothing.tree tree
  hpcrun_root=tree
  hpcrun_discover
  hpcrun_topology
  [[ ${REPLY//$'\n'/} == '"machine":"metal","gpus":[],"ports":[],"devices":[],"problems":[]' ]]
}

# gid_of INTERFACE < table: the index that is chosen for a port with these entries, lines of INDEX TYPE GID INTERFACE.
gid_of() {
  {
    printf "hca mlx5_0 pci0000:00/0000:00:02.0 0 0x15b3 0\nport mlx5_0 1 ACTIVE '100 Gb/sec (4X EDR)' Ethernet\n"
    sed 's/^\([0-9]*\) \(v1\|v2\) /gid mlx5_0 1 \1 \2 /; s/ v1 / "IB\/RoCE v1" /; s/ v2 / "RoCE v2" /'
  } >gid.tree
  "$trees/build-tree" gid.tree tree
  hpcrun_root=tree hpcrun_roce_interface=$1
  hpcrun_discover
  REPLY=${hpcrun_port_gid[0]}
}

v4=0000:0000:0000:0000:0000:ffff:0a00:0001
v4_other=0000:0000:0000:0000:0000:ffff:0a00:0002
v6=fd00:0000:0000:0000:0000:0000:0000:0001
link_local=fe80:0000:0000:0000:0e42:a1ff:fe00:0001
link_local_v4=0000:0000:0000:0000:0000:ffff:a9fe:0001

# NCCL before 2.21 took index 0 and many sites' 3 (NVIDIA/nccl#426, #769); UCX and NCCL choose as here since
# (uct_ib_device_select_gid, ncclIbGetGidIndex).
@test "GID: RoCE v2 with IPv4 before all others, whatever stands before it" {
  gid_of '' <<<"0 v1 $link_local eth0
1 v2 $link_local eth0
4 v2 $v6 eth0
6 v1 $v4 eth0
7 v2 $v4 eth0"
  [[ $REPLY == 7 ]]
}

@test "GID: RoCE v2 with IPv6 where there is no IPv4" {
  gid_of '' <<<"0 v1 $link_local eth0
1 v2 $link_local eth0
2 v1 $v6 eth0
3 v2 $v6 eth0"
  [[ $REPLY == 3 ]]
}

# Version 1 is Ethernet only and passes no router (InfiniBand Architecture Annex A16 and A17).
@test "GID: none where there is only version 1" {
  gid_of '' <<<"0 v1 $link_local eth0
1 v1 $v4 eth0"
  [[ -z $REPLY && ${hpcrun_problems[*]} == *'no GID of RoCE v2 with a routable address, only version 1'* ]]
}

@test "GID: none where addresses are link-local" {
  gid_of '' <<<"0 v2 $link_local eth0
1 v2 $link_local_v4 eth0"
  [[ -z $REPLY && ${hpcrun_problems[*]} == *'only link-local addresses'* ]]
}

@test "GID: the wanted interface, of several" {
  local table="0 v2 $v4 eth0
1 v2 $v4_other eth0.100"
  gid_of eth0.100 <<<"$table"
  [[ $REPLY == 1 && ${hpcrun_port_interface[0]} == eth0.100 ]]
  rm -rf tree
  gid_of '' <<<"$table"
  [[ $REPLY == 0 ]]
  rm -rf tree
  gid_of eth9 <<<"$table"
  [[ -z $REPLY && ${hpcrun_problems[*]} == *'only addresses of other interfaces than eth9'* ]]
}

@test "GID: numbers are compared as numbers, unused entries are passed over" {
  gid_of '' <<<"2 v1 $v4 eth0
10 v2 $v4 eth0
9 v2 $v4_other eth0"
  [[ $REPLY == 9 ]]
}

@test "GID: a table without any entry" {
  gid_of '' <<<''
  [[ -z $REPLY && ${hpcrun_problems[*]} == *'no GID of RoCE v2 with a routable address' ]]
}

# map TREE PIN: the words for the ranks in output, the others as the agent takes them.
map() {
  rm -rf tree
  "$trees/build-tree" "$trees/$1.tree" tree
  # It is the node's own tree, but for the test.
  eval "$(declare -f hpcrun_map | sed "s/hpcrun_root=''/hpcrun_root=tree/; s/hpcrun_root=;/hpcrun_root=tree;/; s/hpcrun_root=$/hpcrun_root=tree/")"
  # All of it before it is read: how long the devices may take is no matter here.
  (hpcrun_map hpcrun "$2") >mapped
  exec {descriptor}<mapped
  hpcrun_read_map "$descriptor"
  exec {descriptor}<&-
  output=${hpcrun_mapped[*]}
}

# Its other two ports are for storage.
dgx_hca=hca==mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1,mlx5_4:1,mlx5_5:1,mlx5_6:1,mlx5_7:1

@test "ports are given where there is a choice, and only to what can use them" {
  map dgx-h100-ib yes
  [[ $output == 'gpus=hpcrun near=0 mlx5_0:1 near=1 mlx5_1:1 near=2 mlx5_2:1 near=3 mlx5_3:1 near=4 mlx5_4:1 near=5 mlx5_5:1 near=6 mlx5_6:1 near=7 mlx5_7:1 '"$dgx_hca" ]]
  map dgx-h100-ib no
  [[ $output == "gpus=hpcrun $dgx_hca" ]]
}

@test "the GID of RoCE is given where it is the same for all ports" {
  map dgx-h100-roce no
  [[ $output == 'gpus=hpcrun gid=3' ]]
  echo 'gid mlx5_7 1 4 "RoCE v2" 0000:0000:0000:0000:0000:ffff:0a07:0009 eth7; unreadable sys/class/infiniband/mlx5_7/ports/1/gid_attrs/types/3' |
    cat "$trees/dgx-h100-roce.tree" - >other.tree
  trees=. && cp "$BATS_TEST_DIRNAME/../trees/build-tree" .
  map other no
  [[ $output == gpus=hpcrun ]]
}

@test "no ports where there is one, where subnets differ, or where GPUs are divided" {
  map vm-sriov yes
  [[ $output == gpus=hpcrun ]]
  map mig yes
  [[ $output == gpus=hpcrun ]]
  map mi250x-slingshot yes
  [[ $output == gpus=hpcrun-amd ]]
  echo 'put sys/class/infiniband/mlx5_3/ports/1/gids/0 fe80:0000:0000:0001:0e42:a103:00aa:0003' |
    cat "$trees/dgx-h100-ib.tree" - >other.tree
  trees=. && cp "$BATS_TEST_DIRNAME/../trees/build-tree" .
  map other yes
  [[ $output == "gpus=hpcrun $dgx_hca" ]]
}

@test "a list is divided among ranks in order, as equal as can be" {
  local rank text
  for text in '4 a,b,c,d: a b c d' '2 a,b,c,d: a,b c,d' '8 a,b,c,d: a a b b c c d d' '2 a,b,c: a b,c' '3 a,b: a a b' '1 a,b: a,b'; do
    local -a want=(${text#*: }) words=(${text%:*})
    for ((rank = 0; rank < words[0]; rank++)); do
      hpcrun_share "${words[1]}" "$rank" "${words[0]}"
      [[ $REPLY == "${want[rank]}" ]]
    done
  done
}

@test "tasks of a node from Slurm's short form" {
  local text
  for text in '4 0 4' '2(x3),1 0 2' '2(x3),1 2 2' '2(x3),1 3 1' '1,5(x2),7 3 7' '3 9 1'; do
    local -a words=($text)
    hpcrun_count_local "${words[0]}" "${words[1]}"
    [[ $REPLY == "${words[2]}" ]]
  done
}
