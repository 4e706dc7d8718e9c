package io.hpcrun.daemon.ingest;

import io.hpcrun.daemon.store.LaunchStore;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the spool and brings what comes into the store. Files are read at least once and stored
 * exactly once: a file is removed only when it is in the store, and the store knows what it has.
 */
public final class Ingest implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Ingest.class);

  /** Threads that read files: also more than processors, since shared file systems are slow. */
  private static final int READERS = 4;

  /** Between looks at what was set aside; sooner when this many were. */
  private static final Duration PRUNE = Duration.ofHours(1);

  private static final long PRUNE_AFTER = 1_000;

  /**
   * How often things are done.
   *
   * @param scan how long between looks into the spool; other nodes' files raise no event here
   * @param firstPause how long to wait after the store has failed once
   * @param longestPause how long to wait at most
   * @param abandonedAge how old a half-written file must be to be removed
   * @param abandonedPatience for how long it must have looked so
   */
  public record Pace(
      Duration scan,
      Duration firstPause,
      Duration longestPause,
      Duration abandonedAge,
      Duration abandonedPatience) {
    /** The pace of a daemon: every 2 seconds. */
    public static Pace usual() {
      return new Pace(
          Duration.ofSeconds(2),
          Duration.ofSeconds(1),
          Duration.ofSeconds(30),
          Duration.ofDays(1),
          Duration.ofHours(1));
    }
  }

  private final Path directory;
  private final Spool spool;
  private final InstantSource clock;
  private final Pace pace;
  private final Pauses pauses;
  private final IngestCounters counters;
  private final Intake intake;
  private final ExecutorService readers;
  private final Thread thread;
  private volatile WatchService watch;

  private Ingest(Spool spool, Intake.Sink sink, Pace pace, InstantSource clock) {
    this.pace = pace;
    this.spool = spool;
    this.clock = clock;
    directory = spool.directory();
    pauses = new Pauses(pace.firstPause(), pace.longestPause());
    counters = new IngestCounters(clock);
    readers =
        Executors.newFixedThreadPool(
            READERS, Thread.ofPlatform().daemon().name("ingest-reader-", 0).factory());
    AbandonedFiles abandoned =
        new AbandonedFiles(pace.abandonedAge(), pace.abandonedPatience(), clock, System::nanoTime);
    intake = new Intake(spool, sink, counters, abandoned, pauses, new ReasonsShown(clock), readers);
    thread = Thread.ofPlatform().name("ingest").unstarted(this::run);
  }

  /**
   * Starts to bring files in, first what an earlier run left.
   *
   * @param clock tells how old files are
   */
  public static Ingest start(Spool spool, LaunchStore store, Pace pace, InstantSource clock) {
    return start(spool, store::store, pace, clock);
  }

  static Ingest start(Spool spool, Intake.Sink sink, Pace pace, InstantSource clock) {
    Ingest ingest = new Ingest(spool, sink, pace, clock);
    ingest.watch = ingest.openWatch();
    ingest.thread.start();
    return ingest;
  }

  /** What was done so far. */
  public IngestFigures figures() {
    return counters.figures();
  }

  /** Whether files are still brought in; false after {@link #close}, or without memory. */
  public boolean isAlive() {
    return thread.isAlive();
  }

  private WatchService openWatch() {
    try {
      WatchService opened = directory.getFileSystem().newWatchService();
      directory.register(opened, StandardWatchEventKinds.ENTRY_CREATE);
      return opened;
    } catch (IOException unavailable) {
      LOG.warn(
          "the spool cannot be watched ({}); it is looked at every {} s",
          unavailable.getMessage(),
          pace.scan().toSeconds());
      return null;
    }
  }

  private void run() {
    boolean said = false;
    long pruned = System.nanoTime() - PRUNE.toNanos();
    long quarantined = 0;
    try {
      while (!pauses.isStopped()) {
        try {
          intake.pass();
          said = false;
          if (System.nanoTime() - pruned >= PRUNE.toNanos()
              || counters.quarantined.sum() - quarantined >= PRUNE_AFTER) {
            pruned = System.nanoTime();
            quarantined = counters.quarantined.sum();
            prune();
          }
        } catch (IOException unlistable) {
          counters.unreadable.increment();
          if (!said) {
            LOG.error("the spool {} cannot be read, and is tried again: {}", directory, unlistable);
          }
          said = true;
        } catch (RuntimeException defect) {
          LOG.error("records cannot be taken in, by a defect of hpcrund; they stay", defect);
        }
        await();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      readers.shutdown();
    }
  }

  private void prune() throws IOException {
    int removed = spool.prune(clock.instant());
    if (removed > 0) {
      LOG.info("removed {} files of the spool that had been set aside", removed);
    }
  }

  /** Waits for a file or until it is time to look. */
  private void await() throws InterruptedException {
    long until = System.nanoTime() + pace.scan().toNanos();
    long left;
    while ((left = until - System.nanoTime()) > 0 && !pauses.isStopped()) {
      WatchService opened = watch;
      if (opened == null) {
        pauses.await(left);
      } else if (somethingCame(opened, left)) {
        return;
      }
    }
  }

  private boolean somethingCame(WatchService opened, long nanoseconds) throws InterruptedException {
    try {
      WatchKey key = opened.poll(nanoseconds, TimeUnit.NANOSECONDS);
      if (key == null) {
        return false;
      }
      boolean came = false;
      for (WatchEvent<?> event : key.pollEvents()) {
        // What a node begins to write is no reason to look; its renaming will be.
        came |= !(event.context() instanceof Path name && name.toString().startsWith("."));
      }
      if (!key.reset()) {
        watch = null; // the directory was removed
      }
      return came;
    } catch (ClosedWatchServiceException stopped) {
      return true;
    }
  }

  /** Stops after the batch that is being stored; what is left waits in the spool. */
  @Override
  public void close() {
    pauses.stop();
    WatchService opened = watch;
    try {
      if (opened != null) {
        opened.close();
      }
      thread.join();
    } catch (IOException unclosed) {
      LOG.debug("the watch of the spool cannot be closed", unclosed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
