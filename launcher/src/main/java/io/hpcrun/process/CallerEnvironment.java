package io.hpcrun.process;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The environment as it was when the user started hpcrun. The start script changes a few variables
 * for the Java runtime and keeps their values under other names; programs that hpcrun starts, and
 * so the user's job, must not see the change. Variables are changed by env(1) and not by Java,
 * which would change bytes that are not UTF-8.
 */
public final class CallerEnvironment {
  /** Variables that bin/hpcrun changes. */
  private static final List<String> CHANGED =
      List.of("LC_ALL", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  private static final String KEPT = "HPCRUN_OUTER_";

  private CallerEnvironment() {}

  /** These variables as they were before the start script changed some. */
  public static Map<String, String> of(Map<String, String> environment) {
    Map<String, String> callers = new HashMap<>(environment);
    if (callers.remove(KEPT + "KEPT") != null) {
      for (String name : CHANGED) {
        callers.remove(name);
        Optional.ofNullable(callers.remove(KEPT + name))
            .ifPresent(value -> callers.put(name, value));
      }
    }
    return callers;
  }

  /** The words after {@code env} that give back the caller's environment with some changes. */
  static List<String> restore(Programs.Changes changes) {
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
    changes.unset().stream()
        .filter(environment::containsKey)
        .forEach(name -> addUnset(options, name));
    changes.directory().ifPresent(directory -> options.add("--chdir=" + directory));
    changes.set().forEach((name, value) -> assignments.add(name + "=" + value));
    options.addAll(assignments);
    return options;
  }

  private static void addUnset(List<String> options, String name) {
    options.add("-u");
    options.add(name);
  }
}
