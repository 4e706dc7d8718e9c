package io.hpcrun.daemon;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks from time to time which images jobs use, and forgets what jobs claimed that are over,
 * whether or not the image store is full: what a user may claim is limited.
 */
final class ClaimWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClaimWatch.class);

  /** How often Slurm is asked, if there are claims at all; less than a hand-out counts for. */
  static final Duration EVERY = Duration.ofMinutes(10);

  private final Thread thread;

  private ClaimWatch(Thread thread) {
    this.thread = thread;
  }

  /**
   * Begins, at once and then so often.
   *
   * @param look looks at the jobs, and forgets claims of those that are over
   */
  static ClaimWatch start(Runnable look, Duration every) {
    return new ClaimWatch(Thread.ofVirtual().name("claims").start(() -> watch(look, every)));
  }

  private static void watch(Runnable look, Duration every) {
    try {
      while (true) {
        look(look);
        Thread.sleep(every);
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private static void look(Runnable look) {
    try {
      look.run();
    } catch (RuntimeException defect) {
      LOG.error("the claims of jobs are not looked after", defect);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
