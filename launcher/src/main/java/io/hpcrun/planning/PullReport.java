package io.hpcrun.planning;

import io.hpcrun.json.Json;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How a pull into the site's image store goes.
 *
 * @param id its name
 * @param source where the image comes from
 * @param state queued, resolving, pulling, converting, verifying, ready or failed
 * @param message the state as one sentence
 * @param done bytes so far; 0 if they are not counted
 * @param total bytes in all; 0 if that is not known
 * @param path where the image is, once it is ready
 * @param sha256 of the SIF file, once it is ready
 * @param problem why it failed, in a few words that stay the same
 * @param remedy what to do then
 */
public record PullReport(
    String id,
    String source,
    String state,
    String message,
    long done,
    long total,
    Optional<Path> path,
    Optional<String> sha256,
    Optional<String> problem,
    String remedy) {

  /** Reads what the daemon answers; empty if it is something else. */
  static Optional<PullReport> read(byte[] text) {
    try {
      Map<String, Object> pull = Json.read(text).orElse(Map.of());
      Map<?, ?> problem = pull.get("problem") instanceof Map<?, ?> known ? known : Map.of();
      Map<?, ?> progress = pull.get("progress") instanceof Map<?, ?> known ? known : Map.of();
      return pull.get("id") == null || pull.get("state") == null
          ? Optional.empty()
          : Optional.of(
              new PullReport(
                  (String) pull.get("id"),
                  (String) pull.getOrDefault("source", ""),
                  (String) pull.get("state"),
                  (String) pull.getOrDefault("message", ""),
                  number(progress.get("done")),
                  number(progress.get("total")),
                  Json.string(pull, "path").map(Path::of),
                  Json.string(pull, "sha256"),
                  Optional.ofNullable((String) problem.get("title")),
                  String.valueOf(problem.get("remedy"))));
    } catch (ClassCastException | IllegalArgumentException notOurs) {
      return Optional.empty();
    }
  }

  private static long number(Object text) {
    return text instanceof String digits && digits.matches("\\d{1,18}")
        ? Long.parseLong(digits)
        : 0;
  }
}
