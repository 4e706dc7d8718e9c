package io.hpcrun.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageVariables;
import io.hpcrun.image.Program;
import io.hpcrun.plan.EnvironmentReport.Outcome;
import io.hpcrun.plan.EnvironmentReport.Variable;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentChoice;
import io.hpcrun.spec.EnvironmentRule;
import io.hpcrun.spec.EnvironmentRule.Fate;
import io.hpcrun.spec.EnvironmentRule.Kind;
import io.hpcrun.spec.EnvironmentRule.Place;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.Staging;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EnvironmentReportTest {
  private static final String SECRET = "s3cret";
  private static final ImageVariables PLAIN = new ImageVariables(Map.of(), Map.of());
  private static final EnvironmentChoice DEFAULT = EnvironmentChoice.DEFAULT;

  @Test
  void eachOfTheCallersVariablesHasItsOutcome() {
    Collection<Variable> all =
        report(
            spec(DEFAULT),
            Map.of("EDITOR", "vi", "SSH_TTY", "/dev/pts/1", "HF_TOKEN", SECRET, "UCX_TLS", "rc"),
            PLAIN);
    assertThat(of(all, "EDITOR")).isEqualTo(passes("EDITOR", Kind.USER, "vi"));
    assertThat(of(all, "UCX_TLS").kind()).isEqualTo(Kind.FABRIC);
    assertThat(of(all, "SSH_TTY").outcome()).isEqualTo(Outcome.DROPPED);
    assertThat(of(all, "SSH_TTY").value()).isEmpty();
    assertThat(of(all, "HF_TOKEN").outcome()).isEqualTo(Outcome.PASSES);
    assertThat(of(all, "HF_TOKEN").secret()).isTrue();
    assertThat(all.toString()).doesNotContain(SECRET);
  }

  @Test
  void whatTheLaunchSetsIsThereWithItsReason() {
    LaunchSpec spec =
        spec(
            new EnvironmentChoice(List.of("TOKEN", "DISPLAY"), false, List.of()),
            new EnvironmentVariable("A", ByteString.of("b\nc")));
    Collection<Variable> all =
        report(spec, Map.of("DISPLAY", ":0", "TOKEN", SECRET, "A", "mine"), PLAIN);
    assertThat(of(all, "A").outcome()).isEqualTo(Outcome.SET);
    assertThat(of(all, "A").value()).contains("b\\nc");
    assertThat(of(all, "A").source()).contains("--env");
    assertThat(of(all, "DISPLAY").outcome()).isEqualTo(Outcome.SET);
    assertThat(of(all, "DISPLAY").value()).contains(":0");
    assertThat(of(all, "TOKEN").value()).isEmpty();
    assertThat(of(all, "TOKEN").decided()).isEqualTo("by the job's environment");
    assertThat(all.toString()).doesNotContain(SECRET);
  }

  @Test
  void defaultsGiveWayToTheCallers() {
    LaunchSpec tcp = spec(DEFAULT).with(container(DEFAULT));
    Plan plan = plan(tcp);
    Plan withDefault =
        new Plan(
            plan.spec(),
            plan.image(),
            plan.srunOptions(),
            plan.runtimeOptions(),
            plan.mode(),
            plan.staged(),
            plan.mpi(),
            plan.pmixDirectories(),
            plan.variables(),
            List.of(
                new EnvironmentVariable("UCX_TLS", ByteString.of("^ib")),
                new EnvironmentVariable("HYDRA_BOOTSTRAP", ByteString.of("fork"))),
            plan.aloneDefaults(),
            plan.guard(),
            plan.devices(),
            plan.packing(),
            List.of(new Decision("UCX_TLS", "^ib", "UCX uses no RDMA", "option --fabric")),
            plan.warnings(),
            plan.refusals());
    Collection<Variable> own =
        EnvironmentReport.of(
            withDefault,
            Map.of("UCX_TLS", "rc", "HYDRA_BOOTSTRAP", "slurm"),
            Set.of(),
            Map.of(),
            PLAIN);
    assertThat(of(own, "UCX_TLS").value()).contains("rc");
    assertThat(of(own, "HYDRA_BOOTSTRAP").value()).contains("fork");
    Variable set =
        of(EnvironmentReport.of(withDefault, Map.of(), Set.of(), Map.of(), PLAIN), "UCX_TLS");
    assertThat(set.value()).contains("^ib");
    assertThat(set.reason()).isEqualTo("UCX uses no RDMA");
    assertThat(set.source()).isEqualTo("option --fabric");
  }

  @Test
  void whatOnlyANodeKnowsIsSaidSo() {
    Collection<Variable> all =
        report(spec(DEFAULT), Map.of("PATH", "/mine", "CUDA_VISIBLE_DEVICES", "3"), PLAIN);
    assertThat(of(all, "PATH").decided()).isEqualTo("by the image, or the container's runtime");
    assertThat(of(all, "SLURM_*").decided()).isEqualTo("per rank, by Slurm");
    assertThat(of(all, "PMIX_*").decided()).isEqualTo("per rank, by Slurm's PMIx server");
    assertThat(of(all, "CUDA_VISIBLE_DEVICES").value()).contains("3");
    assertThat(all).extracting(Variable::name).doesNotContain("CUDA_DEVICE_ORDER", "PMI_*");
  }

  @Test
  void gpusAreSharedOutByTheMapOrBySlurm() {
    Map<String, String> environment =
        Map.of("CUDA_VISIBLE_DEVICES", "3", "CUDA_DEVICE_ORDER", "FASTEST_FIRST");
    Collection<Variable> all =
        report(spec(DEFAULT, new SlurmSetting(SlurmOption.GPUS, "4")), environment, PLAIN);
    assertThat(of(all, "CUDA_VISIBLE_DEVICES").outcome()).isEqualTo(Outcome.SET);
    assertThat(of(all, "CUDA_VISIBLE_DEVICES").decided())
        .isEqualTo("per rank, by the GPU map of its node");
    assertThat(of(all, "CUDA_DEVICE_ORDER").value()).contains("FASTEST_FIRST");
    Collection<Variable> bound =
        report(
            spec(
                DEFAULT,
                new SlurmSetting(SlurmOption.GPUS, "4"),
                new SlurmSetting(SlurmOption.GPU_BIND, "closest")),
            environment,
            PLAIN);
    assertThat(of(bound, "CUDA_VISIBLE_DEVICES").decided()).isEqualTo("per rank, by Slurm");
  }

  @Test
  void theImagesOwnScriptsAreToldOf() {
    ImageVariables image =
        new ImageVariables(
            Map.of("LANG", "/.singularity.d/env/90-environment.sh"),
            Map.of(
                "CUDA_HOME", "/.singularity.d/env/10-docker2singularity.sh",
                "EDITOR", "/.singularity.d/env/10-docker2singularity.sh"));
    Collection<Variable> all =
        report(spec(DEFAULT), Map.of("LANG", "de_DE", "EDITOR", "vi"), image);
    assertThat(of(all, "LANG").outcome()).isEqualTo(Outcome.SET);
    assertThat(of(all, "LANG").reason()).contains("/.singularity.d/env/90-environment.sh sets it");
    assertThat(of(all, "CUDA_HOME").decided()).isEqualTo("by the image");
    assertThat(of(all, "EDITOR").value()).contains("vi");
  }

  @Test
  void whatDoesNotComeToTheJobHasThatReason() {
    EnvironmentRule why =
        new EnvironmentRule(
            "SLURM_NTASKS", Kind.SLURM, Place.SUBMISSION, Fate.DROP, "of another job", "srun(1)");
    Variable variable =
        of(
            EnvironmentReport.of(
                plan(spec(DEFAULT)),
                Map.of("SLURM_NTASKS", "9"),
                Set.of(),
                Map.of("SLURM_NTASKS", why),
                PLAIN),
            "SLURM_NTASKS");
    assertThat(variable.outcome()).isEqualTo(Outcome.DROPPED);
    assertThat(variable.reason()).isEqualTo("of another job");
  }

  private static Variable passes(String name, Kind kind, String value) {
    return new Variable(
        name,
        Outcome.PASSES,
        kind,
        false,
        Optional.of(value),
        "",
        "all others pass, as under plain apptainer exec",
        "built-in");
  }

  private static Variable of(Collection<Variable> all, String name) {
    return all.stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void noValueThatLooksLikeAKeyIsShown() {
    String key = "https://me:s3cret@proxy:3128";
    Map<String, String> environment =
        Map.of("https_proxy", key, "HIDDEN", "not the launch's", "MINE", key, "OTHER", "seen");
    LaunchSpec spec =
        spec(new EnvironmentChoice(List.of("HIDDEN", "MINE", "OTHER"), false, List.of()));
    Collection<Variable> all = report(spec, environment, PLAIN);
    for (String name : List.of("https_proxy", "HIDDEN", "MINE")) {
      assertThat(of(all, name).secret()).as(name).isTrue();
      assertThat(of(all, name).value()).as(name).isEmpty();
    }
    assertThat(of(all, "OTHER").value()).contains("seen");
  }

  private static Collection<Variable> report(
      LaunchSpec spec, Map<String, String> environment, ImageVariables image) {
    return EnvironmentReport.of(plan(spec), environment, Set.of("HIDDEN"), Map.of(), image);
  }

  private static Plan plan(LaunchSpec spec) {
    Image image =
        new Image(
            spec.image(),
            Image.Format.SIF,
            Optional.of("amd64"),
            Optional.empty(),
            1000,
            Optional.empty(),
            "ext4");
    ClusterFacts cluster =
        new ClusterFacts(
            "24.11.5",
            "pmix",
            Optional.of(List.of("none", "pmix")),
            "/var/spool/slurmd",
            "/tmp",
            "",
            "amd64");
    return Planner.plan(
        spec,
        new Knowledge(
            image,
            Optional.empty(),
            Optional.empty(),
            Program.unknown("a"),
            Optional.empty(),
            cluster));
  }

  private static ContainerOptions container(
      EnvironmentChoice choice, EnvironmentVariable... environment) {
    return new ContainerOptions(
        List.of(),
        List.of(environment),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        List.of(),
        choice);
  }

  private static LaunchSpec spec(EnvironmentChoice choice, EnvironmentVariable... environment) {
    return spec(choice).with(container(choice, environment));
  }

  private static LaunchSpec spec(EnvironmentChoice choice, SlurmSetting... slurm) {
    return new LaunchSpec(
        Path.of("/i.sif"),
        LaunchSpec.Kind.JOB,
        List.of(ByteString.of("a")),
        Optional.empty(),
        List.of(slurm),
        List.of(),
        List.of(),
        container(choice),
        MpiChoice.AUTO,
        FabricChoice.AUTO,
        Mode.AUTO,
        new Staging(Staging.From.AUTO, Optional.empty(), Staging.DEFAULT_LIMIT),
        Path.of("/records"),
        Optional.empty());
  }

  private static LaunchSpec spec(EnvironmentChoice choice) {
    return spec(choice, new SlurmSetting[0]);
  }
}
