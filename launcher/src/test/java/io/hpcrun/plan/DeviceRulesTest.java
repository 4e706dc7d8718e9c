package io.hpcrun.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.image.Program;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.FabricChoice.Kind;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.Staging;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GPUs and network, as far as they are decided before the nodes are known. */
class DeviceRulesTest {
  private static final Library UCX = library("ucx", "1.18.1");
  private static final Library RDMA_CORE =
      new Library(
          "rdma-core", Optional.of("56.1"), "usr/lib/libibverbs.so.1", List.of("mlx5-rdmav57"));
  private static final Library LIBFABRIC =
      new Library(
          "libfabric", Optional.of("2.1.0"), "usr/lib/libfabric.so.1", List.of("efa", "psm2"));
  private static final Mpi OPEN_MPI =
      new Mpi(
          Family.OPEN_MPI,
          Optional.of("5.0.7"),
          "usr/lib/libmpi.so.40.40.7",
          "libmpi.so.40",
          List.of("pmix"),
          "");

  private final List<Library> network = new ArrayList<>();
  private final List<Library> gpu = new ArrayList<>();
  private final List<ContainerFlag> flags = new ArrayList<>();
  private final List<EnvironmentVariable> environment = new ArrayList<>();
  private final List<BindMount> binds = new ArrayList<>();

  private static Library library(String name, String version) {
    return new Library(name, Optional.of(version), "usr/lib/lib" + name + ".so", List.of());
  }

  private Plan plan(Kind kind, boolean required) {
    LaunchSpec spec =
        new LaunchSpec(
            Path.of("/i.sif"),
            LaunchSpec.Kind.JOB,
            List.of(ByteString.of("app")),
            Optional.empty(),
            List.of(new SlurmSetting(SlurmOption.NTASKS, "4")),
            List.of(),
            List.of(),
            new ContainerOptions(
                binds, environment, Optional.empty(), Optional.empty(), List.of(), flags),
            MpiChoice.AUTO,
            new FabricChoice(kind, required, FabricChoice.DEFAULT_MEMLOCK),
            Mode.AUTO,
            new Staging(Staging.From.SHARED, Optional.empty(), Staging.DEFAULT_LIMIT),
            Path.of("/r"),
            Optional.empty());
    Image image =
        new Image(
            Path.of("/i.sif"),
            Image.Format.SIF,
            Optional.of("amd64"),
            Optional.of("id"),
            1,
            Optional.of("0".repeat(64)),
            "ext4");
    ImageProfile profile =
        new ImageProfile(
            Optional.of("amd64"),
            Optional.empty(),
            Optional.empty(),
            List.of(OPEN_MPI),
            List.of(),
            network,
            gpu,
            Map.of(),
            Map.of());
    Program program =
        new Program(
            "app", Optional.of("/app"), Program.Reach.CLOSED, Optional.of(OPEN_MPI), List.of());
    ClusterFacts cluster =
        new ClusterFacts(
            "24.11.5", "pmix", Optional.of(List.of("none", "pmix")), "/s", "/tmp", "", "amd64");
    return Planner.plan(
        spec,
        new Knowledge(
            image, Optional.of(profile), Optional.empty(), program, Optional.empty(), cluster));
  }

  private static List<String> variables(Plan plan) {
    return plan.defaults().stream().map(each -> each.name() + "=" + each.value()).toList();
  }

  @Test
  void theImagesProvidersAreHandedOn() {
    network.addAll(List.of(UCX, RDMA_CORE, LIBFABRIC));
    assertThat(plan(Kind.AUTO, false).devices().providers())
        .containsExactly("libfabric", "libfabric:efa", "libfabric:psm2", "ucx", "verbs:mlx5");
    assertThat(plan(Kind.AUTO, false).devices().hasVerbs()).isTrue();
    binds.add(new BindMount(ByteString.of("/data"), ByteString.of("/data"), false));
    assertThat(plan(Kind.AUTO, false).devices().providers()).hasSize(5);
    binds.add(new BindMount(ByteString.of("/opt/ofed"), ByteString.of("/opt/ofed"), false));
    assertThat(plan(Kind.AUTO, false).devices().providers()).containsExactly("?");
  }

  @ParameterizedTest
  @CsvSource({
    "AUTO, any library for it",
    "INFINIBAND, rdma-core's providers",
    "ROCE, rdma-core's providers",
    "SLINGSHOT, libfabric's provider cxi",
    "OMNIPATH, 'PSM2, or libfabric'",
    "EFA, rdma-core's and libfabric's provider efa"
  })
  void anImageThatLacksWhatItNeedsIsRefused(Kind kind, String lacking) {
    assertThat(plan(kind, true).refusals())
        .anyMatch(
            advice ->
                advice
                    .text()
                    .startsWith("the image cannot use " + kind.title() + ": it lacks " + lacking));
    assertThat(plan(kind, false).refusals()).isEmpty();
    network.addAll(
        List.of(
            UCX,
            new Library("rdma-core", Optional.empty(), "l", List.of("mlx5-rdmav57", "efa-rdmav57")),
            new Library("libfabric", Optional.empty(), "l", List.of("cxi", "efa"))));
    assertThat(plan(kind, true).refusals()).isEmpty();
  }

  @Test
  void aFabricHasItsVariables() {
    network.addAll(List.of(UCX, RDMA_CORE, LIBFABRIC));
    gpu.add(library("nccl", "2.26.2"));
    assertThat(variables(plan(Kind.AUTO, false))).isEmpty();
    assertThat(variables(plan(Kind.TCP, false)))
        .containsExactly("UCX_TLS=^ib", "FI_PROVIDER=tcp", "NCCL_IB_DISABLE=1");
    assertThat(variables(plan(Kind.INFINIBAND, false))).isEmpty();
    assertThat(variables(plan(Kind.INFINIBAND, true))).containsExactly("OMPI_MCA_pml=ucx");
    assertThat(variables(plan(Kind.EFA, false))).containsExactly("FI_PROVIDER=efa");
    assertThat(variables(plan(Kind.OMNIPATH, true)))
        .containsExactly("FI_PROVIDER=psm2", "OMPI_MCA_pml=cm");
    environment.add(new EnvironmentVariable("UCX_TLS", ByteString.of("tcp")));
    assertThat(variables(plan(Kind.TCP, false))).doesNotContain("UCX_TLS=^ib");
  }

  @Test
  void withoutRdmaOlderLibrariesAreToldInTheirOwnWay() {
    network.addAll(List.of(library("ucx", "1.11.0"), library("psm2", "2.2")));
    assertThat(variables(plan(Kind.TCP, false)))
        .containsExactly("UCX_TLS=self,sm,tcp", "OMPI_MCA_mtl=^psm2");
  }

  /** What the agents would check anew is not known to them then. */
  @Test
  void whatIsForcedOrFoundElsewhereIsNotJudged() {
    network.add(UCX);
    environment.add(new EnvironmentVariable("LD_LIBRARY_PATH", ByteString.of("/sw/lib")));
    assertThat(plan(Kind.INFINIBAND, true).refusals()).isEmpty();
    assertThat(plan(Kind.INFINIBAND, true).devices().providers()).containsExactly("?");
  }

  @Test
  void imagesWithCudaOrRocmGetTheDriverInJobsWithGpus() {
    assertThat(plan(Kind.AUTO, false).devices().gpuFlags()).isEmpty();
    gpu.addAll(List.of(library("cudart", "12.4.127"), library("amdhip64", "6")));
    assertThat(plan(Kind.AUTO, false).devices().gpuFlags())
        .containsExactly(ContainerFlag.NV, ContainerFlag.ROCM);
    flags.addAll(List.of(ContainerFlag.NV, ContainerFlag.NO_ROCM));
    assertThat(plan(Kind.AUTO, false).devices().gpuFlags()).isEmpty();
  }

  @Test
  void theDriverThatCudaNeeds() {
    assertThat(plan(Kind.AUTO, false).devices().driver()).isEmpty();
    gpu.add(library("cudart", "11.8.89"));
    assertThat(plan(Kind.AUTO, false).devices().driver()).isEqualTo("450:11");
    gpu.add(library("cudart", "12"));
    assertThat(plan(Kind.AUTO, false).devices().driver()).isEqualTo("525:12");
    gpu.add(new Library("cuda", Optional.of("1"), "usr/local/cuda/compat/libcuda.so.1", List.of()));
    assertThat(plan(Kind.AUTO, false).devices().driver()).isEmpty();
  }

  /** The one of the driver that runs must go before the image's. */
  @Test
  void anImagesOwnDriverLibraryIsPassedOver() {
    gpu.add(library("cudart", "12.4.127"));
    assertThat(plan(Kind.AUTO, false).spec().container().environment()).isEmpty();
    gpu.add(library("cuda", "550.54.15"));
    assertThat(plan(Kind.AUTO, false).spec().container().environment())
        .extracting(EnvironmentVariable::name)
        .containsExactly("PREPEND_LD_LIBRARY_PATH");
  }

  /** PMIx cannot use files of /tmp there. */
  @Test
  void containedLaunchesHaveNoFilesOfTheNode() {
    flags.add(ContainerFlag.CONTAIN);
    assertThat(variables(plan(Kind.AUTO, false))).contains("PMIX_MCA_gds=hash");
  }
}
