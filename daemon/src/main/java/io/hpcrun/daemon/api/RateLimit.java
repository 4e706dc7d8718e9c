package io.hpcrun.daemon.api;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/**
 * How many requests one user may send, or, as long as it is not known who asks, one address: a
 * bucket for each that fills at a steady rate and holds two seconds' worth. Thread-safe.
 */
final class RateLimit {
  private static final int IPV4 = 4;
  private static final int NETWORK = 8;
  private static final int MOST = 10_000;

  private final Map<Object, Integer> underWay = new HashMap<>();
  private final int atOnce;
  private final double perNano;
  private final double most;
  private final LongSupplier nanoTime;
  private final Map<Object, Bucket> buckets =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Object, Bucket> eldest) {
          return size() > MOST;
        }
      };

  /** A user. */
  record User(long uid) {}

  /** An address without the part that a machine may choose by itself (RFC 4291: 64 of 128 bits). */
  record Address(List<Byte> network) {
    static Address of(InetAddress address) {
      byte[] bytes = address.getAddress();
      int length = bytes.length > IPV4 ? NETWORK : bytes.length;
      return new Address(IntStream.range(0, length).mapToObj(i -> bytes[i]).toList());
    }
  }

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
   * Takes one request of this {@link User} or {@link Address} out of the bucket; false if it is
   * empty, or too many are under way. Who enters must leave.
   */
  synchronized boolean enters(Object who) {
    if (underWay.getOrDefault(who, 0) >= atOnce || !allows(who)) {
      return false;
    }
    underWay.merge(who, 1, Integer::sum);
    return true;
  }

  /** A request is answered. */
  synchronized void leaves(Object who) {
    underWay.computeIfPresent(who, (same, count) -> count == 1 ? null : count - 1);
  }

  private boolean allows(Object who) {
    long now = nanoTime.getAsLong();
    Bucket bucket =
        buckets.computeIfAbsent(
            who,
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
