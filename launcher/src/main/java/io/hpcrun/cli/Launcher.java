package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.image.ImageReader;
import io.hpcrun.image.UserCache;
import io.hpcrun.plan.Plan;
import io.hpcrun.plan.Planner;
import io.hpcrun.script.JobScript;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** From a spec to a job script and a job: looks at image and cluster, plans, renders, submits. */
final class Launcher {
  private static final List<String> AGENT =
      List.of(
          "/io/hpcrun/agent/agent.bash",
          "/io/hpcrun/agent/container.bash",
          "/io/hpcrun/agent/stage.bash");

  private final SlurmClient slurm;
  private final ImageDigest digests;
  private final EnterProgram enterProgram;

  Launcher(SlurmClient slurm, UserCache cache) {
    this.slurm = slurm;
    this.digests = new ImageDigest(cache);
    this.enterProgram = new EnterProgram(cache);
  }

  /** The job script for a launch. */
  byte[] script(LaunchSpec spec) {
    Image image = ImageReader.read(spec.image());
    Map<String, String> config = slurm.config();
    String mpiDefault = config.getOrDefault("MpiDefault", "none");
    Optional<List<String>> plugins =
        Planner.needsMpiPlugins(spec, mpiDefault)
            ? Optional.of(slurm.mpiPlugins())
            : Optional.empty();
    ClusterFacts cluster =
        new ClusterFacts(
            config.getOrDefault("SLURM_VERSION", "unknown"),
            mpiDefault,
            plugins,
            config.getOrDefault("SlurmdSpoolDir", ""),
            ClusterFacts.goArchitecture(System.getProperty("os.arch")));
    Plan plan = Planner.plan(spec, image, cluster);
    String digest = plan.staged() ? digests.of(spec.image()) : "";
    return JobScript.render(
        plan, Version.VERSION, agent(plan.staged()), digest, enterProgram.forJobs());
  }

  /**
   * Submits the launch; returns what {@code sbatch --parsable} prints.
   *
   * @param single whether it must be one job: an array that the environment asks for is left out
   */
  String submit(LaunchSpec spec, boolean single) {
    Set<String> overriding =
        spec.slurm().stream()
            .map(setting -> setting.option().variable())
            .filter(variable -> !variable.isEmpty())
            .collect(Collectors.toSet());
    // Whether the job waits in the queue is hpcrun's business, not the environment's.
    overriding.add("SBATCH_WAIT");
    if (single) {
      overriding.add(SlurmOption.ARRAY.variable());
    }
    return slurm.submit(script(spec), overriding);
  }

  /** Whether the launch is a job array. */
  static boolean isArray(LaunchSpec spec) {
    return spec.slurm(SlurmOption.ARRAY).isPresent()
        || spec.verbatim().stream()
            .anyMatch(option -> option.startsWith("-a") || option.startsWith("--ar"));
  }

  /** The agent's parts; that of staging only where it is used. */
  static String agent(boolean staging) {
    StringBuilder agent = new StringBuilder();
    for (String part : staging ? AGENT : AGENT.subList(0, 2)) {
      try (InputStream in = Launcher.class.getResourceAsStream(part)) {
        if (in == null) {
          throw Failure.internal("the node agent is missing", "install hpcrun again", null);
        }
        agent.append(new String(in.readAllBytes(), StandardCharsets.UTF_8)).append('\n');
      } catch (IOException broken) {
        throw Failure.internal("the node agent cannot be read", "install hpcrun again", broken);
      }
    }
    return agent.toString();
  }
}
