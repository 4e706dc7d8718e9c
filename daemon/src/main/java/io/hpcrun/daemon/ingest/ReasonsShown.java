package io.hpcrun.daemon.ingest;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * Keeps the log readable, whatever users put into the spool: so many reasons a minute are shown for
 * single files, the rest is counted. Thread-safe.
 */
final class ReasonsShown {
  /** Reasons that are shown within a minute, of all kinds together. */
  static final int MOST = 20;

  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final InstantSource clock;
  private Instant began = Instant.MIN;
  private int shown;
  private long hidden;

  /** Nothing was shown yet. */
  ReasonsShown(InstantSource clock) {
    this.clock = clock;
  }

  /** Whether a reason is one of those that are shown; otherwise it is counted. */
  synchronized boolean show() {
    if (isOver()) {
      began = clock.instant();
      shown = 0;
    }
    if (shown < MOST) {
      shown++;
      return true;
    }
    hidden++;
    return false;
  }

  /** How many were not shown, once for each of them; 0 until the minute is over. */
  synchronized long takeHidden() {
    if (!isOver()) {
      return 0;
    }
    long counted = hidden;
    hidden = 0;
    return counted;
  }

  private boolean isOver() {
    return !clock.instant().isBefore(began.plus(MINUTE));
  }
}
