package io.hpcrun.planning;

import io.hpcrun.json.Json;
import io.hpcrun.plan.ReasonsJson;
import java.nio.charset.StandardCharsets;
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
    ReasonsJson.decisions(json, "decisions", answer.decisions());
    ReasonsJson.advice(json, "warnings", answer.warnings());
    ReasonsJson.advice(json, "refusals", answer.refusals());
  }

  /** Reads what the daemon answers; empty if it is something else. */
  static Optional<PlanAnswer> read(byte[] text) {
    try {
      Map<String, Object> answer = Json.read(text).orElse(Map.of());
      return Optional.of(
          new PlanAnswer(
              ReasonsJson.decisions(answer, "decisions"),
              ReasonsJson.advice(answer, "warnings"),
              ReasonsJson.advice(answer, "refusals"),
              answer.get("needs_digest").equals("true"),
              Json.string(answer, "script")
                  .map(script -> script.getBytes(StandardCharsets.ISO_8859_1))));
    } catch (ClassCastException | NullPointerException notOurs) {
      return Optional.empty();
    }
  }
}
