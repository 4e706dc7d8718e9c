package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.Records;
import io.hpcrun.daemon.store.Database;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.Page;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Kills an ingesting process at random moments while records come in, also twice, in any order and
 * broken, and counts what is stored in the end. {@code -Dhpcrun.full=true} is the whole campaign;
 * {@code -Dhpcrun.crash.seed} repeats one.
 */
@Timeout(3600)
class CrashCampaignTest {
  private static final boolean FULL = Boolean.getBoolean("hpcrun.full");
  private static final int KILLS = Integer.getInteger("hpcrun.crash.kills", FULL ? 200 : 10);
  private static final int RANKS =
      Integer.getInteger("hpcrun.crash.ranks", FULL ? 2_000_000 : 20_000);
  private static final long SEED = Long.getLong("hpcrun.crash.seed", System.nanoTime());
  private static final int RANKS_PER_NODE = 100;
  private static final int NODES = 10;

  @TempDir private Path directory;
  private final Random random = new Random(SEED);
  private final long uid = FileOwner.uid(Path.of("/proc/self"));

  CrashCampaignTest() throws IOException {}

  /** One file that will come in: made only when its turn is, so that millions of ranks fit. */
  private record Feed(int launch, int node, String kind) {}

  @ParameterizedTest
  @EnumSource
  void nothingIsLostAndNothingIsStoredTwice(Database database) throws Exception {
    System.out.println("seed " + SEED + ", " + KILLS + " kills, " + RANKS + " ranks");
    Path spool = Files.createDirectory(directory.resolve("spool"));
    String url = database.newUrl(directory);
    int launches = RANKS / RANKS_PER_NODE / NODES;
    List<Feed> feed = feed(launches);
    int broken = (int) feed.stream().filter(each -> each.kind.equals("broken")).count();
    int next = 0;
    int hit = 0;
    for (int kill = 1; kill <= KILLS; kill++) {
      Process process = start(spool, url);
      boolean early = random.nextInt(5) == 0;
      if (!early) {
        awaitReady(process);
      }
      int until = (int) ((long) feed.size() * kill / KILLS);
      while (next < until) {
        write(spool, feed.get(next), next);
        next++;
      }
      Thread.sleep(random.nextInt(early ? 800 : 120));
      process.destroyForcibly().waitFor();
      hit += filesIn(spool.resolve(".taken")) > 0 ? 1 : 0;
    }
    System.out.println(database + ": " + hit + " kills between taking files and removing them");
    Process last = start(spool, url);
    awaitEmpty(spool, last);
    last.destroy(); // SIGTERM
    assertThat(last.waitFor(1, TimeUnit.MINUTES)).isTrue();

    assertThat(filesIn(spool.resolve(".quarantine"))).isEqualTo(broken);
    assertThat(filesIn(spool.resolve(".taken"))).isZero();
    check(url, launches);
  }

  private List<Feed> feed(int launches) {
    List<Feed> feed = new ArrayList<>();
    for (int launch = 0; launch < launches; launch++) {
      feed.add(new Feed(launch, 0, "running"));
      feed.add(new Feed(launch, 0, "ended"));
      for (int node = 0; node < NODES; node++) {
        feed.add(new Feed(launch, node, "node"));
      }
    }
    List<Feed> again = new ArrayList<>();
    for (Feed each : feed) {
      if (random.nextInt(5) == 0) {
        again.add(each);
      }
      if (random.nextInt(20) == 0) {
        again.add(new Feed(each.launch, each.node, "broken"));
      }
    }
    feed.addAll(again);
    Collections.shuffle(feed, random);
    return feed;
  }

  private void write(Path spool, Feed each, int number) throws IOException {
    String id = (1000 + each.launch) + ".0.0";
    long begun = Records.at(each.launch);
    int ranks = NODES * RANKS_PER_NODE;
    String node = "n" + each.node;
    String text =
        switch (each.kind) {
          case "node" ->
              Records.node(id, uid, begun, node, each.node * RANKS_PER_NODE, RANKS_PER_NODE);
          case "broken" ->
              Records.node(id, uid, begun, node, 0, 50).substring(0, 700 + random.nextInt(4_000));
          default -> Records.launch(id, uid, begun, each.kind, NODES, ranks, "");
        };
    Path partial = spool.resolve(".tmp." + number);
    Files.writeString(partial, text);
    Files.move(
        partial,
        spool.resolve("lab." + id + "." + number + "." + each.kind + ".jsonl"),
        StandardCopyOption.ATOMIC_MOVE);
  }

  private Process start(Path spool, String url) throws IOException {
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xmx256m",
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            IngestProcess.class.getName(),
            spool.toString(),
            url)
        .redirectError(directory.resolve("stderr").toFile())
        .redirectOutput(ProcessBuilder.Redirect.PIPE)
        .start();
  }

  private void awaitReady(Process process) throws IOException {
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line; (line = out.readLine()) != null; ) {
        if (line.equals("ready")) {
          return;
        }
      }
    }
    throw new IllegalStateException(
        "the ingest did not start: " + Files.readString(directory.resolve("stderr")));
  }

  private void awaitEmpty(Path spool, Process process) throws IOException, InterruptedException {
    while (filesIn(spool) + filesIn(spool.resolve(".taken")) > 0) {
      if (!process.isAlive()) {
        throw new IllegalStateException(
            "the ingest ended by itself: " + Files.readString(directory.resolve("stderr")));
      }
      Thread.sleep(50);
    }
  }

  private static long filesIn(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> !Files.isDirectory(file)).count();
    }
  }

  private void check(String url, int launches) {
    try (LaunchStore store = LaunchStore.open(url, new Properties(), InstantSource.system())) {
      LaunchStore.Size size = store.size();
      assertThat(size.launches()).containsExactly(Map.entry(LaunchState.ENDED, (long) launches));
      assertThat(size.nodes()).isEqualTo((long) launches * NODES);
      Optional<Page.Cursor> cursor = Optional.empty();
      int seen = 0;
      do {
        Page page = store.launches(LaunchFilter.all(), Viewer.operator(), 100, cursor);
        for (StoredLaunch launch : page.launches()) {
          checkRanks(store.records(launch.id(), Viewer.operator()).orElseThrow());
          seen++;
        }
        cursor = page.next();
      } while (cursor.isPresent());
      assertThat(seen).isEqualTo(launches);
    }
  }

  /** Each rank is there once, with its own times. */
  private static void checkRanks(RecordSource records) {
    boolean[] seen = new boolean[NODES * RANKS_PER_NODE];
    records.readNodes(
        new RecordSource.Nodes() {
          @Override
          public void head(RecordLine line) {
            assertThat(line.number("ranks")).isEqualTo(RANKS_PER_NODE);
          }

          @Override
          public void rank(RankLine line) {
            int rank = (int) line.rank();
            if (seen[rank]
                || line.begin() != Records.begin(rank)
                || line.exec() != Records.exec(rank)
                || line.end() != Records.end(rank)) {
              throw new AssertionError(records.id() + ": rank " + rank);
            }
            seen[rank] = true;
          }

          @Override
          public void nodeIsComplete() {
            // the next one follows
          }
        });
    for (int rank = 0; rank < seen.length; rank++) {
      assertThat(seen[rank]).as("rank %s of %s", rank, records.id()).isTrue();
    }
  }
}
