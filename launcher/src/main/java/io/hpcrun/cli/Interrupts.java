package io.hpcrun.cli;

import sun.misc.Signal;

/**
 * The user's wish to stop: Ctrl-C asks once, the second time means cancel; SIGTERM means cancel at
 * once. Installed before the job is submitted, so that no signal is lost in between; what comes
 * before there is a listener waits for it. javac warns of {@code sun.misc.Signal} and cannot be
 * told not to; it is the only way to hear Ctrl-C twice.
 */
final class Interrupts {
  /** What to do when the user wants to stop. */
  interface Listener {
    /** The first Ctrl-C. */
    void asked();

    /** The second Ctrl-C, or SIGTERM. */
    void cancel();
  }

  private Listener listener;
  private boolean asked;
  private boolean cancelled;

  private Interrupts() {}

  /** Begins to listen to SIGINT and SIGTERM. */
  static Interrupts install() {
    Interrupts interrupts = new Interrupts();
    Signal.handle(new Signal("INT"), signal -> interrupts.interrupt());
    Signal.handle(new Signal("TERM"), signal -> interrupts.cancel());
    return interrupts;
  }

  /** Hands what was wished so far, and all to come, to the listener. */
  synchronized void listen(Listener newListener) {
    listener = newListener;
    if (cancelled) {
      newListener.cancel();
    } else if (asked) {
      newListener.asked();
    }
  }

  private synchronized void interrupt() {
    if (asked) {
      cancel();
      return;
    }
    asked = true;
    if (listener != null) {
      listener.asked();
    }
  }

  private synchronized void cancel() {
    cancelled = true;
    if (listener != null) {
      listener.cancel();
    }
  }
}
