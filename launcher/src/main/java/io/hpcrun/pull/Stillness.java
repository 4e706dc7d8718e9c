package io.hpcrun.pull;

import io.hpcrun.pull.PullFailure.Kind;
import java.time.Duration;
import java.util.Optional;

/** Tells when nothing has come for too long. */
final class Stillness {
  private final Duration longest;
  private long seen = -1;
  private long since = System.nanoTime();

  Stillness(Duration longest) {
    this.longest = longest;
  }

  /**
   * Takes note of what has come; why to give up if it was as much for too long.
   *
   * @param what what should come, for people
   */
  Optional<PullFailure> at(long amount, String what) {
    if (amount != seen) {
      seen = amount;
      since = System.nanoTime();
    }
    return System.nanoTime() - since < longest.toNanos()
        ? Optional.empty()
        : Optional.of(
            new PullFailure(
                Kind.TOO_SLOW,
                "nothing of " + what + " came for " + longest.toSeconds() + " s",
                "try again later; what it comes from hangs"));
  }
}
