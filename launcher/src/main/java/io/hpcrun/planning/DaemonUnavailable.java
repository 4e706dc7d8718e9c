package io.hpcrun.planning;

/**
 * The daemon cannot be used now; the message is one sentence for the user, without its full stop.
 */
public class DaemonUnavailable extends RuntimeException {
  private static final long serialVersionUID = 1L;

  DaemonUnavailable(String found) {
    super(found);
  }
}
