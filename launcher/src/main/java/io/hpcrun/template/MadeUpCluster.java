package io.hpcrun.template;

import io.hpcrun.cluster.NodeType;
import io.hpcrun.cluster.Partition;
import io.hpcrun.spec.SlurmValue;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The partitions that a template's test describes, so that resources can be packed on them. */
final class MadeUpCluster {
  private MadeUpCluster() {}

  /** The partitions of a test; none if it describes none. */
  static List<Partition> of(YamlMap test) {
    List<Partition> partitions = new ArrayList<>();
    for (YamlValue each : test.find("cluster").map(YamlValue::list).orElse(List.of())) {
      partitions.add(partition(each.map(), partitions.isEmpty()));
    }
    return partitions;
  }

  private static Partition partition(YamlMap text, boolean first) {
    String name = text.get("partition", "").text();
    Map<String, String> limits = new HashMap<>();
    limits.put("Default", first ? "YES" : "NO");
    text.find("max-nodes").ifPresent(most -> limits.put("MaxNodes", most.text()));
    text.find("max-time").ifPresent(time -> limits.put("MaxTime", time(time)));
    NodeType type =
        new NodeType(
            name,
            first,
            text.get("nodes", "").integer(1, 1_000_000),
            text.get("cores", "").text(),
            text.find("memory").map(MadeUpCluster::mebibytes).orElse(""),
            text.find("gpus").map(gpus -> "gpu:" + gpus.text()).orElse(""),
            List.of(),
            "",
            "up",
            "",
            0);
    return new Partition(name, limits, List.of(type));
  }

  private static String time(YamlValue time) {
    if (!SlurmValue.TIME.matches(time.text())) {
      throw time.mustBe(SlurmValue.TIME.description());
    }
    return time.text();
  }

  private static String mebibytes(YamlValue memory) {
    if (!memory.text().matches("[1-9][0-9]{0,8}[MGT]")) {
      throw memory.mustBe("a size with its unit: 500M, 20G or 10T");
    }
    String text = memory.text();
    long number = Long.parseLong(text.substring(0, text.length() - 1));
    return Long.toString(number << 10 * "MGT".indexOf(text.charAt(text.length() - 1)));
  }
}
