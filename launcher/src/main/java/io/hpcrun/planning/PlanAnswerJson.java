package io.hpcrun.planning;

import io.hpcrun.json.Json;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;

/**
 * A decided launch as JSON (schema {@code hpcrun.plan/1}). The script is a text with one character
 * (U+0000 to U+00FF) for each of its bytes.
 */
public final class PlanAnswerJson {
  private PlanAnswerJson() {}

  /** Decisions, warnings and refusals, as members of an object that has begun. */
  public static void decisions(JsonGenerator json, PlanAnswer answer) {
    json.writeArrayPropertyStart("decisions");
    for (Decision decision : answer.decisions()) {
      json.writeStartObject();
      json.writeStringProperty("what", decision.what());
      json.writeStringProperty("value", decision.value());
      json.writeStringProperty("why", decision.reason());
      json.writeStringProperty("source", decision.source());
      json.writeEndObject();
    }
    json.writeEndArray();
    advice(json, "warnings", answer.warnings());
    advice(json, "refusals", answer.refusals());
  }

  private static void advice(JsonGenerator json, String name, List<Advice> list) {
    json.writeArrayPropertyStart(name);
    for (Advice each : list) {
      json.writeStartObject();
      json.writeStringProperty("text", each.text());
      json.writeStringProperty("remedy", each.remedy());
      json.writeStringProperty("source", each.source());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /** Reads what the daemon answers; empty if it is something else. */
  static Optional<PlanAnswer> read(byte[] text) {
    try {
      Map<String, Object> answer = Json.read(text).orElse(Map.of());
      return Optional.of(
          new PlanAnswer(
              Json.objects(answer, "decisions").stream()
                  .map(
                      each ->
                          new Decision(
                              (String) each.get("what"),
                              (String) each.get("value"),
                              (String) each.get("why"),
                              (String) each.get("source")))
                  .toList(),
              advice(answer, "warnings"),
              advice(answer, "refusals"),
              answer.get("needs_digest").equals("true"),
              Json.string(answer, "script")
                  .map(script -> script.getBytes(StandardCharsets.ISO_8859_1))));
    } catch (ClassCastException | NullPointerException notOurs) {
      return Optional.empty();
    }
  }

  private static List<Advice> advice(Map<String, Object> answer, String name) {
    return Json.objects(answer, name).stream()
        .map(
            each ->
                new Advice(
                    (String) each.get("text"),
                    (String) each.get("remedy"),
                    (String) each.get("source")))
        .toList();
  }
}
