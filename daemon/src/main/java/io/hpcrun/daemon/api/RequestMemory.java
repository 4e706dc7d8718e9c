package io.hpcrun.daemon.api;

import java.util.HashMap;
import java.util.Map;

/**
 * The memory that the bodies of requests may take together, and what of it one user may have. It is
 * for large requests: the first {@link RequestBody#FREE} bytes of each are not counted, so that
 * small ones find room whatever others send. Thread-safe.
 */
final class RequestMemory {
  private static final int SHARE_OF_HEAP = 4;
  private static final int SHARE_OF_USER = 2;

  private final long all;
  private final long perUser;
  private final Map<Object, Long> taken = new HashMap<>();
  private long sum;

  /**
   * Nothing is taken yet.
   *
   * @param all bytes of all requests together; one user has at most half of them
   */
  RequestMemory(long all) {
    this.all = all;
    this.perUser = all / SHARE_OF_USER;
  }

  /** A quarter of the heap. */
  static RequestMemory ofHeap() {
    return new RequestMemory(Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
  }

  /** How many bytes one user may have. */
  long perUser() {
    return perUser;
  }

  /** Takes so many bytes for this user; false, and takes none, if there are not that many. */
  synchronized boolean take(Object who, long bytes) {
    if (sum + bytes > all || taken.getOrDefault(who, 0L) + bytes > perUser) {
      return false;
    }
    sum += bytes;
    taken.merge(who, bytes, Long::sum);
    return true;
  }

  /** Gives back what this user took. */
  synchronized void giveBack(Object who, long bytes) {
    sum -= bytes;
    taken.computeIfPresent(who, (same, had) -> had == bytes ? null : had - bytes);
  }
}
