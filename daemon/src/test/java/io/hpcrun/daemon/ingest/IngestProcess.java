package io.hpcrun.daemon.ingest;

import io.hpcrun.daemon.store.LaunchStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Properties;

/** A process that only ingests, for tests that kill it: {@code IngestProcess SPOOL URL}. */
public final class IngestProcess {
  private IngestProcess() {}

  /** Ingests until it is ended; says {@code ready} when it has begun. */
  public static void main(String[] words) throws InterruptedException {
    LaunchStore store = LaunchStore.open(words[1], new Properties(), InstantSource.system());
    Spool spool = Spool.open(Path.of(words[0]), 16 << 20, FileOwner.fromFileSystem());
    Ingest.Pace pace =
        new Ingest.Pace(
            Duration.ofMillis(50),
            Duration.ofMillis(50),
            Duration.ofSeconds(1),
            Duration.ofDays(1),
            Duration.ofHours(1));
    Ingest ingest = Ingest.start(spool, store, pace, InstantSource.system());
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  ingest.close();
                  store.close();
                }));
    System.out.println("ready");
    Thread.sleep(Duration.ofDays(1));
  }
}
