package io.hpcrun.daemon.images;

import io.hpcrun.daemon.api.Caller;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.Resolved;
import java.util.Optional;

/** One user's wish for an image. Guarded by its {@link Pulls}. */
final class Ticket {
  final String id;
  final Caller caller;
  final ImageSource source;
  final String architecture;
  Flight flight;

  private boolean asking = true;
  private Resolved resolved;
  private StoredImage image;
  private PullFailure failure;

  Ticket(String id, Caller caller, ImageSource source, String architecture) {
    this.id = id;
    this.caller = caller;
    this.source = source;
    this.architecture = architecture;
  }

  /** What asks the registry once for all who want to know. */
  String question() {
    return architecture + " " + source.text();
  }

  PullState state() {
    if (failure != null) {
      return PullState.FAILED;
    }
    if (image != null) {
      return PullState.READY;
    }
    return flight == null ? PullState.RESOLVING : flight.state();
  }

  /** Nobody is asked for this one any more. */
  void answered() {
    asking = false;
  }

  /**
   * Whether it counts among those that its user may have: as long as it is not over, and also as
   * long as a registry is asked for it, though the user does not wait any more.
   */
  boolean counts() {
    return asking || !state().isFinal();
  }

  void resolved(Resolved to) {
    resolved = to;
  }

  void ready(StoredImage there) {
    if (!state().isFinal()) {
      image = there;
    }
  }

  void failed(PullFailure why) {
    if (!state().isFinal()) {
      failure = why;
    }
  }

  Optional<Resolved> resolved() {
    return Optional.ofNullable(resolved);
  }

  Optional<StoredImage> image() {
    return Optional.ofNullable(image);
  }

  Optional<PullFailure> failure() {
    return Optional.ofNullable(failure);
  }
}
