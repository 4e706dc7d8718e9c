package io.hpcrun.plan;

import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Decides what the container sees of GPUs, and who divides the GPUs of a node among its ranks.
 * Where Slurm does, each rank may open its own only, and CUDA IPC and NCCL's peer-to-peer copies
 * between ranks fail (NVIDIA/nccl#1066; open-mpi/ompi#11949). So hpcrun does, by variables, unless
 * the user says how: all ranks of a node may open all GPUs that the job has there.
 */
final class GpuRule {
  private static final String WHAT = "gpu-bind";

  private static final String CUDA = "cudart";
  private static final String DRIVER = "cuda";

  /**
   * The first release of NVIDIA's driver with which any CUDA of a major release runs (NVIDIA, CUDA
   * Compatibility, Minor Version Compatibility).
   */
  private static final Map<String, String> FIRST_DRIVERS =
      Map.of("11", "450", "12", "525", "13", "580");

  private final LaunchSpec spec;
  private final List<Library> libraries;

  GpuRule(LaunchSpec spec, Knowledge known) {
    this.spec = spec;
    this.libraries = known.profile().map(ImageProfile::gpu).orElse(List.of());
  }

  /** Options that show the driver of the nodes' GPUs, for jobs that have some. */
  List<ContainerFlag> flags(List<Decision> decisions) {
    List<ContainerFlag> flags = new ArrayList<>();
    addFlag(flags, CUDA, ContainerFlag.NV, ContainerFlag.NO_NV, decisions);
    addFlag(flags, "amdhip64", ContainerFlag.ROCM, ContainerFlag.NO_ROCM, decisions);
    return flags;
  }

  private void addFlag(
      List<ContainerFlag> flags,
      String library,
      ContainerFlag flag,
      ContainerFlag not,
      List<Decision> decisions) {
    List<ContainerFlag> given = spec.container().flags();
    Optional<Library> found =
        libraries.stream().filter(each -> each.name().equals(library)).findFirst();
    if (found.isPresent() && !given.contains(flag) && !given.contains(not)) {
      flags.add(flag);
      decisions.add(
          new Decision(
              flag.option(),
              "if the job has GPUs",
              "the image holds /" + found.get().path() + ", which needs the nodes' driver",
              "hpcrun inspect; not with --" + not.option()));
    }
  }

  /**
   * From Apptainer 1.5 on, the image's libraries go before those of --nv; but the driver's library
   * must be the one of the driver that runs (apptainer/apptainer, CHANGELOG 1.5.0).
   */
  Optional<EnvironmentVariable> libraryPath(List<ContainerFlag> flags) {
    boolean shown =
        flags.contains(ContainerFlag.NV) || spec.container().flags().contains(ContainerFlag.NV);
    boolean own =
        libraries.stream()
            .anyMatch(
                each -> each.name().equals(DRIVER) && !each.path().matches(".*/(compat|stubs)/.*"));
    return shown && own
        ? Optional.of(
            new EnvironmentVariable(
                "PREPEND_LD_LIBRARY_PATH", ByteString.of("/.singularity.d/libs")))
        : Optional.empty();
  }

  /**
   * {@code FIRST:CUDA}, the first release of NVIDIA's driver that the image's CUDA runs with; empty
   * if that is not known, the image brings what makes it run with older ones, or it is to be tried.
   */
  String driver() {
    if (spec.mpi().force()
        || spec.container().flags().contains(ContainerFlag.NO_NV)
        || libraries.stream()
            .anyMatch(each -> each.name().equals(DRIVER) && each.path().contains("/compat/"))) {
      return "";
    }
    return libraries.stream()
        .filter(each -> each.name().equals(CUDA))
        .flatMap(each -> each.version().stream())
        .map(version -> version.replaceFirst("\\..*", ""))
        .filter(FIRST_DRIVERS::containsKey)
        .max(java.util.Comparator.naturalOrder())
        .map(major -> FIRST_DRIVERS.get(major) + ":" + major)
        .orElse("");
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
