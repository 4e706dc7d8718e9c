package io.hpcrun.difference;

import io.hpcrun.json.Json;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/** Differences as JSON (schema {@code hpcrun.diff/1}, docs/replay.md). */
public final class DifferenceJson {
  private DifferenceJson() {}

  /** The document, in one line. */
  public static byte[] write(Side before, Side after, List<Difference> differences) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", "hpcrun.diff/1");
          json.writeStringProperty("before", before.name());
          json.writeStringProperty("after", after.name());
          Json.objects(
              json,
              "differences",
              differences,
              difference -> {
                json.writeStringProperty("section", difference.section().label());
                json.writeStringProperty("what", difference.what());
                optional(json, "before", difference.before());
                optional(json, "after", difference.after());
                optional(json, "note", difference.note());
              });
        });
  }

  private static void optional(JsonGenerator json, String name, String value) {
    if (!value.isEmpty()) {
      json.writeStringProperty(name, value);
    }
  }
}
