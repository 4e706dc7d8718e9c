package io.hpcrun.pull;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.LoggerFactory;

/** Looks at a step of a fetch twice a second, and ends it by an interrupt if it must not go on. */
final class Guard {
  private static final Duration EVERY = Duration.ofMillis(500);

  private Guard() {}

  /** Looks how the step goes. */
  @FunctionalInterface
  interface Look {
    /** Why it must not go on; empty if it may. */
    Optional<PullFailure> look() throws InterruptedException;
  }

  /**
   * Does the step in this thread while another one looks.
   *
   * @throws PullFailure the step's own, or why it must not go on
   */
  static void during(Runnable step, Look look) {
    AtomicReference<PullFailure> reason = new AtomicReference<>();
    Thread guarded = Thread.currentThread();
    Thread guard = Thread.ofVirtual().name("guard").start(() -> watch(guarded, look, reason));
    try {
      step.run();
    } catch (PullFailure failure) {
      throw reason.get() == null ? failure : reason.get();
    } finally {
      guard.interrupt();
      boolean interrupted = join(guard);
      // An interrupt of the guard's was meant for this step alone.
      if (interrupted && reason.get() == null) {
        guarded.interrupt();
      }
    }
  }

  /**
   * Waits for a thread that ends at once; true if this one was interrupted, which it is no more.
   */
  private static boolean join(Thread guard) {
    boolean interrupted = false;
    while (true) {
      try {
        guard.join();
        return Thread.interrupted() || interrupted;
      } catch (InterruptedException meanwhile) {
        interrupted = true;
      }
    }
  }

  private static void watch(Thread guarded, Look look, AtomicReference<PullFailure> reason) {
    try {
      while (true) {
        Thread.sleep(EVERY);
        Optional<PullFailure> why = look.look();
        if (why.isPresent()) {
          reason.set(why.get());
          guarded.interrupt();
          return;
        }
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException defect) {
      LoggerFactory.getLogger(Guard.class).error("a pull is not looked at any more", defect);
    }
  }
}
