package io.hpcrun.plan;

import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * Decides who divides the GPUs of a node among its ranks. Where Slurm does, each rank may open its
 * own only, and CUDA IPC and NCCL's peer-to-peer copies between ranks fail (NVIDIA/nccl#1066;
 * open-mpi/ompi#11949). So hpcrun does, by variables, unless the user says how: all ranks of a node
 * may open all GPUs that the job has there.
 */
final class GpuRule {
  private static final String WHAT = "gpu-bind";

  private final LaunchSpec spec;

  GpuRule(LaunchSpec spec) {
    this.spec = spec;
  }

  /**
   * Decides; what a step of the job asks for besides is seen on the node (agent.bash,
   * hpcrun_divide_gpus).
   *
   * @return whether hpcrun divides the GPUs
   */
  boolean decide(List<Decision> decisions) {
    boolean asked =
        spec.slurm(SlurmOption.GPU_BIND).isPresent()
            || spec.slurm(SlurmOption.TRES_BIND).isPresent()
            || Stream.concat(spec.srun().stream(), spec.verbatim().stream())
                .anyMatch(option -> option.matches("--(gpu|tres)-bind.*"));
    boolean gpus =
        spec.slurm(SlurmOption.GPUS_PER_TASK).isPresent()
            || spec.slurm(SlurmOption.NTASKS_PER_GPU).isPresent()
            || spec.slurm(SlurmOption.GPUS).isPresent()
            || spec.slurm(SlurmOption.GPUS_PER_NODE).isPresent()
            || spec.slurm(SlurmOption.GRES).filter(gres -> gres.contains("gpu")).isPresent();
    if (asked) {
      decisions.add(
          new Decision(
              WHAT,
              "slurm",
              "you say how ranks get their GPUs",
              "option --gpu-bind or --tres-bind"));
      return false;
    }
    if (gpus) {
      decisions.add(
          new Decision(
              WHAT,
              "hpcrun",
              "the ranks of a node share its GPUs, so that they can copy between them, and each sees"
                  + " its own",
              "NVIDIA/nccl#1066; open-mpi/ompi#11949"));
    }
    return true;
  }
}
