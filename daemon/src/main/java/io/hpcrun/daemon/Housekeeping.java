package io.hpcrun.daemon;

import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoreException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes launches that are too old or too many, and looks how large the store is. */
final class Housekeeping implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);
  private static final Duration LOOK = Duration.ofMinutes(1);
  private static final int LOOKS_PER_REMOVAL = 60;

  private final LaunchStore store;
  private final Supplier<Settings.Store> limits;
  private final Thread thread;
  private volatile LaunchStore.Size size;

  Housekeeping(LaunchStore store, Supplier<Settings.Store> limits) {
    this.store = store;
    this.limits = limits;
    this.size = store.size();
    this.thread = Thread.ofVirtual().name("housekeeping").unstarted(this::run);
  }

  /** Begins: looks once a minute, removes once an hour. */
  void start() {
    thread.start();
  }

  /** How large the store was, a minute ago at most. */
  LaunchStore.Size size() {
    return size;
  }

  private void run() {
    BooleanSupplier goesOn = () -> !Thread.currentThread().isInterrupted();
    try {
      for (int look = 0; goesOn.getAsBoolean(); look++) {
        Thread.sleep(LOOK);
        try {
          if (look % LOOKS_PER_REMOVAL == 0) {
            remove(goesOn);
          }
          size = store.size();
        } catch (StoreException failed) {
          LOG.warn("the store was not looked after: {}", failed.getMessage());
        }
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private void remove(BooleanSupplier goesOn) {
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
  }
}
