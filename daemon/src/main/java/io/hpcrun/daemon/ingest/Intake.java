package io.hpcrun.daemon.ingest;

import io.hpcrun.daemon.store.Arrival;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoreException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the files of the spool into the store: some threads take, check and read them, one writes
 * batches of them, and a file is removed when its batch is in the store. Memory is bounded, however
 * many files wait. {@link #pass} is for one thread.
 */
final class Intake {
  private static final Logger LOG = LoggerFactory.getLogger(Intake.class);

  /** Files that may be read ahead of the batch that is written. */
  private static final int AHEAD = 512;

  private static final int BATCH_FILES = 512;
  private static final long BATCH_BYTES = 8 << 20;

  /** Bytes of files that are in memory at a time, in kibibytes. */
  private static final int MEMORY_KIB = 32 << 10;

  /** A batch is written when no further file is ready within this time. */
  private static final long LINGER_MS = 20;

  private static final int NAMES_REMEMBERED = 1_000;

  /** Where records go. */
  interface Sink {
    /** Takes records, all or none. */
    LaunchStore.Outcome store(List<Arrival> arrivals);
  }

  private record Item(Spool.Taken file, Arrival arrival) {}

  private final Spool spool;
  private final Sink sink;
  private final IngestCounters counters;
  private final AbandonedFiles abandoned;
  private final Pauses pauses;
  private final ExecutorService threads;
  private final RecordParser parser = new RecordParser();
  private final Semaphore memory = new Semaphore(MEMORY_KIB);
  private final CompletionService<Optional<Item>> ready;
  private final List<Item> batch = new ArrayList<>();
  private final List<Future<?>> removals = new ArrayList<>();
  private final Set<String> untakeable = new HashSet<>();
  private final ReasonsShown reasons;
  private long batchBytes;
  private int inFlight;

  Intake(
      Spool spool,
      Sink sink,
      IngestCounters counters,
      AbandonedFiles abandoned,
      Pauses pauses,
      ReasonsShown reasons,
      ExecutorService threads) {
    this.spool = spool;
    this.sink = sink;
    this.counters = counters;
    this.abandoned = abandoned;
    this.pauses = pauses;
    this.reasons = reasons;
    this.threads = threads;
    ready = new ExecutorCompletionService<>(threads);
  }

  /**
   * Brings in everything that is there, unless it is told to stop before.
   *
   * @throws IOException when the spool cannot be listed
   */
  void pass() throws IOException, InterruptedException {
    try {
      try (DirectoryStream<Path> files = spool.leftOver()) {
        bringIn(files.iterator());
      }
      abandoned.beginPass();
      try (DirectoryStream<Path> files = spool.waiting()) {
        bringIn(files.iterator());
      }
    } finally {
      awaitRemovals();
      long hidden = reasons.takeHidden();
      if (hidden > 0) {
        LOG.warn(
            "there were {} further reasons why files of the spool are no records or cannot be"
                + " taken; those that were set aside are in its .quarantine",
            hidden);
      }
    }
  }

  private void bringIn(Iterator<Path> files) throws IOException, InterruptedException {
    try {
      while (!pauses.isStopped()) {
        while (inFlight < AHEAD && files.hasNext()) {
          submit(files.next());
        }
        if (inFlight == 0 && batch.isEmpty()) {
          break;
        }
        boolean arrived = inFlight > 0 && collect();
        if (batch.size() >= BATCH_FILES || batchBytes >= BATCH_BYTES || !arrived) {
          flush();
        }
      }
    } catch (DirectoryIteratorException unlistable) {
      throw unlistable.getCause();
    } finally {
      abandonUnfinished();
    }
  }

  private void submit(Path file) {
    if (Spool.isPartial(file)) {
      abandoned.see(file);
    } else {
      inFlight++;
      ready.submit(() -> read(file));
    }
  }

  /** Moves a file that is ready into the batch; whether there was one in time. */
  private boolean collect() throws InterruptedException {
    Future<Optional<Item>> next = ready.poll(LINGER_MS, TimeUnit.MILLISECONDS);
    if (next == null) {
      return false;
    }
    inFlight--;
    try {
      next.get()
          .ifPresent(
              item -> {
                batch.add(item);
                batchBytes += item.file().size();
              });
      return true;
    } catch (ExecutionException defect) {
      throw new IllegalStateException("a file of the spool cannot be handled", defect.getCause());
    }
  }

  /** What was read and not stored stays where it is, for the next pass or the next start. */
  private void abandonUnfinished() throws InterruptedException {
    abandonBatch();
    while (inFlight > 0) {
      Future<Optional<Item>> next = ready.take();
      inFlight--;
      if (next.state() == Future.State.SUCCESS) {
        next.resultNow().ifPresent(item -> memory.release(weight(item.file())));
      }
    }
  }

  /** Takes and reads one file; empty if there is nothing to store. */
  private Optional<Item> read(Path waiting) {
    Path file = waiting;
    int weight = 0;
    Optional<Item> item = Optional.empty();
    try {
      Optional<Path> taken = spool.take(waiting);
      if (taken.isPresent()) {
        file = taken.get();
        Spool.Taken looked = spool.look(file);
        weight = weight(looked);
        memory.acquireUninterruptibly(weight);
        item = Optional.of(new Item(looked, parser.parse(spool.read(looked), looked.owner())));
      }
    } catch (UnfitException unfit) {
      Path unfitFile = file;
      unfit
          .where()
          .ifPresentOrElse(
              where -> noteAside(where, unfit.getMessage()),
              () -> setAside(unfitFile, unfit.getMessage()));
    } catch (RuntimeException | OutOfMemoryError defect) {
      // A file that cannot be handled would be the first one of every pass, also after a restart.
      if (reasons.show()) {
        LOG.error("{} cannot be handled", file, defect);
      }
      setAside(file, defect.toString());
    } catch (IOException notNow) {
      counters.unreadable.increment();
      sayOnce(file, notNow);
    } finally {
      if (item.isEmpty()) {
        memory.release(weight);
      }
    }
    return item;
  }

  private static int weight(Spool.Taken file) {
    return Math.min(MEMORY_KIB, file.size() / 1024 + 1);
  }

  private void setAside(Path file, String reason) {
    try {
      spool.setAside(file).ifPresent(where -> noteAside(where, reason));
    } catch (IOException notNow) {
      counters.unreadable.increment();
      if (reasons.show()) {
        LOG.warn("{} cannot be set aside ({}), though {}", file, notNow, reason);
      }
    }
  }

  private void noteAside(Path where, String reason) {
    counters.quarantined.increment();
    if (reasons.show()) {
      LOG.warn("a file of the spool is set aside as {}: {}", where, reason);
    }
  }

  private void sayOnce(Path file, IOException reason) {
    synchronized (untakeable) {
      if (untakeable.size() < NAMES_REMEMBERED
          && untakeable.add(file.getFileName().toString())
          && reasons.show()) {
        LOG.warn("{} cannot be taken or read, and is tried again: {}", file, reason.toString());
      }
    }
  }

  /** Writes the batch, however long the store takes to accept it, unless it is told to stop. */
  private void flush() throws InterruptedException {
    if (batch.isEmpty()) {
      return;
    }
    pauses.reset();
    while (!pauses.isStopped()) {
      try {
        store(batch);
        break;
      } catch (StoreException failed) {
        if (failed.isDataFault()) {
          storeEach();
          break;
        }
        if (counters.failed(failed.getMessage(), oldest(batch))) {
          LOG.error("the store takes no records, which wait in the spool: {}", failed.getMessage());
        }
        pauses.pause();
      }
    }
    abandonBatch();
  }

  private void abandonBatch() {
    batch.forEach(item -> memory.release(weight(item.file())));
    batch.clear();
    batchBytes = 0;
  }

  private void store(List<Item> items) {
    LaunchStore.Outcome outcome = sink.store(items.stream().map(Item::arrival).toList());
    if (counters.isInTrouble()) {
      LOG.info("the store takes records again");
    }
    counters.stored(
        outcome, items.stream().mapToLong(item -> item.file().size()).sum(), oldest(items));
    List<Path> stored = items.stream().map(item -> item.file().path()).toList();
    removals.add(threads.submit(() -> stored.forEach(this::remove)));
  }

  /** Finds the record that the store refuses, so that the others get in. */
  private void storeEach() {
    for (Item item : List.copyOf(batch)) {
      try {
        store(List.of(item));
      } catch (StoreException failed) {
        if (!failed.isDataFault()) {
          return; // the files stay, and come with the next pass
        }
        setAside(item.file().path(), "the store refuses it: " + failed.getMessage());
      }
    }
  }

  private static FileTime oldest(List<Item> items) {
    return items.stream()
        .map(item -> item.file().modified())
        .min(Comparator.naturalOrder())
        .orElseThrow();
  }

  private void remove(Path file) {
    try {
      spool.delete(file);
    } catch (IOException notNow) {
      counters.unreadable.increment();
      sayOnce(file, notNow);
    }
  }

  private void awaitRemovals() throws InterruptedException {
    for (Future<?> removal : removals) {
      try {
        removal.get();
      } catch (ExecutionException defect) {
        throw new IllegalStateException("files cannot be removed", defect.getCause());
      }
    }
    removals.clear();
  }
}
