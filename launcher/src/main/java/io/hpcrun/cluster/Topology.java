package io.hpcrun.cluster;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** GPUs and network ports of a node, as its own agent sees them. */
public final class Topology {
  /** srun waits this long for a node that is in use. */
  private static final int PATIENCE = 30;

  private static final Duration LIMIT = Duration.ofSeconds(PATIENCE + 30);

  private Topology() {}

  /**
   * Lets a node look at its devices.
   *
   * @param node the node; empty: this machine
   * @param root a directory with copies of /sys, /proc and /dev; empty: the machine's own
   * @param script what looks, for bash, with the directory as its argument
   * @return what it prints
   * @throws Failure with exit code 4 when the node does not answer, 2 for the directory
   */
  public static String look(Optional<String> node, String root, String script) {
    List<String> command = new ArrayList<>();
    Set<String> unset = new HashSet<>();
    node.ifPresent(
        name -> {
          // In a job, its own sizes would go before these.
          System.getenv().keySet().stream()
              .filter(variable -> variable.matches("(SLURM|SRUN)_.*"))
              .filter(variable -> !variable.equals("SLURM_CONF"))
              .forEach(unset::add);
          partition(name).ifPresent(partition -> command.add("--partition=" + partition));
          command.addAll(
              List.of(
                  "--nodes=1",
                  "--ntasks=1",
                  "--nodelist=" + name,
                  "--gres=none",
                  "--mpi=none",
                  "--immediate=" + PATIENCE,
                  "--job-name=hpcrun-topo"));
          command.addFirst("srun");
        });
    command.addAll(List.of("bash", "-p", "-s", "--", root));
    Programs.Result result =
        Programs.run(command, unset, script.getBytes(StandardCharsets.UTF_8), LIMIT);
    if (result.exitCode() != 0) {
      String said = result.error().strip();
      throw node.isPresent()
          ? Failure.slurm(
              "srun on " + node.get() + " failed: " + said,
              "'sinfo -N' names the nodes and says whether they are in use")
          : Failure.usage(
              "the devices below '" + root + "/' cannot be looked at: " + said,
              "give a directory that holds copies of /sys and /proc");
    }
    return result.output();
  }

  /** The first partition that has a node. */
  private static Optional<String> partition(String node) {
    Programs.Result result =
        Programs.run(
            List.of("sinfo", "--noheader", "--nodes=" + node, "--format=%R"),
            Set.of(),
            new byte[0],
            LIMIT);
    return result.output().lines().map(String::strip).filter(name -> !name.isEmpty()).findFirst();
  }
}
