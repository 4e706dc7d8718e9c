package io.hpcrun.daemon.jobs;

import java.time.Duration;
import java.time.Instant;

/** A time to wait for that gets twice as long each time. */
final class Backoff {
  private final Duration first;
  private Duration next;
  private Instant until;

  Backoff(Duration first, Instant until) {
    this.first = first;
    this.next = first;
    this.until = until;
  }

  /** When the wait is over. */
  Instant until() {
    return until;
  }

  /** Waits again, twice as long as the last time, but no longer than this. */
  void again(Instant now, Duration longest) {
    next = next.compareTo(longest) > 0 ? longest : next;
    until = now.plus(next);
    next = next.multipliedBy(2);
  }

  /** Begins with short waits anew. */
  void reset() {
    next = first;
  }
}
