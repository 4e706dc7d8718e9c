package io.hpcrun.plan;

import io.hpcrun.spec.ContainerFlag;
import java.util.List;

/**
 * What of a launch's GPUs and network is decided before the nodes are known; the rest is the node
 * agent's.
 *
 * @param gpuFlags options of Apptainer for jobs that have GPUs
 * @param dividesGpus whether hpcrun divides a node's GPUs among its ranks, and not Slurm
 * @param hasVerbs whether UCX in the container can use InfiniBand and RoCE
 * @param providers what the container has for networks: {@code verbs:NAME}, a provider of
 *     rdma-core; {@code libfabric}, {@code libfabric:NAME}; {@code psm2}; {@code ?} alone if that
 *     is not known
 * @param otherGres whether the job may have GRES that are not GPUs, such as its network adapters
 * @param driver {@code FIRST:CUDA}: the first release of NVIDIA's driver that the image's CUDA runs
 *     with; empty if any does
 */
public record DevicePlan(
    List<ContainerFlag> gpuFlags,
    boolean dividesGpus,
    boolean hasVerbs,
    List<String> providers,
    boolean otherGres,
    String driver) {

  /** Copies the lists. */
  public DevicePlan {
    gpuFlags = List.copyOf(gpuFlags);
    providers = List.copyOf(providers);
  }
}
