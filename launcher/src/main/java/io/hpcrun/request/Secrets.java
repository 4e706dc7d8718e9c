package io.hpcrun.request;

import io.hpcrun.spec.ByteString;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Values of secret-looking variables that a launch was given. They are kept out of its spec, which
 * is sent to hpcrund and rendered as a script, and go to the ranks by the job's environment only.
 * Immutable; no text shows the values.
 */
public final class Secrets {
  /** How such a variable is called on its way to the ranks. */
  public static final String PREFIX = "HPCRUN_ENV_";

  /** None. */
  public static final Secrets NONE = new Secrets(Map.of());

  private final Map<String, ByteString> values;

  /** These variables. */
  Secrets(Map<String, ByteString> values) {
    this.values = new LinkedHashMap<>(values);
  }

  /** Whether the value of this variable is here. */
  public boolean holds(String name) {
    return values.containsKey(name);
  }

  /** Whose values are here. */
  public Set<String> names() {
    return Set.copyOf(values.keySet());
  }

  /** Whether there are none. */
  public boolean isEmpty() {
    return values.isEmpty();
  }

  /** The variables for the job's environment. */
  public Map<String, String> environment() {
    Map<String, String> environment = new LinkedHashMap<>();
    values.forEach((name, value) -> environment.put(PREFIX + name, value.utf8()));
    return environment;
  }

  /** The names. */
  @Override
  public String toString() {
    return values.keySet().toString();
  }
}
