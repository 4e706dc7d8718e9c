package io.hpcrun.difference;

import io.hpcrun.json.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a node's record says of the node and not of the moment: its system, its drivers, its devices
 * and how the ranks came into their container.
 */
final class NodeFacts {
  private static final String KERNEL = "kernel";
  private static final String GPUS = "GPUs";
  private static final String PORTS = "network ports";
  private static final String PROBLEMS = "problems of devices";

  /** What a node has or has not. */
  static final List<String> DEVICES = List.of(GPUS, PORTS, PROBLEMS);

  /** Members of a node's line (docs/records.md), and what they are for people; the order counts. */
  private static final Map<String, String> NAMES = new LinkedHashMap<>();

  static {
    NAMES.put("mode", "mode");
    NAMES.put("mode_reason", "why that mode");
    NAMES.put("fabric", "network");
    NAMES.put("rdma_ports", "RDMA ports that are up");
    NAMES.put("memlock_kib", "memory that may be locked, KiB");
    NAMES.put("driver_nvidia", "NVIDIA driver");
    NAMES.put("driver_amdgpu", "amdgpu driver");
    NAMES.put("driver_mlx5_core", "mlx5 driver");
    NAMES.put("driver_hfi1", "hfi1 driver");
    NAMES.put("driver_efa", "EFA driver");
    NAMES.put("driver_lustre", "Lustre");
    NAMES.put("firmware", "firmware of network adapters");
    NAMES.put("runtime", "container runtime");
    NAMES.put("kernel", KERNEL);
    NAMES.put("os", "system");
    NAMES.put("cpu", "processor");
    NAMES.put("governor", "processor's frequency governor");
    NAMES.put("memory", "memory");
    NAMES.put("image_from", "image read from");
  }

  private NodeFacts() {}

  /** Whether the records of these nodes hold what any node can say of itself. */
  static boolean areTold(Map<String, Map<String, String>> nodes) {
    return nodes.values().stream().anyMatch(facts -> facts.containsKey(KERNEL));
  }

  /** The facts' names in their order. */
  static List<String> names() {
    List<String> names = new ArrayList<>(NAMES.values());
    names.addAll(1, DEVICES);
    return names;
  }

  /**
   * The facts of each node by their names.
   *
   * @param files records of nodes
   */
  static Map<String, Map<String, String>> of(List<Path> files) {
    Map<String, Map<String, String>> nodes = new TreeMap<>();
    for (Path file : files) {
      head(file)
          .ifPresent(
              line -> nodes.put(String.valueOf(line.getOrDefault("node", "?")), facts(line)));
    }
    return nodes;
  }

  private static Optional<Map<String, Object>> head(Path file) {
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      String line = lines.readLine();
      return line == null ? Optional.empty() : Json.read(line.getBytes(StandardCharsets.UTF_8));
    } catch (CharacterCodingException broken) {
      return Optional.empty();
    } catch (IOException gone) {
      return Optional.empty(); // the timing of the same files says what is wrong with them
    }
  }

  private static Map<String, String> facts(Map<String, Object> line) {
    Map<String, String> facts = new TreeMap<>();
    NAMES.forEach(
        (member, name) -> {
          if (line.get(member) instanceof String value) {
            facts.put(name, value);
          }
        });
    if (line.get("topology") instanceof Map<?, ?> topology) {
      put(facts, GPUS, gpus(objects(topology, "gpus")));
      put(facts, PORTS, objects(topology, "ports").stream().map(NodeFacts::port).toList());
      put(facts, PROBLEMS, words(topology, "problems"));
    }
    return facts;
  }

  private static void put(Map<String, String> facts, String name, List<String> values) {
    if (!values.isEmpty()) {
      facts.put(name, String.join(", ", values));
    }
  }

  private static List<String> gpus(List<Map<?, ?>> gpus) {
    Map<String, Integer> models = new TreeMap<>();
    gpus.forEach(gpu -> models.merge(text(gpu, "model", text(gpu, "kind", "?")), 1, Integer::sum));
    return models.entrySet().stream()
        .map(model -> model.getValue() + " x " + model.getKey())
        .toList();
  }

  private static String port(Map<?, ?> port) {
    return "%s %s %s Gb/s %s"
        .formatted(
            text(port, "port", "?"),
            text(port, "link", text(port, "kind", "?")),
            text(port, "rate_gbps", "?"),
            text(port, "state", "?"));
  }

  private static String text(Map<?, ?> object, String name, String otherwise) {
    return object.get(name) instanceof String text && !text.isEmpty() ? text : otherwise;
  }

  private static List<Map<?, ?>> objects(Map<?, ?> object, String name) {
    List<Map<?, ?>> objects = new ArrayList<>();
    if (object.get(name) instanceof List<?> list) {
      list.forEach(
          each -> {
            if (each instanceof Map<?, ?> map) {
              objects.add(map);
            }
          });
    }
    return objects;
  }

  private static List<String> words(Map<?, ?> object, String name) {
    return object.get(name) instanceof List<?> list
        ? list.stream().map(String::valueOf).toList()
        : List.of();
  }
}
