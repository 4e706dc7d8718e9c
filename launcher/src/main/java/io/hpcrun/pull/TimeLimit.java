package io.hpcrun.pull;

import io.hpcrun.failure.Failure;
import io.hpcrun.pull.PullFailure.Kind;
import java.time.Duration;

/** How long a fetch may take, all its steps together; the time runs from its beginning. */
final class TimeLimit {
  private final Duration whole;
  private final long began = System.nanoTime();

  /** The time begins now. */
  TimeLimit(Duration whole) {
    this.whole = whole;
  }

  /** What is left of it; zero if it is over. */
  Duration left() {
    Duration left = whole.minusNanos(System.nanoTime() - began);
    return left.isNegative() ? Duration.ZERO : left;
  }

  /** Whether nothing is left. */
  boolean isOver() {
    return left().isZero();
  }

  /** What is said when it is over. */
  PullFailure over(Throwable cause) {
    return new PullFailure(
        Kind.TOO_SLOW,
        "the image was not there after " + whole.toSeconds() + " s",
        "try again later, or ask the administrators for more time (daemon.images.pull-time)",
        cause);
  }

  /** What it means that a program did not end by itself. */
  PullFailure ended(Failure failure) {
    if (Thread.currentThread().isInterrupted()) {
      return WebClient.cancelled(failure);
    }
    return isOver()
        ? over(failure)
        : new PullFailure(Kind.BROKEN, failure.getMessage(), failure.remedy(), failure);
  }
}
