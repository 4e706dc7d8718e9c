package io.hpcrun.timing;

import java.io.OutputStream;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * The timing of launches as JSON (schema {@code hpcrun.timing/1}, docs/records.md), written as it
 * is read.
 */
public final class TimingJson implements AutoCloseable {
  private final JsonGenerator json;

  /** Begins the document; {@code out} is flushed but not closed at the end. */
  public TimingJson(OutputStream out) {
    json =
        JsonFactory.builder()
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .build()
            .createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8);
    json.writeStartObject();
    json.writeStringProperty("schema", "hpcrun.timing/1");
    json.writeArrayPropertyStart("launches");
  }

  /** Begins a launch; its ranks may follow, then {@link #launch}. */
  public void begin(boolean withRanks) {
    json.writeStartObject();
    if (withRanks) {
      json.writeArrayPropertyStart("ranks_ns");
    }
  }

  /** One rank of the launch that was begun. */
  public void rank(LaunchTiming.Rank rank) {
    json.writeStartObject();
    json.writeNumberProperty("rank", rank.rank());
    json.writeStringProperty("node", rank.node());
    rank.stages().forEach((stage, ns) -> json.writeNumberProperty(stage.label(), ns));
    if (!rank.network().isEmpty()) {
      json.writeStringProperty("network", rank.network());
      json.writeStringProperty("evidence", rank.evidence());
    }
    json.writeEndObject();
  }

  /** The figures of the launch that was begun. */
  public void launch(LaunchTiming timing, boolean withRanks) {
    if (withRanks) {
      json.writeEndArray();
    }
    json.writeObjectPropertyStart("record");
    new TreeMap<>(timing.texts()).forEach(json::writeStringProperty);
    new TreeMap<>(timing.numbers()).forEach(json::writeNumberProperty);
    json.writeEndObject();
    stages("stages", timing.overall());
    json.writeObjectPropertyStart("nodes_measured");
    timing.nodes().forEach(this::stages);
    json.writeEndObject();
    json.writeObjectPropertyStart("networks");
    timing.networks().forEach((name, seen) -> json.writeNumberProperty(name, seen.ranks()));
    json.writeEndObject();
    timing
        .traffic()
        .ifPresent(
            traffic -> {
              json.writeNumberProperty("rdma_sent_bytes", traffic.sent());
              json.writeNumberProperty("rdma_received_bytes", traffic.received());
            });
    json.writeArrayPropertyStart("remarks");
    timing.remarks().forEach(json::writeString);
    json.writeEndArray();
    json.writeEndObject();
  }

  private void stages(String name, Map<Stage, Durations.Summary> stages) {
    json.writeObjectPropertyStart(name);
    stages.forEach(
        (stage, summary) -> {
          json.writeObjectPropertyStart(stage.label());
          json.writeNumberProperty("count", summary.count());
          json.writeNumberProperty("min_ns", summary.minimum());
          json.writeNumberProperty("median_ns", summary.median());
          json.writeNumberProperty("p95_ns", summary.p95());
          json.writeNumberProperty("max_ns", summary.maximum());
          if (summary.uncertainty() > 0) {
            json.writeNumberProperty("uncertainty_ns", summary.uncertainty());
          }
          if (!summary.slowestNode().isEmpty()) {
            json.writeStringProperty("slowest_node", summary.slowestNode());
          }
          if (summary.slowestRank() >= 0) {
            json.writeNumberProperty("slowest_rank", summary.slowestRank());
          }
          json.writeEndObject();
        });
    json.writeEndObject();
  }

  @Override
  public void close() {
    json.writeEndArray();
    json.writeEndObject();
    json.writeRaw('\n');
    json.close();
  }
}
