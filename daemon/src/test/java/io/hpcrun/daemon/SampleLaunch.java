package io.hpcrun.daemon;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.image.Program;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.planning.PlanRequest;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.Staging;
import io.hpcrun.spec.Surroundings;
import io.hpcrun.spec.UserScript;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A launch, with all that is known of it. */
public final class SampleLaunch {
  /** What its cluster offers. */
  public static final ClusterFacts CLUSTER =
      new ClusterFacts(
          "24.11.5",
          "pmix",
          Optional.of(List.of("none", "pmi2", "pmix")),
          "/var/spool/slurmd",
          "/tmp",
          "",
          "amd64");

  private SampleLaunch() {}

  /** A request to plan it. */
  public static PlanRequest request() {
    return request(LaunchSpec.Kind.JOB, Optional.empty());
  }

  /** The same of a script that starts it. */
  static PlanRequest request(UserScript script) {
    return request(LaunchSpec.Kind.SCRIPT, Optional.of(script));
  }

  private static PlanRequest request(LaunchSpec.Kind kind, Optional<UserScript> script) {
    LaunchSpec spec =
        new LaunchSpec(
            Path.of("/images/héllo.sif"),
            kind,
            List.of(ByteString.of("app"), ByteString.ofLatin1("\u00ff'$(touch x)\n\"")),
            script,
            List.of(),
            List.of("--licenses=a b"),
            List.of(),
            new ContainerOptions(
                List.of(), List.of(), Optional.empty(), Optional.empty(), List.of(), List.of()),
            MpiChoice.AUTO,
            FabricChoice.AUTO,
            Mode.AUTO,
            new Staging(Staging.From.AUTO, Optional.empty(), Staging.DEFAULT_LIMIT),
            Path.of("/home/alice/records"),
            Optional.of(Path.of("/spool")));
    Image image =
        new Image(
            spec.image(),
            Image.Format.SIF,
            Optional.of("amd64"),
            Optional.empty(),
            1000,
            Optional.of("d".repeat(64)),
            "ext4",
            Optional.of(1_795_000_000L),
            true);
    return new PlanRequest(
        spec,
        new Knowledge(
            image,
            Optional.empty(),
            Optional.empty(),
            Program.unknown("app"),
            Optional.empty(),
            CLUSTER,
            new Surroundings(
                "alice",
                Optional.of("/given/héllo.sif"),
                List.of("fabric"),
                1_795_100_000L,
                Map.of("SBATCH_PARTITION", "main"))),
        Optional.of("a".repeat(64)),
        Optional.of(Path.of("/home/alice/.cache/hpcrun/hpcrun-enter-0")),
        List.of());
  }
}
