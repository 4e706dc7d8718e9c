package io.hpcrun.packing;

import io.hpcrun.cluster.NodeType;
import io.hpcrun.cluster.Partition;

/**
 * A way to start a job.
 *
 * @param partition where
 * @param shape its ranks
 * @param nodes how many
 * @param least what each of them has at least
 * @param waits whether too few of the partition's nodes are in service now
 */
record Fit(Partition partition, Shape shape, long nodes, NodeType least, boolean waits) {

  /** Cores of the nodes that the job does not use. */
  long idleCores() {
    return nodes * partition.cores(least) - shape.ranks(nodes) * shape.cores();
  }

  /** Whether its nodes have GPUs that it does not want. */
  boolean wastesGpus(Wish wish) {
    return wish.resources().gpus() == 0 && least.gpus("") > 0;
  }
}
