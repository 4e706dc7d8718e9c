package io.hpcrun.daemon.jobs;

import io.hpcrun.slurm.JobState;
import java.time.Duration;
import java.time.Instant;

/** What is known of one launch, and when to ask about it again. */
final class Watch {
  /**
   * How many answers without a launch it takes to believe that Slurm knows it no more: the
   * controller may have lost a job that accounting has yet to hear of.
   */
  private static final int LOST_AFTER = 5;

  private final Backoff backoff;
  private JobState told;
  private int unknown;

  Watch(Duration first, Instant due) {
    this.backoff = new Backoff(first, due);
  }

  /** When to ask again; never once the end is known. */
  Instant due() {
    return told != null && told.ended() ? Instant.MAX : backoff.until();
  }

  /** Whether this state is news. */
  boolean isNews(JobState state) {
    return !state.equals(told);
  }

  /** Slurm knows the launch, and this was passed on. */
  void told(JobState state, Instant now, Duration longest) {
    if (isNews(state)) {
      backoff.reset();
    }
    told = state;
    unknown = 0;
    backoff.again(now, longest);
  }

  /** Slurm answered and does not know how the launch stands; whether it is to be believed now. */
  boolean isLost(Instant now, Duration longest) {
    if (unknown == 0) {
      backoff.reset();
    }
    unknown++;
    backoff.again(now, longest);
    return unknown >= LOST_AFTER;
  }

  /** There was no answer. */
  void unanswered(Instant now, Duration longest) {
    backoff.again(now, longest);
  }
}
