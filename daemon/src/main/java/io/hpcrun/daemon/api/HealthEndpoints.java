package io.hpcrun.daemon.api;

import io.hpcrun.script.Version;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Whether the daemon lives, whether it can do its work, and of which version it is. */
public final class HealthEndpoints {
  /**
   * A version.
   *
   * @param hpcrun the daemon's version
   * @param api the API's version, which is part of each path
   */
  public record VersionOf(String hpcrun, int api) {}

  /**
   * How it goes.
   *
   * @param ready whether everything works
   * @param problems what does not, by the part of the daemon
   */
  public record Health(boolean ready, Map<String, String> problems) {}

  private final Supplier<Map<String, String>> problems;

  /**
   * Tells what it is told.
   *
   * @param problems what does not work now, by the part of the daemon; cheap to ask
   */
  public HealthEndpoints(Supplier<Map<String, String>> problems) {
    this.problems = problems;
  }

  /** The endpoints. */
  public List<Endpoint> endpoints() {
    return List.of(
        Endpoint.get(
            "/v1/version",
            "The daemon's version.",
            List.of(),
            VersionOf.class,
            call -> Answer.json(new VersionOf(Version.VERSION, 1))),
        Endpoint.get(
            "/v1/health/live",
            "Whether the daemon answers.",
            List.of(),
            Health.class,
            call -> Answer.json(new Health(true, Map.of()))),
        Endpoint.get(
            "/v1/health/ready",
            "Whether everything works; status 503 if not.",
            List.of(),
            Health.class,
            this::ready));
  }

  private Answer ready(Call call) {
    Map<String, String> found = new TreeMap<>(problems.get());
    if (!found.isEmpty()) {
      throw Problem.unavailable(
          String.join("; ", found.values()), "see hpcrund's log; other requests may still work");
    }
    return Answer.json(new Health(true, found));
  }
}
