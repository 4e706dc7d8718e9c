package io.hpcrun.planning;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.Program;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.policy.Policy;
import io.hpcrun.policy.PolicyFile;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentChoice;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.Staging;
import io.hpcrun.spec.Surroundings;
import io.hpcrun.spec.UserScript;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A launch that tests of policies change piece by piece. */
final class PolicyLaunch {
  static final long NOW = 1_795_300_000L;
  static final String PROGRAM = "a".repeat(64);

  String image = "/apps/images/app.sif";
  String source = image;
  Optional<Long> built = Optional.of(NOW - 86_400L * 10);
  boolean signed;
  LaunchSpec.Kind kind = LaunchSpec.Kind.JOB;
  List<ByteString> command = new ArrayList<>(List.of(ByteString.of("./app")));
  Optional<UserScript> script = Optional.empty();
  final Map<SlurmOption, String> slurm = new EnumMap<>(SlurmOption.class);
  final List<String> verbatim = new ArrayList<>();
  final List<String> srun = new ArrayList<>();
  final List<String> binds = new ArrayList<>();
  final List<String> environment = new ArrayList<>();
  final List<String> byName = new ArrayList<>();
  final List<ContainerFlag> flags = new ArrayList<>();
  final List<String> modules = new ArrayList<>();
  final Map<String, String> variables = new HashMap<>();
  final Map<String, String> labels = new HashMap<>();
  final List<ImageProfile.Library> gpu = new ArrayList<>();
  Optional<ByteString> home = Optional.empty();
  boolean force;
  String mpi = "none";
  Staging.From staging = Staging.From.AUTO;
  boolean profile = true;

  PolicyLaunch with(SlurmOption option, String value) {
    slurm.put(option, value);
    return this;
  }

  PolicyLaunch in(String partition) {
    return with(SlurmOption.PARTITION, partition);
  }

  /** A user's own script. */
  PolicyLaunch asScript(String text) {
    kind = LaunchSpec.Kind.SCRIPT;
    command = List.of();
    script =
        Optional.of(
            new UserScript(
                text.lines()
                    .filter(line -> line.startsWith("#SBATCH"))
                    .map(ByteString::of)
                    .toList(),
                List.of(ByteString.of("/bin/bash")),
                List.of(),
                ByteString.of(text)));
    return this;
  }

  LaunchSpec spec() {
    return new LaunchSpec(
        Path.of(image),
        kind,
        command,
        script,
        slurm.entrySet().stream()
            .map(each -> new SlurmSetting(each.getKey(), each.getValue()))
            .toList(),
        verbatim,
        srun,
        new ContainerOptions(
            binds.stream()
                .flatMap(text -> BindMount.parseList(ByteString.of(text)).stream())
                .toList(),
            environment.stream()
                .map(text -> EnvironmentVariable.parse(ByteString.of(text), "--env"))
                .toList(),
            Optional.empty(),
            home,
            List.of(),
            flags,
            new EnvironmentChoice(byName, false, List.of())),
        new MpiChoice(Optional.of(mpi), force, false, true, MpiChoice.Model.AUTO, List.of()),
        FabricChoice.AUTO,
        Mode.AUTO,
        new Staging(staging, Optional.empty(), Staging.DEFAULT_LIMIT),
        Path.of("/home/alice/.local/state/hpcrun/records"),
        Optional.empty());
  }

  PlanRequest request() {
    Knowledge known =
        new Knowledge(
            new Image(
                Path.of(image),
                Image.Format.SIF,
                Optional.of("amd64"),
                Optional.of("id"),
                1000,
                Optional.of("d".repeat(64)),
                "ext4",
                built,
                signed),
            profile
                ? Optional.of(
                    new ImageProfile(
                        Optional.of("amd64"),
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
                        List.of(),
                        List.of(),
                        gpu,
                        Map.of(),
                        labels))
                : Optional.empty(),
            Optional.empty(),
            Program.unknown("./app"),
            Optional.empty(),
            new ClusterFacts(
                "24.11.5",
                "pmix",
                Optional.of(List.of("none", "pmi2", "pmix")),
                "/var/spool/slurmd",
                "/tmp",
                "",
                "amd64"),
            new Surroundings(
                "alice", Optional.of(source), modules, NOW, Surroundings.known(variables)));
    return new PlanRequest(
        spec(),
        known,
        Optional.of("e".repeat(64)),
        Optional.of(Path.of("/home/alice/.cache/hpcrun/hpcrun-enter-" + PROGRAM)),
        List.of());
  }

  PlanAnswer planned(Policy policy) {
    return PlanAnswer.to(request(), policy);
  }

  /** The job script, as bytes. */
  String scriptText() {
    return new String(PlanAnswer.to(request()).script().orElseThrow(), StandardCharsets.ISO_8859_1);
  }

  /** A policy as an administrator writes it. */
  static Policy policy(String text) {
    try {
      Path file = Files.createTempFile("policy", ".yaml");
      try {
        Files.writeString(file, text);
        return PolicyFile.read(List.of(file), Optional.empty());
      } finally {
        Files.delete(file);
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /** A policy of one rule, with its lines behind the reason. */
  static Policy rule(String lines) {
    return policy(
        "contact: help@site\nrules:\n  - id: the-rule\n    reason: The site says so.\n"
            + lines.indent(4));
  }
}
