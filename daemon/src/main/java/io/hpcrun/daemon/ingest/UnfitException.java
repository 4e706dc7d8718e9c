package io.hpcrun.daemon.ingest;

import java.nio.file.Path;
import java.util.Optional;

/** A file of the spool is no record that the store can take; the message says why. */
final class UnfitException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient Path where;

  UnfitException(String reason) {
    this(reason, (Throwable) null);
  }

  UnfitException(String reason, Throwable cause) {
    super(reason, cause);
    this.where = null;
  }

  /** It could be put nowhere but here. */
  UnfitException(String reason, Path where) {
    super(reason);
    this.where = where;
  }

  /** Where it has been set aside already. */
  Optional<Path> where() {
    return Optional.ofNullable(where);
  }
}
