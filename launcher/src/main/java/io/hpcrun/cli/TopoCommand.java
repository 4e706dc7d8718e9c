package io.hpcrun.cli;

import io.hpcrun.cluster.Topology;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.json.Json;
import io.hpcrun.planning.AgentText;
import io.hpcrun.request.GetoptParser;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * {@code hpcrun topo}: a node's GPUs and network ports, by the same part of the node agent that
 * looks at them in jobs.
 */
final class TopoCommand {
  /** What the agent does here, after its functions. */
  private static final String LOOK =
      """
      hpcrun_root=$1
      hpcrun_discover || { echo "there is no such directory" >&2; exit 1; }
      hpcrun_json "${SLURMD_NODENAME:-$HOSTNAME}" && node=$REPLY
      hpcrun_topology
      printf '{"schema":"hpcrun.topology/1","node":"%s",%s}\\n' "$node" "$REPLY"
      """;

  private final PrintStream out;

  private TopoCommand(PrintStream out) {
    this.out = out;
  }

  static int run(List<String> words, Console console) {
    Options options = new Options().addOption(Option.builder().longOpt("json").get());
    options.addOption(Option.builder().longOpt("node").hasArg().get());
    options.addOption(Option.builder().longOpt("root").hasArg().get());
    GetoptParser.Parsed parsed = new GetoptParser(options, "topo").parse(words);
    Optional<String> node = Optional.ofNullable(parsed.last("node"));
    String root = Optional.ofNullable(parsed.last("root")).orElse("");
    if (!parsed.rest().isEmpty()
        || (node.isPresent() && !root.isEmpty())
        || node.filter(name -> !name.matches("[A-Za-z0-9_.-]+")).isPresent()) {
      throw Failure.usage(
          "hpcrun topo takes the name of one node, or a directory, or nothing",
          "write: hpcrun topo [--node=NAME | --root=DIR] [--json]");
    }
    String json = Topology.look(node, root, AgentText.of(List.of("agent", "topology")) + LOOK);
    Map<String, Object> topology =
        Json.read(json.getBytes(StandardCharsets.UTF_8))
            .orElseThrow(
                () ->
                    Failure.internal(
                        "what the node agent says of the node is no JSON",
                        "look at it with --json, and report it",
                        null));
    if (parsed.options().hasOption("json")) {
      console.out().println(json.strip());
    } else {
      new TopoCommand(console.out()).print(topology);
    }
    return ExitCode.OK.code();
  }

  private void print(Map<String, Object> topology) {
    List<Map<String, Object>> gpus = Json.objects(topology, "gpus");
    List<Map<String, Object>> ports = Json.objects(topology, "ports");
    line(
        text(topology, "node")
            + (text(topology, "machine").equals("virtual") ? ", a virtual machine" : ""));
    if (gpus.isEmpty() && ports.isEmpty()) {
      line("  neither GPUs nor network ports with RDMA");
    }
    Map<Integer, List<String>> places = new TreeMap<>();
    for (Map<String, Object> gpu : gpus) {
      place(places, gpu).addAll(gpu(gpu, ports));
    }
    for (Map<String, Object> port : ports) {
      String name = text(port, "port");
      if (gpus.stream().noneMatch(gpu -> name.equals(gpu.get("port")))) {
        place(places, port).add("  " + port(port));
      }
    }
    places.forEach(
        (numa, lines) -> {
          String cpus =
              Stream.concat(gpus.stream(), ports.stream())
                  .filter(device -> text(device, "numa").equals(String.valueOf(numa)))
                  .map(device -> text(device, "cpus"))
                  .filter(text -> !text.isEmpty())
                  .findFirst()
                  .map(text -> ", processors " + text)
                  .orElse("");
          line("  " + (numa < 0 ? "near to no processor" : "NUMA node " + numa + cpus));
          lines.forEach(text -> line("  " + text));
        });
    List<String> devices = Json.words(topology, "devices");
    if (!devices.isEmpty()) {
      line("  other devices: " + String.join(" ", devices));
    }
    String gpudirect = text(topology, "gpudirect");
    if (!gpudirect.isEmpty()) {
      line("  adapters reach GPUs by " + gpudirect);
    }
    if (!text(topology, "mps").isEmpty()) {
      line("  CUDA's Multi-Process Service listens in " + text(topology, "mps"));
    }
    Json.words(topology, "problems").forEach(problem -> line("  problem: " + problem));
  }

  private static List<String> place(Map<Integer, List<String>> places, Map<String, Object> device) {
    String numa = text(device, "numa");
    return places.computeIfAbsent(
        numa.matches("\\d{1,5}") ? Integer.parseInt(numa) : -1, none -> new ArrayList<>());
  }

  /** A GPU, and below it its port. */
  private static List<String> gpu(Map<String, Object> gpu, List<Map<String, Object>> ports) {
    String parts = text(gpu, "parts");
    List<String> lines = new ArrayList<>();
    lines.add(
        "  GPU "
            + joined(
                text(gpu, "gpu"),
                text(gpu, "model"),
                text(gpu, "pci"),
                text(gpu, "device"),
                parts.isEmpty() ? "" : "in " + parts + " parts"));
    ports.stream()
        .filter(port -> port.get("port").equals(gpu.get("port")))
        .forEach(port -> lines.add("    └─ " + port(port) + "  (" + text(gpu, "why") + ")"));
    return lines;
  }

  private static String port(Map<String, Object> port) {
    String rate = text(port, "rate_gbps");
    String gid = text(port, "gid_index");
    return joined(
        text(port, "port"),
        text(port, "link"),
        rate.isEmpty() ? "" : rate + " Gb/s",
        Optional.of(text(port, "state")).filter(s -> !s.isEmpty()).orElse("state unknown"),
        text(port, "interface"),
        gid.isEmpty() ? "" : "GID " + gid,
        text(port, "virtual_function").equals("true") ? "virtual function" : "",
        text(port, "pci"),
        text(port, "device"));
  }

  private static String joined(String... parts) {
    return Stream.of(parts).filter(part -> !part.isEmpty()).collect(Collectors.joining("  "));
  }

  private static String text(Map<String, Object> object, String name) {
    return Json.string(object, name).orElse("");
  }

  /** Models and names come from files that others wrote. */
  private void line(String text) {
    out.println(InspectCommand.printable(text));
  }
}
