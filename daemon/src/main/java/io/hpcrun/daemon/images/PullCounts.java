package io.hpcrun.daemon.images;

import io.hpcrun.pull.PullFailure;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** Counts since the daemon's start, for the metrics. Thread-safe. */
public final class PullCounts {
  private final LongAdder hits = new LongAdder();
  private final LongAdder joined = new LongAdder();
  private final LongAdder missed = new LongAdder();
  private final LongAdder pulled = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder bytes = new LongAdder();
  private final LongAdder nanos = new LongAdder();

  void hit() {
    hits.increment();
  }

  void joined() {
    joined.increment();
  }

  void missed() {
    missed.increment();
  }

  void pulled(long took, long size) {
    pulled.increment();
    nanos.add(took);
    bytes.add(size);
  }

  void ended(Optional<PullFailure> why) {
    if (why.isPresent()) {
      failed.increment();
    }
  }

  /** Requests whose image was there. */
  public long hits() {
    return hits.sum();
  }

  /** Requests that waited for a pull which somebody else had asked for. */
  public long joins() {
    return joined.sum();
  }

  /** Requests that began a pull. */
  public long misses() {
    return missed.sum();
  }

  /** Images that were pulled. */
  public long pulls() {
    return pulled.sum();
  }

  /** Requests that failed. */
  public long failures() {
    return failed.sum();
  }

  /** Bytes of the SIF files that were made. */
  public long bytes() {
    return bytes.sum();
  }

  /** What the pulls took together, in nanoseconds. */
  public long nanos() {
    return nanos.sum();
  }
}
