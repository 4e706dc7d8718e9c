package io.hpcrun.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.HostMpi;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.image.Program;
import io.hpcrun.image.Program.Reach;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.Staging;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each row of the table: a launch for which it holds, and its neighbour for which it does not. */
class MpiRulesTest {
  private static final List<String> NO = List.of();
  private static final Mpi OPEN_MPI_5 = mpi(Family.OPEN_MPI, "5.0.7", "pmix");
  private static final Mpi OPEN_MPI_4 = mpi(Family.OPEN_MPI, "4.1.4", "pmix");
  private static final Mpi MPICH = mpi(Family.MPICH, "4.2.1", "pmi2");

  /** A launch of eight ranks in an image, on Slurm 24.11 with pmix and pmi2, pmix by default. */
  private static final class Launch {
    private List<Mpi> mpi = List.of();
    private List<Library> pmi = List.of();
    private List<Library> network = List.of();
    private Program program = Program.unknown("app");
    private String slurm = "24.11.5";
    private List<String> plugins = List.of("none", "cray_shasta", "pmi2", "pmix", "pmix_v5");
    private String mpiDefault = "pmix";
    private String jobContainer = "";
    private MpiChoice choice = MpiChoice.AUTO;
    private String ranks = "8";
    private Mode mode = Mode.AUTO;
    private HostMpi host;
    private List<String> noMount = List.of();
    private List<ContainerFlag> flags = List.of();
    private List<EnvironmentVariable> environment = List.of();

    Launch linkedTo(Mpi library) {
      mpi = List.of(library);
      return program(
          new Program("app", Optional.of("/app"), Reach.CLOSED, Optional.of(library), List.of()));
    }

    Launch script(Mpi... libraries) {
      mpi = List.of(libraries);
      return program(
          new Program("run.py", Optional.of("/run.py"), Reach.OPEN, Optional.empty(), List.of()));
    }

    Launch mpirun(Mpi library) {
      mpi = List.of(library);
      return program(
              new Program(
                  "mpirun",
                  Optional.of("/usr/bin/mpirun"),
                  Reach.OPEN,
                  Optional.empty(),
                  List.of()))
          .ranks("1");
    }

    Launch program(Program command) {
      program = command;
      return this;
    }

    Launch ranks(String number) {
      ranks = number;
      return this;
    }

    Launch slurm(String version, String fallback, String... names) {
      slurm = version;
      mpiDefault = fallback;
      plugins = List.of(names);
      return this;
    }

    Launch mpi(String plugin) {
      return choice(MpiChoice.of(plugin));
    }

    Launch choice(MpiChoice wanted) {
      choice = wanted;
      return this;
    }

    Launch mode(Mode wanted) {
      mode = wanted;
      return this;
    }

    Launch host(HostMpi library) {
      host = library;
      return this;
    }

    Launch noTmp() {
      noMount = List.of("tmp");
      return this;
    }

    Launch flag(ContainerFlag flag) {
      flags = List.of(flag);
      return this;
    }

    Launch jobContainer(String type) {
      jobContainer = type;
      return this;
    }

    Launch pmix(String version, String... parts) {
      pmi = List.of(new Library("pmix", Optional.of(version), "lib/libpmix.so.2", List.of(parts)));
      return this;
    }

    Launch pmi2Library() {
      pmi = List.of(new Library("pmi2", Optional.empty(), "usr/lib/libpmi2.so.0", List.of()));
      return this;
    }

    Launch ucx(String version) {
      network = List.of(new Library("ucx", Optional.of(version), "lib/libucp.so.0", List.of()));
      return this;
    }

    Launch env(String name, String value) {
      environment = List.of(new EnvironmentVariable(name, ByteString.of(value)));
      return this;
    }

    Plan plan() {
      return Planner.plan(spec(), known());
    }

    boolean wantsHost() {
      return Planner.wantsHostMpi(spec(), known());
    }

    private LaunchSpec spec() {
      return new LaunchSpec(
          Path.of("/i.sif"),
          LaunchSpec.Kind.JOB,
          List.of(ByteString.of(program.name())),
          Optional.empty(),
          List.of(new SlurmSetting(SlurmOption.NTASKS, ranks)),
          List.of(),
          List.of(),
          new ContainerOptions(
              List.of(), environment, Optional.empty(), Optional.empty(), noMount, flags),
          choice,
          FabricChoice.AUTO,
          mode,
          new Staging(Staging.From.SHARED, Optional.empty(), Staging.DEFAULT_LIMIT),
          Path.of("/r"),
          Optional.empty());
    }

    private Knowledge known() {
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
              mpi,
              pmi,
              network,
              List.of(),
              Map.of(),
              Map.of());
      return new Knowledge(
          image,
          Optional.of(profile),
          Optional.empty(),
          program,
          Optional.ofNullable(host),
          new ClusterFacts(
              slurm,
              mpiDefault,
              Optional.of(plugins),
              "/var/spool/slurmd",
              "/tmp",
              jobContainer,
              "amd64"));
    }
  }

  private static MpiChoice choice(
      Optional<String> plugin, boolean force, boolean singletons, boolean guard) {
    return new MpiChoice(
        plugin,
        force,
        singletons,
        guard,
        MpiChoice.Model.AUTO,
        List.of(Path.of("/host/libmpi.so")));
  }

  /** A library of the host's in the image's place, with nothing against it. */
  private static HostMpi host(Mpi library) {
    return against(library, true, "", NO, NO, NO, NO, NO);
  }

  private static HostMpi against(
      Mpi library,
      boolean abi,
      String older,
      List<String> missing,
      List<String> tooNew,
      List<String> lacking,
      List<String> unknownFunctions,
      List<String> leftOut) {
    return new HostMpi(
        Path.of("/host/libmpi.so"),
        library,
        abi,
        older,
        List.of(library),
        List.of(),
        List.of(
            new BindMount(
                ByteString.of("/host/libmpi.so"), ByteString.of("/x/libmpi.so.12"), true)),
        "/x",
        List.of(new EnvironmentVariable("FI_PROVIDER_PATH", ByteString.of("/x/libfabric"))),
        missing,
        tooNew,
        lacking,
        unknownFunctions,
        leftOut);
  }

  private static Launch launch() {
    return new Launch();
  }

  private static Mpi mpi(Family family, String version, String... speaks) {
    return new Mpi(
        family,
        Optional.of(version),
        "usr/lib/libmpi.so.1",
        "libmpi.so.1",
        List.of(speaks),
        "1:2:4096");
  }

  /** The row, a launch for which it holds, what follows, and a launch for which it does not. */
  static Stream<Arguments> rows() {
    Mpi old = mpi(Family.OPEN_MPI, "2.1.1", "pmi2", "pmix");
    Mpi both = mpi(Family.MPICH, "4.2.1", "pmi2", "pmix");
    Mpi intel = mpi(Family.INTEL_MPI, "2021.9");
    Mpi cray = mpi(Family.CRAY_MPICH, "8.1");
    Mpi unknown = mpi(Family.UNKNOWN, "1");
    return Stream.of(
        row("mpirun", launch().mpirun(OPEN_MPI_5), "mpi=none", launch().linkedTo(OPEN_MPI_5)),
        row(
            "open-mpi-5",
            launch().linkedTo(OPEN_MPI_5).slurm("24.11.5", "pmi2", "none", "pmi2", "pmix"),
            "mpi=pmix",
            launch().linkedTo(OPEN_MPI_4)),
        row(
            "open-mpi-3",
            launch()
                .linkedTo(mpi(Family.OPEN_MPI, "4.1.4", "pmi2", "pmix"))
                .slurm("26.05.5", "none", "none", "pmi2"),
            "mpi=pmi2",
            launch().linkedTo(OPEN_MPI_5)),
        row("open-mpi-1", launch().linkedTo(old), "mpi=pmi2", launch().linkedTo(OPEN_MPI_4)),
        row("mpich", launch().linkedTo(MPICH), "mpi=pmi2", launch().linkedTo(OPEN_MPI_4)),
        row("mpich", launch().linkedTo(both), "mpi=pmix", launch().linkedTo(OPEN_MPI_4)),
        row("intel-mpi", launch().linkedTo(intel), "mpi=pmi2", launch().linkedTo(MPICH)),
        row("cray-mpich", launch().linkedTo(cray), "mpi=cray_shasta", launch().linkedTo(MPICH)),
        row(
            "deaf",
            launch().linkedTo(OPEN_MPI_5).slurm("26.05.5", "none", "none", "pmi2"),
            "refused: app is linked to Open MPI 5.0.7, which speaks pmix; with --mpi=pmi2 every rank"
                + " would be rank 0 of 1",
            launch().linkedTo(OPEN_MPI_5).ranks("1").slurm("26.05.5", "none", "none", "pmi2")),
        row(
            "deaf",
            launch().linkedTo(MPICH).mpi("pmix_v5"),
            "refused: app is linked to MPICH 4.2.1, which speaks pmi2; with --mpi=pmix_v5 every rank"
                + " would be rank 0 of 1",
            launch().linkedTo(MPICH).mpi("pmi2")),
        row(
            "deaf-perhaps",
            launch().script(OPEN_MPI_5).slurm("26.05.5", "none", "none", "pmi2"),
            "warning: the image's Open MPI 5.0.7 speaks pmix; if run.py uses it, with --mpi=pmi2 every"
                + " rank would be rank 0 of 1",
            launch().script(OPEN_MPI_5)),
        row(
            "not-wired",
            launch().linkedTo(MPICH).mpi("none"),
            "refused: app is linked to MPICH 4.2.1; with --mpi=none every rank would be rank 0 of 1",
            launch().linkedTo(MPICH).choice(choice(Optional.empty(), false, true, true))),
        row(
            "not-wired-perhaps",
            launch().script(MPICH).mpi("none"),
            "warning: if run.py uses the image's MPICH 4.2.1, with --mpi=none every rank would be rank"
                + " 0 of 1",
            launch().script(MPICH).mpi("none").ranks("1")),
        row(
            "many-mpiruns",
            launch().mpirun(MPICH).ranks("8"),
            "refused: each rank would be one mpirun, and start all ranks once more",
            launch().mpirun(MPICH)),
        row(
            "several-mpis",
            launch().script(OPEN_MPI_5, MPICH),
            "warning: the image holds Open MPI 5.0.7 and MPICH 4.2.1, and run.py does not tell which"
                + " one it uses; with --mpi=pmix not all of them work",
            launch().script(OPEN_MPI_5, both)),
        row(
            "unknown-mpi",
            launch().linkedTo(unknown),
            "warning: hpcrun does not know the MPI at /usr/lib/libmpi.so.1; --mpi=pmix may be wrong",
            launch().linkedTo(MPICH)),
        row(
            "missing-library",
            launch()
                .program(
                    new Program(
                        "app",
                        Optional.of("/app"),
                        Reach.CLOSED,
                        Optional.empty(),
                        List.of("libmpi.so.40"))),
            "warning: app needs libmpi.so.40, which is not in the container",
            launch().linkedTo(MPICH)),
        row(
            "host-abi",
            launch().linkedTo(OPEN_MPI_5).host(against(MPICH, false, "", NO, NO, NO, NO, NO)),
            "refused: programs that are linked to the image's Open MPI 5.0.7 (libmpi.so.1) cannot use"
                + " /host/libmpi.so, which is MPICH 4.2.1: it has another ABI",
            launch().linkedTo(MPICH).host(host(MPICH))),
        row(
            "host-older",
            launch()
                .linkedTo(MPICH)
                .host(against(MPICH, true, "MPICH 4.0 and so on", NO, NO, NO, NO, NO)),
            "refused: the host's MPI may lack functions that the image's programs use: it is MPICH 4.0"
                + " and so on",
            launch().linkedTo(MPICH).host(host(MPICH))),
        row(
            "host-libc",
            launch()
                .linkedTo(MPICH)
                .host(against(MPICH, true, "", NO, List.of("a needs b", "c"), NO, NO, NO)),
            "refused: a needs b (and 1 more)",
            launch().linkedTo(MPICH).host(host(MPICH))),
        row(
            "host-functions",
            launch()
                .linkedTo(MPICH)
                .host(against(MPICH, true, "", NO, NO, NO, List.of("MPI_Send_c"), NO)),
            "refused: app uses MPI_Send_c, which /host/libmpi.so (MPICH 4.2.1) does not have",
            launch()
                .script(MPICH)
                .host(against(MPICH, true, "", NO, NO, NO, List.of("MPI_Send_c"), NO))),
        row(
            "host-mpirun",
            launch().mpirun(MPICH).host(host(MPICH)),
            "refused: mpirun is of the image's MPI, and would start ranks with /host/libmpi.so",
            launch().mpirun(MPICH)),
        row(
            "host-plugins",
            launch()
                .linkedTo(MPICH)
                .host(
                    against(
                        MPICH,
                        true,
                        "",
                        NO,
                        NO,
                        NO,
                        NO,
                        List.of("/l/libuct_ib.so.0, which needs x"))),
            "warning: the network may be slower than it could be: left out is /l/libuct_ib.so.0, which"
                + " needs x",
            launch()
                .linkedTo(MPICH)
                .host(
                    against(
                        MPICH,
                        true,
                        "",
                        NO,
                        NO,
                        NO,
                        NO,
                        List.of("/l/libuct_rocm.so.0, which needs x")))),
        row(
            "host-incomplete",
            launch()
                .linkedTo(MPICH)
                .host(against(MPICH, true, "", List.of("a needs b"), NO, NO, NO, NO)),
            "refused: a needs b, which is not found on this machine",
            launch().linkedTo(MPICH).host(host(MPICH))),
        row(
            "host-bindings",
            launch()
                .linkedTo(MPICH)
                .host(against(MPICH, true, "", NO, NO, List.of("/libmpifort.so.12"), NO, NO)),
            "warning: the host's MPICH 4.2.1 has no counterpart of /libmpifort.so.12, which uses the"
                + " inside of its own libmpi",
            launch().linkedTo(MPICH).host(host(MPICH))),
        row(
            "pmix-5.0.8-hangs",
            launch().linkedTo(OPEN_MPI_5).pmix("5.0.9").slurm("25.11.1", "pmix", "pmix"),
            "warning: clients with PMIx 5.0.8 and 5.0.9 were seen to hang when they connect to Slurm"
                + " before 25.11.2",
            launch().linkedTo(OPEN_MPI_5).pmix("5.0.9").slurm("25.11.2", "pmix", "pmix")),
        row(
            "slurm-20.11-pmix",
            launch().linkedTo(OPEN_MPI_4).slurm("20.11.2", "pmix", "pmix"),
            "warning: PMIx of Slurm 20.11.0 to 20.11.2 does not work with Open MPI",
            launch().linkedTo(OPEN_MPI_4).slurm("20.11.3", "pmix", "pmix")),
        row(
            "mpich-ucx-finalize",
            launch().linkedTo(mpi(Family.MPICH, "4.0.2", "pmi2")).ucx("1.13.1"),
            "warning: MPICH 4.0.2 with UCX hangs in MPI_Finalize at times, with and without a"
                + " container",
            launch().linkedTo(MPICH).ucx("1.18.1")),
        row(
            "psec-native",
            launch().linkedTo(OPEN_MPI_5).pmix("5.0.7", "psec_native", "psec_none"),
            "PMIX_MCA_psec=native",
            launch().linkedTo(OPEN_MPI_5).pmix("5.0.7", "psec_munge", "psec_native")),
        row(
            "gds-own-tmp",
            launch().linkedTo(OPEN_MPI_5).noTmp(),
            "PMIX_MCA_gds=hash",
            launch().linkedTo(MPICH).noTmp()),
        row(
            "gds-private-tmp",
            launch().linkedTo(OPEN_MPI_5).jobContainer("job_container/tmpfs"),
            "PMIX_MCA_gds=hash",
            launch().linkedTo(OPEN_MPI_5).jobContainer("job_container/none")),
        row(
            "intel-pmi2",
            launch().linkedTo(intel).pmi2Library(),
            "I_MPI_PMI_LIBRARY=/usr/lib/libpmi2.so.0",
            launch().linkedTo(MPICH).pmi2Library()),
        row(
            "intel-no-pmi2",
            launch().linkedTo(intel),
            "warning: Intel MPI 2021.9 needs libpmi2 to talk to Slurm, and the image has none",
            launch().linkedTo(intel).pmi2Library()),
        row("mpirun-hydra", launch().mpirun(MPICH), "HYDRA_BOOTSTRAP=fork", plain()),
        row(
            "mpirun-hydra",
            launch().script(MPICH).ranks("1"),
            "HYDRA_BOOTSTRAP=fork",
            launch().script(MPICH)),
        row("mpirun-intel", launch().mpirun(MPICH), "I_MPI_HYDRA_BOOTSTRAP=fork", plain()),
        row("mpirun-plm", launch().mpirun(OPEN_MPI_4), "OMPI_MCA_plm=isolated", plain()),
        row("mpirun-ras", launch().mpirun(OPEN_MPI_4), "OMPI_MCA_ras=^slurm", plain()),
        row("mpirun-prte-plm", launch().mpirun(OPEN_MPI_5), "PRTE_MCA_plm=^slurm", plain()),
        row("mpirun-prte-ras", launch().mpirun(OPEN_MPI_5), "PRTE_MCA_ras=^slurm", plain()),
        row(
            "ucx-proc-link",
            launch().linkedTo(OPEN_MPI_4).ucx("1.18.1"),
            "alone: UCX_POSIX_USE_PROC_LINK=n",
            launch().linkedTo(OPEN_MPI_4)),
        row(
            "vader-cma-3.0",
            launch().linkedTo(mpi(Family.OPEN_MPI, "3.0.4", "pmix")),
            "alone: OMPI_MCA_btl_vader_single_copy_mechanism=none",
            launch().linkedTo(mpi(Family.OPEN_MPI, "3.0.5", "pmix"))),
        row(
            "vader-cma-3.1",
            launch().linkedTo(mpi(Family.OPEN_MPI, "3.1.4", "pmix")),
            "alone: OMPI_MCA_btl_vader_single_copy_mechanism=none",
            launch().linkedTo(mpi(Family.OPEN_MPI, "3.1.5", "pmix"))),
        row(
            "vader-cma-4.0",
            launch().linkedTo(mpi(Family.OPEN_MPI, "4.0.1", "pmix")),
            "alone: OMPI_MCA_btl_vader_single_copy_mechanism=none",
            launch().linkedTo(mpi(Family.OPEN_MPI, "4.0.1", "pmix")).mode(Mode.JOIN)),
        row(
            "mpich-cma",
            launch().linkedTo(mpi(Family.MPICH, "5.0.2", "pmi2")),
            "alone: MPIR_CVAR_CH4_CMA_ENABLE=0",
            launch().linkedTo(MPICH)),
        row(
            "mpich-own-shm",
            launch().linkedTo(MPICH).flag(ContainerFlag.CONTAIN),
            "alone: MPIR_CVAR_NOLOCAL=1",
            launch().linkedTo(MPICH)));
  }

  private static Launch plain() {
    return launch().linkedTo(OPEN_MPI_4);
  }

  private static Arguments row(String id, Launch holds, String effect, Launch other) {
    return Arguments.of(id, holds, effect, other);
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("rows")
  void holdsWhereItShouldAndNowhereElse(String id, Launch holds, String effect, Launch other) {
    assertThat(effects(holds.plan())).contains(id + " | " + effect);
    assertThat(effects(other.plan())).noneMatch(each -> each.startsWith(id + " | "));
  }

  /** What rows brought about, each with its row. */
  private static List<String> effects(Plan plan) {
    List<String> effects = new ArrayList<>();
    Set<String> alone =
        plan.aloneDefaults().stream().map(EnvironmentVariable::name).collect(Collectors.toSet());
    for (Decision decision : plan.decisions()) {
      String prefix = alone.contains(decision.what()) ? "alone: " : "";
      effects.add(id(decision.source()) + prefix + decision.what() + "=" + decision.value());
    }
    plan.warnings().forEach(each -> effects.add(id(each.source()) + "warning: " + each.text()));
    plan.refusals().forEach(each -> effects.add(id(each.source()) + "refused: " + each.text()));
    return effects;
  }

  private static String id(String source) {
    return source.replaceFirst("^rule ([^:]+): .*", "$1") + " | ";
  }

  @Test
  void everyRowHasATestAndASource() {
    Set<String> tested =
        rows().map(row -> (String) row.get()[0]).collect(Collectors.toCollection(HashSet::new));
    assertThat(MpiRules.ROWS).extracting(MpiRule::id).doesNotHaveDuplicates();
    assertThat(tested)
        .containsExactlyInAnyOrderElementsOf(
            MpiRules.ROWS.stream().map(MpiRule::id).collect(Collectors.toSet()));
    assertThat(MpiRules.ROWS).allMatch(rule -> !rule.source().isBlank());
  }

  @Test
  void forceTurnsRefusalsIntoWarnings() {
    Plan forced =
        launch().linkedTo(MPICH).choice(choice(Optional.of("pmix"), true, false, true)).plan();
    assertThat(forced.refusals()).isEmpty();
    assertThat(forced.warnings()).extracting(Advice::text).anyMatch(t -> t.contains("rank 0 of 1"));
    assertThat(forced.guard()).containsExactly("1:2:4096:never:MPICH 4.2.1:usr/lib/libmpi.so.1");
  }

  @Test
  void leavesProgramsWithoutMpiAlone() {
    Program date =
        new Program("date", Optional.of("/bin/date"), Reach.CLOSED, Optional.empty(), List.of());
    Launch launch = launch().script(OPEN_MPI_5).program(date).slurm("26.05.5", "none", "pmi2");
    assertThat(launch.plan().warnings()).isEmpty();
    assertThat(launch.plan().refusals()).isEmpty();
    assertThat(launch.mpi("none").plan().warnings()).isEmpty();
  }

  @Test
  void neverOverridesTheUsersVariables() {
    Plan plan =
        launch()
            .linkedTo(OPEN_MPI_5)
            .pmix("5.0.7", "psec_native")
            .env("PMIX_MCA_psec", "none")
            .plan();
    assertThat(plan.defaults()).isEmpty();
  }

  /** What the image's MPI could not do, the host's can. */
  @Test
  void wiresTheHostsLibraryInTheImagesPlace() {
    Launch launch = launch().linkedTo(OPEN_MPI_5).slurm("26.05.5", "none", "none", "pmi2");
    assertThat(launch.plan().refusals()).isNotEmpty();
    Plan plan = launch.host(host(MPICH)).plan();
    assertThat(plan.refusals()).isEmpty();
    assertThat(plan.mpi()).isEqualTo("pmi2");
    assertThat(plan.runtimeOptions())
        .extracting(ByteString::toString)
        .contains("/host/libmpi.so:/x/libmpi.so.12:ro");
    assertThat(plan.spec().container().environment())
        .extracting(variable -> variable.name() + "=" + variable.value())
        .containsExactly("LD_LIBRARY_PATH=/x", "FI_PROVIDER_PATH=/x/libfabric");
    Plan own = launch.env("FI_PROVIDER_PATH", "/mine").plan();
    assertThat(own.spec().container().environment())
        .extracting(variable -> variable.name() + "=" + variable.value())
        .containsExactly("FI_PROVIDER_PATH=/mine", "LD_LIBRARY_PATH=/x");
    assertThat(plan.decisions()).extracting(Decision::what).contains("mpi-model", "host-mpi");
  }

  @Test
  void takesTheHostsLibraryByItselfOnlyWhereTheImagesIsNotWired() {
    Launch served = launch().linkedTo(MPICH).choice(choice(Optional.empty(), false, false, true));
    assertThat(served.wantsHost()).isFalse();
    assertThat(served.plan().decisions())
        .filteredOn(decision -> decision.what().equals("mpi-model"))
        .extracting(Decision::value)
        .containsExactly("container");
    assertThat(served.slurm("24.11.5", "none", "none", "pmix").wantsHost()).isTrue();
    Program lacking =
        new Program(
            "app", Optional.of("/app"), Reach.CLOSED, Optional.empty(), List.of("libmpich.so.12"));
    assertThat(
            launch()
                .program(lacking)
                .choice(choice(Optional.empty(), false, false, true))
                .wantsHost())
        .isTrue();
    assertThat(launch().program(lacking).wantsHost()).isFalse();
    Launch deaf =
        launch()
            .linkedTo(MPICH)
            .slurm("24.11.5", "none", "none", "pmix")
            .choice(choice(Optional.empty(), false, false, true));
    assertThat(deaf.wantsHost()).isTrue();
    assertThat(deaf.ranks("1").wantsHost()).isFalse();
    assertThat(deaf.mpirun(MPICH).ranks("8").wantsHost()).isFalse();
    assertThat(
            launch()
                .linkedTo(MPICH)
                .slurm("24.11.5", "none", "none", "pmix")
                .choice(choice(Optional.empty(), false, true, true))
                .wantsHost())
        .isFalse();
  }

  @Test
  void guardsOnlyLaunchesOfManyRanks() {
    assertThat(launch().linkedTo(OPEN_MPI_5).plan().guard())
        .containsExactly("1:2:4096:pmix:Open MPI 5.0.7:usr/lib/libmpi.so.1");
    assertThat(launch().linkedTo(OPEN_MPI_5).ranks("1").plan().guard()).isEmpty();
    Plan wired = launch().linkedTo(MPICH).plan();
    assertThat(wired.guard()).containsExactly("1:2:4096:any:MPICH 4.2.1:usr/lib/libmpi.so.1");
    assertThat(wired.decisions())
        .anyMatch(
            decision ->
                decision.what().equals("world-size-guard") && decision.value().equals("off"));
    assertThat(launch().mpirun(OPEN_MPI_5).plan().guard()).isEmpty();
    Plan unguarded =
        launch().linkedTo(OPEN_MPI_5).choice(choice(Optional.empty(), false, false, false)).plan();
    assertThat(unguarded.guard())
        .containsExactly("1:2:4096:any:Open MPI 5.0.7:usr/lib/libmpi.so.1");
    assertThat(unguarded.mpi()).isEqualTo("pmix");
    assertThat(
            launch()
                .linkedTo(OPEN_MPI_5)
                .choice(choice(Optional.empty(), false, true, true))
                .plan()
                .guard())
        .isEmpty();
  }

  /** The table in the documentation is the one that is applied. */
  @Test
  void theDocumentationShowsTheTable() throws IOException {
    StringBuilder table =
        new StringBuilder(
            "| rule | holds for | then | because | source |\n|---|---|---|---|---|\n");
    for (MpiRule rule : MpiRules.ROWS) {
      table.append(
          "| %s | %s | %s | %s | %s |\n"
              .formatted(
                  rule.id(),
                  rule.when().label(),
                  rule.effect().label(),
                  rule.reason().replace("{", "*").replace("}", "*"),
                  rule.source()));
    }
    Path page = Path.of("../docs/mpi.md");
    String text = Files.readString(page);
    int from = text.indexOf("| rule | holds for");
    int to = text.indexOf("\n\n", from) + 1;
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(page, text.substring(0, from) + table + text.substring(to));
    }
    assertThat(Files.readString(page)).contains(table);
  }
}
