package io.hpcrun.daemon.ingest;

import io.hpcrun.daemon.store.LaunchStore;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;

/** Counts what the ingest does. Thread-safe. */
final class IngestCounters {
  private final InstantSource clock;
  private final LongAdder stored = new LongAdder();
  private final LongAdder known = new LongAdder();
  private final LongAdder differing = new LongAdder();
  private final LongAdder ranks = new LongAdder();
  private final LongAdder bytes = new LongAdder();
  private final LongAdder storeFailures = new LongAdder();

  /** Files that were no records. */
  final LongAdder quarantined = new LongAdder();

  /** Files that could not be taken, read or removed. */
  final LongAdder unreadable = new LongAdder();

  private volatile Duration lag = Duration.ZERO;
  private volatile Trouble trouble;

  private record Trouble(String reason, FileTime oldest) {}

  IngestCounters(InstantSource clock) {
    this.clock = clock;
  }

  /** A batch is in the store. */
  void stored(LaunchStore.Outcome outcome, long size, FileTime oldest) {
    stored.add(outcome.stored());
    known.add(outcome.known());
    differing.add(outcome.differing());
    ranks.add(outcome.ranks());
    bytes.add(size);
    lag = age(oldest);
    trouble = null;
  }

  /** The store takes no records; whether that is news. */
  boolean failed(String reason, FileTime oldest) {
    storeFailures.increment();
    boolean news = trouble == null;
    trouble = new Trouble(reason, oldest);
    return news;
  }

  /** Whether the store took no records when it was last asked. */
  boolean isInTrouble() {
    return trouble != null;
  }

  /** Clocks of nodes may be ahead of this one's. */
  private Duration age(FileTime oldest) {
    Duration age = Duration.between(oldest.toInstant(), clock.instant());
    return age.isNegative() ? Duration.ZERO : age;
  }

  IngestFigures figures() {
    Trouble now = trouble;
    return new IngestFigures(
        stored.sum(),
        known.sum(),
        differing.sum(),
        ranks.sum(),
        quarantined.sum(),
        bytes.sum(),
        unreadable.sum(),
        storeFailures.sum(),
        now == null ? lag : age(now.oldest()),
        Optional.ofNullable(now).map(Trouble::reason));
  }
}
