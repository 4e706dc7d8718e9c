package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.hpcrun.daemon.Records;
import io.hpcrun.daemon.store.LaunchStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The store's disk is full for a while: a small file system that only root can make. */
@Timeout(300)
class FullDiskTest {
  private static final int NODES = 2_000;
  private static final int RANKS = 100;

  @TempDir private Path directory;
  private Path disk;
  private boolean mounted;

  @BeforeEach
  void mount() throws IOException, InterruptedException {
    disk = Files.createDirectory(directory.resolve("disk"));
    mounted = run("mount", "-t", "tmpfs", "-o", "size=2m", "hpcrun-test", disk.toString()) == 0;
    assumeThat(mounted).as("only root can mount a small file system").isTrue();
  }

  @AfterEach
  void unmount() throws IOException, InterruptedException {
    if (mounted) {
      run("umount", disk.toString());
    }
  }

  @Test
  void recordsWaitUntilThereIsRoomAgain() throws Exception {
    long uid = FileOwner.uid(Path.of("/proc/self"));
    Path spool = Files.createDirectory(directory.resolve("spool"));
    for (int i = 0; i < NODES; i++) {
      Files.writeString(
          spool.resolve(i + ".jsonl"), Records.node("1.0.0", uid, 5, "n" + i, i * RANKS, RANKS));
    }
    Ingest.Pace pace =
        new Ingest.Pace(
            Duration.ofMillis(20),
            Duration.ofMillis(10),
            Duration.ofMillis(100),
            Duration.ofDays(1),
            Duration.ofDays(1));
    try (LaunchStore store =
            LaunchStore.open(
                "jdbc:sqlite:" + disk.resolve("store.db"),
                new Properties(),
                InstantSource.system());
        Ingest ingest =
            Ingest.start(
                Spool.open(spool, 1 << 20, FileOwner.fromFileSystem()),
                store,
                pace,
                InstantSource.system())) {
      await(() -> ingest.figures().storeFailures() >= 5);
      assertThat(ingest.figures().trouble().orElseThrow()).contains("full");
      assertThat(ingest.figures().stored() + waiting(spool)).isGreaterThanOrEqualTo(NODES);
      assertThat(run("mount", "-o", "remount,size=64m", disk.toString())).isZero();
      await(() -> ingest.figures().stored() == NODES);
      await(() -> waiting(spool) == 0);
      assertThat(ingest.figures().trouble()).isEmpty();
      assertThat(ingest.figures().quarantined()).isZero();
      assertThat(ingest.figures().ranks()).isEqualTo((long) NODES * RANKS);
      assertThat(store.size().nodes()).isEqualTo(NODES);
    }
  }

  private static long waiting(Path spool) {
    return count(spool) - 2 + count(spool.resolve(".taken"));
  }

  private static long count(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.count();
    } catch (IOException unreadable) {
      throw new java.io.UncheckedIOException(unreadable);
    }
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    while (!condition.getAsBoolean()) {
      Thread.sleep(10);
    }
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(command).inheritIO().start().waitFor();
  }
}
