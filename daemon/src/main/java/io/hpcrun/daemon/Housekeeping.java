package io.hpcrun.daemon;

import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoreException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes launches that are too old or too many, gives up those of which nobody will ever hear, and
 * looks how large the store is.
 */
final class Housekeeping implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);
  private static final Duration LOOK = Duration.ofMinutes(1);
  private static final int LOOKS_PER_REMOVAL = 60;

  /**
   * Of whose jobs Slurm cannot be asked here, and nothing was heard for so long, is lost. Longer
   * than jobs may run at most sites; what comes later counts all the same.
   */
  static final Duration SILENCE = Duration.ofDays(30);

  private final LaunchStore store;
  private final Supplier<Optional<String>> cluster;
  private final Supplier<Settings.Store> limits;
  private final Thread thread;
  private volatile Optional<LaunchStore.Size> size = Optional.empty();

  /**
   * Looks once.
   *
   * @param cluster the cluster whose Slurm can be asked, once it is known
   */
  Housekeeping(
      LaunchStore store, Supplier<Optional<String>> cluster, Supplier<Settings.Store> limits) {
    this.store = store;
    this.cluster = cluster;
    this.limits = limits;
    this.thread = Thread.ofPlatform().daemon().name("housekeeping").unstarted(this::run);
  }

  /** Begins: looks once a minute, removes once an hour. */
  void start() {
    thread.start();
  }

  /** How large the store was, a minute ago at most; empty until it was looked at. */
  Optional<LaunchStore.Size> size() {
    return size;
  }

  private void run() {
    BooleanSupplier goesOn = () -> !Thread.currentThread().isInterrupted();
    try {
      for (int look = 0; goesOn.getAsBoolean(); look++) {
        try {
          if (look % LOOKS_PER_REMOVAL == 1) {
            remove(goesOn);
          }
          size = Optional.of(store.size());
        } catch (StoreException failed) {
          LOG.warn("the store was not looked after: {}", failed.getMessage());
        }
        Thread.sleep(LOOK);
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private void remove(BooleanSupplier goesOn) {
    long lost = cluster.get().map(own -> store.giveUpElsewhere(own, SILENCE, goesOn)).orElse(0L);
    if (lost > 0) {
      LOG.info(
          "gave up {} launches of other clusters: no news for {} days", lost, SILENCE.toDays());
    }
    Settings.Store limit = limits.get();
    long old = store.removeOlderThan(Duration.ofDays(limit.keepDays()), goesOn);
    long many = store.removeToFit(limit.keepBytes(), goesOn);
    if (old + many > 0) {
      LOG.info("removed {} launches: {} too old, {} too many", old + many, old, many);
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }
}
