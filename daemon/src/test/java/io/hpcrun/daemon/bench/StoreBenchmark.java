package io.hpcrun.daemon.bench;

import io.hpcrun.daemon.Records;
import io.hpcrun.daemon.ingest.FileOwner;
import io.hpcrun.daemon.ingest.Ingest;
import io.hpcrun.daemon.ingest.Spool;
import io.hpcrun.daemon.store.Database;
import io.hpcrun.daemon.store.Grouping;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.timing.LaunchTiming;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;

/**
 * Times the store: {@code StoreBenchmark DIRECTORY [REPETITIONS [postgresql]]}. One launch of
 * 10,000 nodes with 100 ranks each lies in a spool; measured is how long it takes from the ingest's
 * start until all its ranks can be queried, and then how long queries take. Figures are minimum,
 * median and maximum of all repetitions; the first one, which warms up, is told apart.
 */
public final class StoreBenchmark {
  private static final int NODES = Integer.getInteger("nodes", 10_000);
  private static final int RANKS = Integer.getInteger("ranks", 100);
  private static final int QUERIES = 20;

  private StoreBenchmark() {}

  /** Runs all measurements and prints them. */
  public static void main(String[] words) throws IOException, InterruptedException {
    Path directory = Path.of(words[0]);
    int repetitions = words.length > 1 ? Integer.parseInt(words[1]) : 5;
    long[] ingest = new long[repetitions];
    for (int i = 0; i < repetitions; i++) {
      Path run = Files.createDirectories(directory.resolve("run" + i));
      Path spool = Files.createDirectories(run.resolve("spool"));
      long bytes = fill(spool);
      Database database =
          words.length > 2 ? Database.valueOf(words[2].toUpperCase(Locale.ROOT)) : Database.SQLITE;
      String url = database.newUrl(run);
      try (LaunchStore store = LaunchStore.open(url, new Properties(), InstantSource.system())) {
        ingest[i] = ingest(spool, store);
        System.out.printf(
            "ingest %d: %.2f s for %,d ranks in %,d files, %,d MB; the store has %,d MB%n",
            i,
            ingest[i] / 1e9,
            (long) NODES * RANKS,
            NODES + 1,
            bytes >> 20,
            store.size().bytes() >> 20);
        if (i == repetitions - 1) {
          query(store);
        }
      }
      remove(run);
    }
    show("from the start of the ingest to queryable", ingest);
    System.out.printf("largest heap %,d MB%n", Runtime.getRuntime().maxMemory() >> 20);
  }

  private static long fill(Path spool) throws IOException {
    long uid = ((Number) Files.getAttribute(spool, "unix:uid")).longValue();
    long begun = Records.at(0);
    long bytes = 0;
    for (int i = 0; i < NODES; i++) {
      String text = Records.node("1.0.0", uid, begun, "n" + i, i * RANKS, RANKS);
      bytes += text.length();
      Files.writeString(spool.resolve("lab.1.0.0." + begun + ".node.n" + i + ".jsonl"), text);
    }
    Files.writeString(
        spool.resolve("lab.1.0.0." + begun + ".job.ended.jsonl"),
        Records.launch(
            "1.0.0",
            uid,
            begun,
            "ended",
            NODES,
            NODES * RANKS,
            ",\"image\":\"/images/solver.sif\",\"partition\":\"batch\",\"mode\":\"auto\""));
    return bytes;
  }

  private static long ingest(Path spool, LaunchStore store) throws InterruptedException {
    long began = System.nanoTime();
    try (Ingest ingest =
        Ingest.start(
            Spool.open(spool, 16 << 20, FileOwner.fromFileSystem()),
            store,
            Ingest.Pace.usual(),
            InstantSource.system())) {
      while (ingest.figures().ranks() < (long) NODES * RANKS) {
        Thread.sleep(5);
      }
      return System.nanoTime() - began;
    }
  }

  private static void query(LaunchStore store) {
    long id =
        store
            .launches(LaunchFilter.all(), Viewer.operator(), 1, Optional.empty())
            .launches()
            .getFirst()
            .id();
    for (Grouping grouping : Grouping.values()) {
      measure(
          "percentiles of all stages over all ranks, by " + grouping,
          () -> {
            long[] seen = {0};
            store.stages(
                LaunchFilter.all(), Viewer.operator(), grouping, (n, l, r, s) -> seen[0] += r);
            if (seen[0] != (long) NODES * RANKS) {
              throw new IllegalStateException(seen[0] + " ranks");
            }
          });
    }
    measure(
        "timing of the launch with all its nodes",
        () ->
            LaunchTiming.read(store.records(id, Viewer.operator()).orElseThrow(), Map::of)
                .overall());
    measure(
        "a page of launches",
        () -> store.launches(LaunchFilter.all(), Viewer.operator(), 50, Optional.empty()));
    measure("the store's size", store::size);
  }

  private static void measure(String what, Runnable query) {
    long[] times = new long[QUERIES];
    for (int i = 0; i < QUERIES; i++) {
      long began = System.nanoTime();
      query.run();
      times[i] = System.nanoTime() - began;
    }
    show(what, times);
  }

  private static void show(String what, long[] times) {
    long first = times[0];
    long[] sorted = times.clone();
    Arrays.sort(sorted);
    System.out.printf(
        "%-55s first %8.1f ms, min %8.1f, median %8.1f, max %8.1f (n=%d)%n",
        what,
        first / 1e6,
        sorted[0] / 1e6,
        sorted[sorted.length / 2] / 1e6,
        sorted[sorted.length - 1] / 1e6,
        times.length);
  }

  private static void remove(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
