package io.hpcrun.daemon.store;

import java.util.OptionalLong;

/**
 * Who looks at the store: an operator, who sees everything, or a user, who sees their own launches.
 *
 * @param uid the user; empty for an operator
 */
public record Viewer(OptionalLong uid) {
  /** Sees everything. */
  public static Viewer operator() {
    return new Viewer(OptionalLong.empty());
  }

  /** Sees what belongs to this uid. */
  public static Viewer user(long uid) {
    return new Viewer(OptionalLong.of(uid));
  }
}
