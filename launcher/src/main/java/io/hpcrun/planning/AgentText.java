package io.hpcrun.planning;

import io.hpcrun.failure.Failure;
import io.hpcrun.script.AgentSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The source of the node agent, which every job script carries. */
public final class AgentText {
  private static final List<String> PARTS =
      List.of("agent", "container", "guard", "topology", "binding", "fabric", "transport", "stage");

  /** Read once: a daemon needs it thousands of times. */
  private static final Map<Boolean, AgentSource> FOR_JOBS = new ConcurrentHashMap<>();

  private AgentText() {}

  /** All of it; the part for staging only where it is used. */
  static AgentSource forJobs(boolean staging) {
    return FOR_JOBS.computeIfAbsent(
        staging, all -> AgentSource.of(of(all ? PARTS : PARTS.subList(0, PARTS.size() - 1))));
  }

  /** The agents that job scripts of this hpcrun carry. */
  public static List<AgentSource> all() {
    return List.of(forJobs(false), forJobs(true));
  }

  /**
   * Some of its parts, by their names.
   *
   * @throws Failure with exit code 1 when one is missing, so that the installation is broken
   */
  public static String of(List<String> parts) {
    StringBuilder agent = new StringBuilder();
    for (String part : parts) {
      try (InputStream in =
          AgentText.class.getResourceAsStream("/io/hpcrun/agent/" + part + ".bash")) {
        if (in == null) {
          throw Failure.internal("the node agent is missing", "install hpcrun again", null);
        }
        agent.append(new String(in.readAllBytes(), StandardCharsets.UTF_8)).append('\n');
      } catch (IOException broken) {
        throw Failure.internal("the node agent cannot be read", "install hpcrun again", broken);
      }
    }
    return agent.toString();
  }
}
