package io.hpcrun.daemon.store;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How far a launch has come, as its records tell. A later one replaces an earlier one. */
public enum LaunchState {
  /** Only a node's record has come so far. */
  UNKNOWN(0),
  /** The batch script has begun. */
  RUNNING(1),
  /** The launch is over. */
  ENDED(2),
  /** hpcrun refused to start the ranks. */
  REFUSED(2);

  private final int progress;

  LaunchState(int progress) {
    this.progress = progress;
  }

  /** Whether this is an end. */
  boolean isOver() {
    return this == ENDED || this == REFUSED;
  }

  /** The name in records and in the store. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The state of this name. */
  public static Optional<LaunchState> of(String label) {
    return Arrays.stream(values()).filter(state -> state.label().equals(label)).findFirst();
  }

  /** An SQL expression for how far the state in a column is. */
  static String progress(String column) {
    StringBuilder sql = new StringBuilder("case ").append(column);
    for (LaunchState state : values()) {
      sql.append(" when '").append(state.label()).append("' then ").append(state.progress);
    }
    return sql.append(" end").toString();
  }
}
