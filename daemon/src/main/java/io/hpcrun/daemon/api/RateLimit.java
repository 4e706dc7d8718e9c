package io.hpcrun.daemon.api;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * How many requests a user may send: a bucket for each that fills at a steady rate and holds two
 * seconds' worth. Thread-safe.
 */
final class RateLimit {
  private static final int USERS = 10_000;

  private final Map<Long, Integer> underWay = new HashMap<>();
  private final int atOnce;
  private final double perNano;
  private final double most;
  private final LongSupplier nanoTime;
  private final Map<Long, Bucket> buckets =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Bucket> eldest) {
          return size() > USERS;
        }
      };

  private static final class Bucket {
    private double tokens;
    private long since;
  }

  /**
   * Nobody has sent anything yet.
   *
   * @param perSecond requests of one user, on average
   * @param atOnce requests of one user under way
   */
  RateLimit(int perSecond, int atOnce, LongSupplier nanoTime) {
    this.atOnce = atOnce;
    this.perNano = perSecond / 1e9;
    this.most = 2.0 * perSecond;
    this.nanoTime = nanoTime;
  }

  /**
   * Takes one request of this user out of the bucket; false if it is empty, or the user has too
   * many under way. Who enters must leave.
   */
  synchronized boolean enters(long uid) {
    if (underWay.getOrDefault(uid, 0) >= atOnce || !allows(uid)) {
      return false;
    }
    underWay.merge(uid, 1, Integer::sum);
    return true;
  }

  /** A request of this user is answered. */
  synchronized void leaves(long uid) {
    underWay.computeIfPresent(uid, (user, count) -> count == 1 ? null : count - 1);
  }

  private boolean allows(long uid) {
    long now = nanoTime.getAsLong();
    Bucket bucket =
        buckets.computeIfAbsent(
            uid,
            first -> {
              Bucket full = new Bucket();
              full.tokens = most;
              full.since = now;
              return full;
            });
    bucket.tokens = Math.min(most, bucket.tokens + (now - bucket.since) * perNano);
    bucket.since = now;
    if (bucket.tokens < 1) {
      return false;
    }
    bucket.tokens--;
    return true;
  }
}
