package io.hpcrun.planning;

import io.hpcrun.json.Json;
import java.util.Map;
import java.util.Optional;

/** The daemon answers that it does not do what was asked (RFC 9457). */
public final class DaemonProblem extends DaemonUnavailable {
  private static final long serialVersionUID = 1L;

  private final String title;
  private final String remedy;

  private DaemonProblem(String title, String detail, String remedy) {
    super(detail);
    this.title = title;
    this.remedy = remedy;
  }

  /** Reads an answer; empty if it is no problem. */
  static Optional<DaemonProblem> read(byte[] body) {
    Map<String, Object> problem = Json.read(body).orElse(Map.of());
    return problem.get("title") instanceof String title
            && problem.get("detail") instanceof String detail
        ? Optional.of(
            new DaemonProblem(
                title, detail, String.valueOf(problem.getOrDefault("remedy", "see its log"))))
        : Optional.empty();
  }

  /** What is wrong, for programs: a few words that stay the same. */
  public String title() {
    return title;
  }

  /** What to do. */
  public String remedy() {
    return remedy;
  }
}
