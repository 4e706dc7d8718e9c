package io.hpcrun.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.Image;
import io.hpcrun.image.Program;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.Staging;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlannerTest {
  private static final ContainerOptions PLAIN =
      new ContainerOptions(
          List.of(), List.of(), Optional.empty(), Optional.empty(), List.of(), List.of());

  private static final Staging STAGING =
      new Staging(Staging.From.AUTO, Optional.empty(), Staging.DEFAULT_LIMIT);

  @Test
  void takesTheClustersDefaultMpi() {
    Plan plan = plan(spec("app", MpiChoice.AUTO, PLAIN), image("amd64"), cluster("pmix"));
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
        plan(
            spec("app", MpiChoice.of("pmi2"), PLAIN),
            image("amd64"),
            cluster("pmix", "none", "pmi2", "pmix"));
    assertThat(plan.srunOptions()).containsExactly("--mpi=pmi2");
  }

  @Test
  void refusesAnMpiThatSlurmLacks() {
    refuses(
        spec("app", MpiChoice.of("pmix"), PLAIN),
        image("amd64"),
        cluster("none", "none", "pmi2"),
        "--mpi=pmix is not a plug-in of this Slurm");
  }

  @Test
  void refusesAnImageOfAnotherArchitecture() {
    refuses(
        spec("app", MpiChoice.AUTO, PLAIN),
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
            LaunchSpec.Kind.JOB,
            List.of(ByteString.of("app"), notUtf8),
            Optional.empty(),
            List.of(),
            List.of(),
            List.of(),
            PLAIN,
            MpiChoice.AUTO,
            FabricChoice.AUTO,
            Mode.EXEC,
            STAGING,
            Path.of("/r"),
            Optional.empty()),
        image("amd64"),
        cluster("pmix"),
        "argument 1 of the command");
    refuses(
        spec(
            "app",
            MpiChoice.AUTO,
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
            plan(spec("app", MpiChoice.AUTO, PLAIN), image("amd64"), cluster("pmix"))
                .aloneDefaults())
        .containsExactly(new EnvironmentVariable("UCX_POSIX_USE_PROC_LINK", ByteString.of("n")));
    assertThat(
            plan(spec("app", MpiChoice.AUTO, decided), image("amd64"), cluster("pmix"))
                .aloneDefaults())
        .isEmpty();
  }

  @Test
  void joinsWithoutAFallbackWhenOnlyJoinedRanksGetTheirBytes() {
    LaunchSpec spec =
        new LaunchSpec(
            Path.of("/i.sif"),
            LaunchSpec.Kind.JOB,
            List.of(ByteString.of("app"), ByteString.of(new byte[] {(byte) 0xff})),
            Optional.empty(),
            List.of(),
            List.of(),
            List.of(),
            PLAIN,
            MpiChoice.AUTO,
            FabricChoice.AUTO,
            Mode.AUTO,
            STAGING,
            Path.of("/r"),
            Optional.empty());
    assertThat(plan(spec, image("amd64"), cluster("pmix")).mode()).isEqualTo(Mode.JOIN);
  }

  @Test
  void doesNotJoinAContainerWithoutProc() {
    ContainerOptions noProc =
        new ContainerOptions(
            List.of(), List.of(), Optional.empty(), Optional.empty(), List.of("proc"), List.of());
    LaunchSpec spec = spec("app", MpiChoice.AUTO, noProc);
    assertThat(plan(spec, image("amd64"), cluster("pmix")).mode()).isEqualTo(Mode.EXEC);
  }

  @Test
  void showsThePmixServersDirectoryOnlyToJoinedRanksUnderPmix() {
    LaunchSpec spec = spec("app", MpiChoice.AUTO, PLAIN);
    assertThat(plan(spec, image("amd64"), cluster("pmix")).pmixDirectories())
        .containsExactly("/var/spool/slurmd");
    assertThat(plan(spec, image("amd64"), cluster("pmi2")).pmixDirectories()).isEmpty();
  }

  @Test
  void stagesByFileSystemNodesAndSize() {
    assertThat(staged(Staging.From.AUTO, "nfs4", "7")).isFalse();
    assertThat(staged(Staging.From.AUTO, "nfs4", "8")).isTrue();
    assertThat(staged(Staging.From.AUTO, "nfs4", "8-16")).isTrue();
    assertThat(staged(Staging.From.AUTO, "lustre", "63")).isFalse();
    assertThat(staged(Staging.From.AUTO, "lustre", "64")).isTrue();
    assertThat(staged(Staging.From.AUTO, "lustre", "1k")).isTrue();
    assertThat(staged(Staging.From.AUTO, "ext4", "1000")).isFalse();
    assertThat(staged(Staging.From.SHARED, "nfs4", "1000")).isFalse();
    assertThat(staged(Staging.From.NODE, "ext4", "1")).isTrue();
  }

  @Test
  void refusesToStageWhatTheCacheCannotHold() {
    LaunchSpec spec = staging(new Staging(Staging.From.NODE, Optional.empty(), 299 << 20), "2");
    refuses(spec, image("amd64"), cluster("pmix"), "the image has 300 MiB");
  }

  private static boolean staged(Staging.From from, String fileSystem, String nodes) {
    Image image =
        new Image(
            Path.of("/i.sif"),
            Image.Format.SIF,
            Optional.of("amd64"),
            Optional.of("id"),
            300 << 20,
            Optional.of("0".repeat(64)),
            fileSystem);
    LaunchSpec spec = staging(new Staging(from, Optional.empty(), Staging.DEFAULT_LIMIT), nodes);
    return plan(spec, image, cluster("pmix")).staged();
  }

  private static LaunchSpec staging(Staging staging, String nodes) {
    return new LaunchSpec(
        Path.of("/i.sif"),
        LaunchSpec.Kind.JOB,
        List.of(ByteString.of("app")),
        Optional.empty(),
        List.of(new SlurmSetting(SlurmOption.NODES, nodes)),
        List.of(),
        List.of(),
        PLAIN,
        MpiChoice.AUTO,
        FabricChoice.AUTO,
        Mode.AUTO,
        staging,
        Path.of("/r"),
        Optional.empty());
  }

  @Test
  void givesSrunTheCpusOfARank() {
    LaunchSpec spec =
        new LaunchSpec(
            Path.of("/i.sif"),
            LaunchSpec.Kind.JOB,
            List.of(ByteString.of("app")),
            Optional.empty(),
            List.of(new SlurmSetting(SlurmOption.CPUS_PER_TASK, "4")),
            List.of(),
            List.of(),
            PLAIN,
            MpiChoice.AUTO,
            FabricChoice.AUTO,
            Mode.AUTO,
            STAGING,
            Path.of("/r"),
            Optional.empty());
    assertThat(plan(spec, image("amd64"), cluster("pmix")).srunOptions())
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
            plan(spec("app", MpiChoice.AUTO, container), image("amd64"), cluster("pmix"))
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

  @Test
  void refusesArraysThatSlurmWouldNotTake() {
    ClusterFacts facts =
        ClusterFacts.of(
            Map.of("MaxArraySize", "1001", "MpiDefault", "pmix"), Optional.empty(), "amd64");
    LaunchSpec spec = spec("app", MpiChoice.AUTO, PLAIN);
    LaunchSpec beyond = spec.with(new SlurmSetting(SlurmOption.ARRAY, "3,0-1001:7%4"));
    assertThat(plan(beyond, image("amd64"), facts).refusals())
        .extracting(Advice::text)
        .containsExactly("the job array's last index is 1001, and MaxArraySize here is 1001");
    LaunchSpec within = spec.with(new SlurmSetting(SlurmOption.ARRAY, "0-1000"));
    assertThat(plan(within, image("amd64"), facts).refusals()).isEmpty();
    assertThat(plan(beyond, image("amd64"), cluster("pmix")).refusals()).isEmpty();
  }

  private static Plan plan(LaunchSpec spec, Image image, ClusterFacts cluster) {
    return Planner.plan(
        spec,
        new Knowledge(
            image,
            Optional.empty(),
            Optional.empty(),
            Program.unknown("app"),
            Optional.empty(),
            cluster));
  }

  private static String mpi(String mpiDefault, String... plugins) {
    return plan(spec("app", MpiChoice.AUTO, PLAIN), image("amd64"), cluster(mpiDefault, plugins))
        .srunOptions()
        .getFirst();
  }

  private static void refuses(LaunchSpec spec, Image image, ClusterFacts cluster, String why) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> plan(spec, image, cluster))
        .withMessageContaining(why)
        .matches(failure -> failure.exitCode() == ExitCode.REFUSED)
        .matches(failure -> !failure.remedy().isEmpty());
  }

  private static LaunchSpec spec(String command, MpiChoice mpi, ContainerOptions container) {
    return new LaunchSpec(
        Path.of("/i.sif"),
        LaunchSpec.Kind.JOB,
        List.of(ByteString.of(command)),
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        container,
        mpi,
        FabricChoice.AUTO,
        Mode.AUTO,
        STAGING,
        Path.of("/r"),
        Optional.empty());
  }

  private static Image image(String architecture) {
    return new Image(
        Path.of("/i.sif"),
        Image.Format.SIF,
        Optional.of(architecture),
        Optional.of("id"),
        300 << 20,
        Optional.of("0".repeat(64)),
        "nfs4");
  }

  private static ClusterFacts cluster(String mpiDefault, String... plugins) {
    return new ClusterFacts(
        "24.11.5",
        mpiDefault,
        plugins.length == 0 ? Optional.empty() : Optional.of(List.of(plugins)),
        "/var/spool/slurmd",
        "/tmp",
        "",
        "amd64");
  }
}
