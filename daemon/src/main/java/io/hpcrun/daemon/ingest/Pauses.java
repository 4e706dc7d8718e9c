package io.hpcrun.daemon.ingest;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Pauses that get longer while something does not work, and end at once when all is to stop. */
final class Pauses {
  private final Duration first;
  private final Duration longest;
  private final CountDownLatch stopped = new CountDownLatch(1);
  private Duration next;

  Pauses(Duration first, Duration longest) {
    this.first = first;
    this.longest = longest;
    next = first;
  }

  /** The next pause is a short one again. */
  void reset() {
    next = first;
  }

  /** Waits, twice as long as the last time. */
  void pause() throws InterruptedException {
    boolean ended = stopped.await(next.toNanos(), TimeUnit.NANOSECONDS);
    if (!ended) {
      next = next.multipliedBy(2).compareTo(longest) < 0 ? next.multipliedBy(2) : longest;
    }
  }

  /** Waits for so many nanoseconds, or until all is to stop. */
  void await(long nanoseconds) throws InterruptedException {
    stopped.await(nanoseconds, TimeUnit.NANOSECONDS);
  }

  /** Ends all pauses, for good. */
  void stop() {
    stopped.countDown();
  }

  boolean isStopped() {
    return stopped.getCount() == 0;
  }
}
