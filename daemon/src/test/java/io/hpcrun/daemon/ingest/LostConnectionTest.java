package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.Records;
import io.hpcrun.daemon.store.Database;
import io.hpcrun.daemon.store.LaunchStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** PostgreSQL ends the daemon's connections again and again, as its restart does. */
@Timeout(300)
class LostConnectionTest {
  private static final int NODES = 3_000;

  @TempDir private Path directory;

  @Test
  void recordsAreStoredOnceThoughConnectionsBreak() throws Exception {
    long uid = FileOwner.uid(Path.of("/proc/self"));
    String url = Database.POSTGRESQL.newUrl(directory);
    Path spool = Files.createDirectory(directory.resolve("spool"));
    for (int i = 0; i < NODES; i++) {
      Files.writeString(
          spool.resolve(i + ".jsonl"), Records.node("1.0.0", uid, 5, "n" + i, i * 10, 10));
    }
    Ingest.Pace pace =
        new Ingest.Pace(
            Duration.ofMillis(20),
            Duration.ofMillis(1),
            Duration.ofMillis(20),
            Duration.ofDays(1),
            Duration.ofDays(1));
    try (LaunchStore store = LaunchStore.open(url, new Properties(), InstantSource.system());
        Connection other = DriverManager.getConnection(url);
        Statement statement = other.createStatement();
        Ingest ingest =
            Ingest.start(
                Spool.open(spool, 1 << 20, FileOwner.fromFileSystem()),
                store,
                pace,
                InstantSource.system())) {
      String reasons = "";
      int pause = 40;
      while (ingest.figures().stored() + ingest.figures().known() < NODES || !isEmpty(spool)) {
        statement.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
                + " where datname = current_database() and pid <> pg_backend_pid()");
        reasons += ingest.figures().trouble().orElse("");
        Thread.sleep(pause);
        pause += 10; // a slow machine gets its records stored, too
      }
      assertThat(ingest.figures().storeFailures()).isPositive();
      assertThat(reasons).doesNotContain("hpcrun.record"); // no record's content in logs
      assertThat(ingest.figures().quarantined()).isZero();
      assertThat(ingest.figures().differing()).isZero();
    }
    try (LaunchStore store = LaunchStore.open(url, new Properties(), InstantSource.system())) {
      assertThat(store.size().nodes()).isEqualTo(NODES);
    }
  }

  private static boolean isEmpty(Path spool) throws Exception {
    try (Stream<Path> taken = Files.list(spool.resolve(".taken"))) {
      return taken.findAny().isEmpty();
    }
  }
}
