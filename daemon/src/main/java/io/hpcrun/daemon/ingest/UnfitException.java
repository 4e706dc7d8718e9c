package io.hpcrun.daemon.ingest;

/** A file of the spool is no record that the store can take; the message says why. */
final class UnfitException extends Exception {
  private static final long serialVersionUID = 1L;

  UnfitException(String reason) {
    super(reason);
  }

  UnfitException(String reason, Throwable cause) {
    super(reason, cause);
  }
}
