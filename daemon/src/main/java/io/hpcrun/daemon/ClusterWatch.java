package io.hpcrun.daemon;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the cluster offers, asked of Slurm once a minute for everybody. While Slurm does not answer,
 * what it said last counts for ten minutes more.
 */
final class ClusterWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterWatch.class);
  private static final Duration EVERY = Duration.ofMinutes(1);
  private static final Duration LONGEST = Duration.ofMinutes(10);

  private record Known(ClusterFacts facts, Instant since) {}

  private final Supplier<ClusterFacts> slurm;
  private final Supplier<Set<String>> names;
  private final Clock clock;
  private final Thread thread;
  private final CountDownLatch asked = new CountDownLatch(1);
  private volatile Known known;
  private volatile Set<String> partitions = Set.of();
  private boolean failed;

  /**
   * Not asked yet.
   *
   * @param slurm tells what the cluster offers
   * @param names tells the names of its partitions
   */
  ClusterWatch(Supplier<ClusterFacts> slurm, Supplier<Set<String>> names, Clock clock) {
    this.slurm = slurm;
    this.names = names;
    this.clock = clock;
    this.thread = Thread.ofVirtual().name("cluster").unstarted(this::watch);
  }

  /** Begins to ask. */
  void start() {
    thread.start();
  }

  /** The facts; empty if Slurm has not answered for too long. */
  Optional<ClusterFacts> facts() {
    return Optional.ofNullable(known)
        .filter(last -> last.since().plus(LONGEST).isAfter(clock.instant()))
        .map(Known::facts);
  }

  /** The names of its partitions, as Slurm said last; none before it has answered. */
  Set<String> partitions() {
    return partitions;
  }

  private void watch() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        ask();
        Thread.sleep(EVERY);
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  /** Asks once; a failure is logged when it begins, not each time. */
  void ask() {
    try {
      known = new Known(slurm.get(), clock.instant());
      partitions = Set.copyOf(names.get());
      if (failed) {
        LOG.info("Slurm answers again");
      }
      failed = false;
    } catch (Failure unanswered) {
      if (!failed) {
        LOG.warn("{}", unanswered.getMessage());
      }
      failed = true;
    } catch (RuntimeException defect) {
      LOG.error("what the cluster offers could not be found out", defect);
    } finally {
      asked.countDown();
    }
  }

  /** Waits until Slurm was asked for the first time. */
  void awaitFirst() throws InterruptedException {
    asked.await();
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
