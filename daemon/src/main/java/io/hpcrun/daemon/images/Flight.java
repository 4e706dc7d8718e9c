package io.hpcrun.daemon.images;

import io.hpcrun.daemon.api.Caller;
import io.hpcrun.pull.Progress;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.Resolved;
import java.util.LinkedHashSet;
import java.util.Set;

/** One pull of one image, for all who wait for it. Guarded by its {@link Pulls}. */
final class Flight {
  final Resolved wanted;

  /** Who began it. */
  final Caller user;

  final Set<Ticket> tickets = new LinkedHashSet<>();
  Thread thread;

  private volatile PullState state = PullState.QUEUED;
  private volatile long done;
  private volatile long since;

  Flight(Resolved wanted, Caller user) {
    this.wanted = wanted;
    this.user = user;
  }

  /** Whose worker it has: who has waited longest, or who began it if nobody waits any more. */
  long uid() {
    return tickets.isEmpty() ? user.uid() : tickets.iterator().next().caller.uid();
  }

  /** Hears from the fetch. */
  void at(Progress.Stage stage, long bytes, long nanoTime) {
    PullState now =
        switch (stage) {
          case PULLING -> PullState.PULLING;
          case CONVERTING -> PullState.CONVERTING;
          case VERIFYING -> PullState.VERIFYING;
        };
    if (now != state) {
      since = nanoTime;
    }
    done = bytes;
    state = now;
  }

  PullState state() {
    return state;
  }

  /** Bytes that came so far. */
  long done() {
    return done;
  }

  /** When the state began. */
  long since() {
    return since;
  }

  /** Hands the image out to all who wait and may keep it. */
  void landed(StoredImage image, ImageStore store) {
    for (Ticket ticket : tickets) {
      try {
        store.keep(image, ticket.caller);
        ticket.ready(image);
      } catch (PullFailure noRoom) {
        ticket.failed(noRoom);
      }
    }
  }

  void crashed(PullFailure failure) {
    tickets.forEach(ticket -> ticket.failed(failure));
  }
}
