package io.hpcrun.daemon.store;

import java.util.OptionalLong;

/**
 * Who looks at the store: an operator, who sees everything, or a user, who sees their own launches.
 *
 * @param uid whose launches are seen; empty for an operator, who sees all
 * @param asker who asks: one user has a part of the store's time at most
 */
public record Viewer(OptionalLong uid, long asker) {
  /** The daemon itself asks, and waits for no user. */
  static final long DAEMON = -1;

  /** The daemon itself, which sees everything. */
  public static Viewer operator() {
    return operator(DAEMON);
  }

  /** This user sees everything. */
  public static Viewer operator(long uid) {
    return new Viewer(OptionalLong.empty(), uid);
  }

  /** Sees what belongs to this uid. */
  public static Viewer user(long uid) {
    return new Viewer(OptionalLong.of(uid), uid);
  }
}
