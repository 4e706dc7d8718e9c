package io.hpcrun.daemon;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forgets from time to time what jobs claimed that are over, whether or not the image store is
 * full: their number is limited for each user.
 */
final class ClaimWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClaimWatch.class);

  /** How often Slurm is asked, if there are claims at all. */
  static final Duration EVERY = Duration.ofMinutes(10);

  private final Thread thread;

  private ClaimWatch(Thread thread) {
    this.thread = thread;
  }

  /** Begins; looks for the first time after this while. */
  static ClaimWatch start(ImagesOfJobs jobs, Duration every) {
    return new ClaimWatch(Thread.ofVirtual().name("claims").start(() -> watch(jobs, every)));
  }

  private static void watch(ImagesOfJobs jobs, Duration every) {
    try {
      while (true) {
        Thread.sleep(every);
        prune(jobs);
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private static void prune(ImagesOfJobs jobs) {
    try {
      jobs.prune();
    } catch (RuntimeException defect) {
      LOG.error("the claims of jobs are not looked after", defect);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
