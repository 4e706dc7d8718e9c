package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.cluster.ClusterStore;
import io.hpcrun.cluster.NodeType;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.PmixServer;
import io.hpcrun.image.UserCache;
import io.hpcrun.json.Json;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.slurm.SlurmClient;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun cluster}: what Slurm offers here, as far as it decides how containers run. */
final class ClusterCommand {
  private ClusterCommand() {}

  static int run(List<String> words, Console console) {
    Options options = new Options().addOption(Option.builder().longOpt("json").get());
    GetoptParser.Around parsed = new GetoptParser(options, "cluster").parseAround(words);
    if (!parsed.operands().isEmpty()) {
      throw Failure.usage("hpcrun cluster takes no operand", "write: hpcrun cluster [--json]");
    }
    SlurmClient slurm = new SlurmClient();
    Map<String, String> config = slurm.config();
    // Asked anew, and remembered for what is submitted next.
    List<String> plugins =
        new ClusterStore(new UserCache(console.environment())).remember(config, slurm.mpiPlugins());
    ClusterFacts facts =
        ClusterFacts.of(
            config,
            Optional.of(plugins),
            ClusterFacts.goArchitecture(System.getProperty("os.arch")));
    Optional<String> pmix = PmixServer.version(config.getOrDefault("PluginDir", ""));
    List<NodeType> nodes = slurm.nodeTypes();
    if (parsed.has("json")) {
      console.out().writeBytes(json(config.getOrDefault("ClusterName", ""), facts, pmix, nodes));
      console.out().println();
    } else {
      print(config.getOrDefault("ClusterName", "?"), facts, pmix, nodes, console.out());
    }
    return ExitCode.OK.code();
  }

  private static void print(
      String name,
      ClusterFacts facts,
      Optional<String> pmix,
      List<NodeType> nodes,
      PrintStream out) {
    row(out, "cluster", name + ", Slurm " + facts.slurmVersion() + ", " + facts.architecture());
    row(
        out,
        "MPI",
        "srun --mpi=%s; MpiDefault %s"
            .formatted(String.join("|", facts.mpiPlugins().orElse(List.of())), facts.mpiDefault()));
    if (facts.mpiPlugins().orElse(List.of()).contains("pmix")) {
      row(out, "PMIx", "server " + pmix.orElse("of unknown version") + " on this machine");
      row(out, "", "server's files in " + facts.spoolDirectory());
      row(out, "", "clients' files in " + facts.clientDirectory());
    }
    if (!facts.jobContainer().isEmpty()) {
      row(out, "job /tmp", facts.jobContainer());
    }
    out.println();
    out.println(
        "  %-14s %6s %6s %10s %14s  %s"
            .formatted("partition", "nodes", "CPUs", "MiB", "time limit", "GRES and features"));
    for (NodeType node : nodes) {
      out.println(
          InspectCommand.printable(
                  "  %-14s %6d %6s %10s %14s  %s %s"
                      .formatted(
                          node.partition()
                              + (node.isDefault() ? "*" : "")
                              + (node.state().equals("up") ? "" : " (" + node.state() + ")"),
                          node.nodes(),
                          node.cpus(),
                          node.memoryMib(),
                          node.timeLimit(),
                          node.gres(),
                          String.join(",", node.features())))
              .stripTrailing());
    }
  }

  private static void row(PrintStream out, String title, String text) {
    out.println("  %-9s %s".formatted(title, InspectCommand.printable(text)).stripTrailing());
  }

  private static byte[] json(
      String name, ClusterFacts facts, Optional<String> pmix, List<NodeType> nodes) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", "hpcrun.cluster/1");
          json.writeStringProperty("cluster", name);
          json.writeStringProperty("slurm", facts.slurmVersion());
          json.writeStringProperty("architecture", facts.architecture());
          Json.strings(json, "mpi_plugins", facts.mpiPlugins().orElse(List.of()));
          json.writeStringProperty("mpi_default", facts.mpiDefault());
          pmix.ifPresent(version -> json.writeStringProperty("pmix_server", version));
          json.writeStringProperty("spool_directory", facts.spoolDirectory());
          json.writeStringProperty("client_directory", facts.clientDirectory());
          json.writeStringProperty("job_container", facts.jobContainer());
          Json.objects(
              json,
              "nodes",
              nodes,
              node -> {
                json.writeStringProperty("partition", node.partition());
                json.writeBooleanProperty("default", node.isDefault());
                json.writeStringProperty("state", node.state());
                json.writeNumberProperty("nodes", node.nodes());
                json.writeStringProperty("cpus", node.cpus());
                json.writeStringProperty("memory_mib", node.memoryMib());
                json.writeStringProperty("gres", node.gres());
                Json.strings(json, "features", node.features());
                json.writeStringProperty("time_limit", node.timeLimit());
              });
        });
  }
}
