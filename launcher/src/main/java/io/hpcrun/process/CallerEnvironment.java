package io.hpcrun.process;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * The environment as it was when the user started hpcrun. The start script changes a few variables
 * for the Java runtime and keeps their values under other names; programs that hpcrun starts, and
 * so the user's job, must not see the change. Variables are changed by env(1) and not by Java,
 * which would change bytes that are not UTF-8.
 */
final class CallerEnvironment {
  /** Variables that bin/hpcrun changes. */
  private static final List<String> CHANGED =
      List.of("LC_ALL", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  private static final String KEPT = "HPCRUN_OUTER_";

  private CallerEnvironment() {}

  /** The words after {@code env} that give back the caller's environment without {@code unset}. */
  static List<String> restore(Collection<String> unset) {
    Map<String, String> environment = System.getenv();
    List<String> options = new ArrayList<>();
    List<String> assignments = new ArrayList<>();
    boolean startedByScript = environment.containsKey(KEPT + "KEPT");
    for (String name : startedByScript ? CHANGED : List.<String>of()) {
      String kept = environment.get(KEPT + name);
      if (kept == null) {
        addUnset(options, name);
      } else {
        addUnset(options, KEPT + name);
        assignments.add(name + "=" + kept);
      }
    }
    if (startedByScript) {
      addUnset(options, KEPT + "KEPT");
    }
    unset.stream().filter(environment::containsKey).forEach(name -> addUnset(options, name));
    options.addAll(assignments);
    return options;
  }

  private static void addUnset(List<String> options, String name) {
    options.add("-u");
    options.add(name);
  }
}
