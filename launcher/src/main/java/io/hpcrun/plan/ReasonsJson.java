package io.hpcrun.plan;

import io.hpcrun.json.Json;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;

/**
 * Decisions and advice as JSON, as plans (docs/daemon.md) and manifests (docs/replay.md) have them.
 */
public final class ReasonsJson {
  private ReasonsJson() {}

  /** Writes decisions as a member. */
  public static void decisions(JsonGenerator json, String name, List<Decision> decisions) {
    Json.objects(
        json,
        name,
        decisions,
        each -> {
          json.writeStringProperty("what", each.what());
          json.writeStringProperty("value", each.value());
          json.writeStringProperty("why", each.reason());
          json.writeStringProperty("source", each.source());
        });
  }

  /** A member that holds decisions. */
  public static List<Decision> decisions(Map<String, Object> object, String name) {
    return Json.objects(object, name).stream()
        .map(
            each ->
                new Decision(
                    (String) each.get("what"),
                    (String) each.get("value"),
                    (String) each.get("why"),
                    (String) each.get("source")))
        .toList();
  }

  /** Writes warnings or refusals as a member. */
  public static void advice(JsonGenerator json, String name, List<Advice> advice) {
    Json.objects(
        json,
        name,
        advice,
        each -> {
          json.writeStringProperty("text", each.text());
          json.writeStringProperty("remedy", each.remedy());
          json.writeStringProperty("source", each.source());
        });
  }

  /** A member that holds warnings or refusals. */
  public static List<Advice> advice(Map<String, Object> object, String name) {
    return Json.objects(object, name).stream()
        .map(
            each ->
                new Advice(
                    (String) each.get("text"),
                    (String) each.get("remedy"),
                    (String) each.get("source")))
        .toList();
  }
}
