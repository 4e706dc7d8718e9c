package io.hpcrun.it;

import io.hpcrun.lab.LabCluster;

/**
 * An InfiniBand adapter that is not there: files where the kernel shows an adapter, over a node's
 * /sys/class, and device nodes that are /dev/null's. Libraries find no adapter by it, the agent
 * does.
 */
final class PretendAdapter {
  static final String PORT = "/sys/class/infiniband/mlx5_0/ports/1";
  static final String DEVICE = "/dev/infiniband/uverbs0";

  private static final String SET_UP =
      """
      mkdir -p /run/class
      mount -t tmpfs -o mode=755 tmpfs /run/class
      cp -a /sys/class/net /run/class/
      adapter=/run/class/infiniband/mlx5_0 port=/run/class/infiniband/mlx5_0/ports/1
      mkdir -p $adapter/device/infiniband_verbs/uverbs0 $adapter/device/net/eth0
      mkdir -p $port/gids $port/gid_attrs/types $port/gid_attrs/ndevs $port/counters
      echo '4: ACTIVE' >$port/state
      echo '200 Gb/sec (4X HDR)' >$port/rate
      echo InfiniBand >$port/link_layer
      echo fe80:0000:0000:0000:0e42:a103:00aa:0001 >$port/gids/0
      echo 1000 | tee $port/counters/port_xmit_data >$port/counters/port_rcv_data
      mount --bind /run/class /sys/class
      mkdir -p /dev/infiniband
      for name in infiniband/uverbs0 infiniband/uverbs7 infiniband/rdma_cm infiniband/umad0 xpmem; do
        mknod -m 666 /dev/$name c 1 3
      done
      """;

  private static final String CLEAR =
      "umount /sys/class /run/class; rm -rf /dev/infiniband /dev/xpmem";

  private PretendAdapter() {}

  static void setUp(LabCluster lab) {
    LabCluster.COMPUTE_NODES.forEach(
        node -> lab.as("root", node).bash("set -e\n" + SET_UP).succeeded());
  }

  static void clear(LabCluster lab) {
    LabCluster.COMPUTE_NODES.forEach(node -> lab.as("root", node).bash(CLEAR).succeeded());
  }
}
