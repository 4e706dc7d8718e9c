package io.hpcrun.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.Image;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlannerTest {
  private static final ContainerOptions PLAIN =
      new ContainerOptions(
          List.of(), List.of(), Optional.empty(), Optional.empty(), List.of(), List.of());

  @Test
  void takesTheClustersDefaultMpi() {
    Plan plan = Planner.plan(spec("app", Optional.empty(), PLAIN), image("amd64"), cluster("pmix"));
    assertThat(plan.srunOptions()).containsExactly("--mpi=pmix");
    assertThat(plan.decisions())
        .contains(new Decision("mpi", "pmix", "the cluster's default", "slurm.conf MpiDefault"));
  }

  @Test
  void prefersPmixThenPmi2WhereMpiDefaultIsNone() {
    assertThat(mpi("none", "none", "pmi2", "pmix")).isEqualTo("--mpi=pmix");
    assertThat(mpi("none", "none", "pmi2", "cray_shasta")).isEqualTo("--mpi=pmi2");
    assertThat(mpi("none", "none")).isEqualTo("--mpi=none");
  }

  @Test
  void takesTheMpiThatTheUserWants() {
    Plan plan =
        Planner.plan(
            spec("app", Optional.of("pmi2"), PLAIN),
            image("amd64"),
            cluster("pmix", "none", "pmi2", "pmix"));
    assertThat(plan.srunOptions()).containsExactly("--mpi=pmi2");
  }

  @Test
  void refusesAnMpiThatSlurmLacks() {
    refuses(
        spec("app", Optional.of("pmix"), PLAIN),
        image("amd64"),
        cluster("none", "none", "pmi2"),
        "--mpi=pmix is not a plug-in of this Slurm");
  }

  @Test
  void asksForThePluginsOnlyWhenTheyDecide() {
    LaunchSpec auto = spec("app", Optional.empty(), PLAIN);
    assertThat(Planner.needsMpiPlugins(auto, "pmix")).isFalse();
    assertThat(Planner.needsMpiPlugins(auto, "none")).isTrue();
    assertThat(Planner.needsMpiPlugins(spec("app", Optional.of("pmi2"), PLAIN), "pmix")).isTrue();
    assertThat(Planner.needsMpiPlugins(spec("app", Optional.of("none"), PLAIN), "pmix")).isFalse();
  }

  @Test
  void refusesAnImageOfAnotherArchitecture() {
    refuses(
        spec("app", Optional.empty(), PLAIN),
        image("arm64"),
        cluster("pmix"),
        "is for arm64 and the cluster is amd64");
  }

  @Test
  void refusesBytesThatApptainerWouldChange() {
    ByteString notUtf8 = ByteString.of(new byte[] {'a', (byte) 0xff});
    refuses(
        new LaunchSpec(
            Path.of("/i.sif"),
            List.of(ByteString.of("app"), notUtf8),
            List.of(),
            List.of(),
            PLAIN,
            Optional.empty(),
            Path.of("/r")),
        image("amd64"),
        cluster("pmix"),
        "argument 1 of the command");
    refuses(
        spec(
            "app",
            Optional.empty(),
            new ContainerOptions(
                List.of(),
                List.of(new EnvironmentVariable("A", notUtf8)),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of())),
        image("amd64"),
        cluster("pmix"),
        "--env A");
  }

  @Test
  void keepsUcxFromProcUnlessTheUserDecides() {
    EnvironmentVariable own =
        new EnvironmentVariable("UCX_POSIX_USE_PROC_LINK", ByteString.of("y"));
    ContainerOptions decided =
        new ContainerOptions(
            List.of(), List.of(own), Optional.empty(), Optional.empty(), List.of(), List.of());
    assertThat(
            Planner.plan(spec("app", Optional.empty(), PLAIN), image("amd64"), cluster("pmix"))
                .defaults())
        .containsExactly(new EnvironmentVariable("UCX_POSIX_USE_PROC_LINK", ByteString.of("n")));
    assertThat(
            Planner.plan(spec("app", Optional.empty(), decided), image("amd64"), cluster("pmix"))
                .defaults())
        .isEmpty();
  }

  @Test
  void givesSrunTheCpusOfARank() {
    LaunchSpec spec =
        new LaunchSpec(
            Path.of("/i.sif"),
            List.of(ByteString.of("app")),
            List.of(new SlurmSetting(SlurmOption.CPUS_PER_TASK, "4")),
            List.of(),
            PLAIN,
            Optional.empty(),
            Path.of("/r"));
    assertThat(Planner.plan(spec, image("amd64"), cluster("pmix")).srunOptions())
        .containsExactly("--mpi=pmix", "--cpus-per-task=4");
  }

  @Test
  void writesOddPathsAsMounts() {
    ContainerOptions container =
        new ContainerOptions(
            List.of(
                new BindMount(ByteString.of("/a"), ByteString.of("/a"), false),
                new BindMount(ByteString.of("/a"), ByteString.of("/b"), true),
                new BindMount(ByteString.of("/a,\"b\""), ByteString.of("/c:d"), true)),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of());
    assertThat(
            Planner.plan(spec("app", Optional.empty(), container), image("amd64"), cluster("pmix"))
                .runtimeOptions()
                .stream()
                .map(ByteString::toString))
        .containsExactly(
            "--no-eval",
            "--bind",
            "/a",
            "--bind",
            "/a:/b:ro",
            "--mount",
            "type=bind,\"source=/a,\"\"b\"\"\",\"destination=/c:d\",ro");
  }

  private static String mpi(String mpiDefault, String... plugins) {
    return Planner.plan(
            spec("app", Optional.empty(), PLAIN), image("amd64"), cluster(mpiDefault, plugins))
        .srunOptions()
        .getFirst();
  }

  private static void refuses(LaunchSpec spec, Image image, ClusterFacts cluster, String why) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> Planner.plan(spec, image, cluster))
        .withMessageContaining(why)
        .matches(failure -> failure.exitCode() == ExitCode.REFUSED)
        .matches(failure -> !failure.remedy().isEmpty());
  }

  private static LaunchSpec spec(String command, Optional<String> mpi, ContainerOptions container) {
    return new LaunchSpec(
        Path.of("/i.sif"),
        List.of(ByteString.of(command)),
        List.of(),
        List.of(),
        container,
        mpi,
        Path.of("/r"));
  }

  private static Image image(String architecture) {
    return new Image(
        Path.of("/i.sif"), Image.Format.SIF, Optional.of(architecture), Optional.of("id"), 1);
  }

  private static ClusterFacts cluster(String mpiDefault, String... plugins) {
    return new ClusterFacts(
        "24.11.5",
        mpiDefault,
        plugins.length == 0 ? Optional.empty() : Optional.of(List.of(plugins)),
        "amd64");
  }
}
