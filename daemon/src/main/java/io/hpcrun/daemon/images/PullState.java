package io.hpcrun.daemon.images;

/** How far a pull is. */
public enum PullState {
  /** The registry is asked what the name means. */
  RESOLVING,
  /** It waits for others. */
  QUEUED,
  /** It comes over the network. */
  PULLING,
  /** Its layers become a SIF file. */
  CONVERTING,
  /** It is looked at, and moved into the store. */
  VERIFYING,
  /** It is there. */
  READY,
  /** It cannot be had. */
  FAILED;

  /** Whether nothing changes any more. */
  boolean isFinal() {
    return this == READY || this == FAILED;
  }
}
