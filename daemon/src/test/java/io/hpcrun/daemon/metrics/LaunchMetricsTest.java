package io.hpcrun.daemon.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.Records;
import io.hpcrun.daemon.ingest.FileOwner;
import io.hpcrun.daemon.ingest.Ingest;
import io.hpcrun.daemon.ingest.Spool;
import io.hpcrun.daemon.store.Grouping;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.timing.Stage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Records of known launches come through the spool; the metrics are read as Prometheus does. */
class LaunchMetricsTest {
  private static final Ingest.Pace PACE =
      new Ingest.Pace(
          Duration.ofMillis(20),
          Duration.ofMillis(20),
          Duration.ofMillis(100),
          Duration.ofDays(1),
          Duration.ofHours(1));

  @TempDir private Path directory;
  private final Metrics metrics = new Metrics();
  private volatile Set<String> partitions = Set.of();
  private Path spool;
  private long uid;
  private LaunchStore store;
  private Ingest ingest;
  private int files;

  @BeforeEach
  void start() throws IOException {
    spool = Files.createDirectory(directory.resolve("spool"));
    uid = ((Number) Files.getAttribute(spool, "unix:uid")).longValue();
    store =
        LaunchStore.open(
            "jdbc:sqlite:" + directory.resolve("launches.db"), new Properties(), Clock.systemUTC());
    metrics.ofLaunches(store, () -> partitions);
    ingest =
        Ingest.start(
            Spool.open(spool, 8 << 20, FileOwner.fromFileSystem()), store, PACE, Clock.systemUTC());
  }

  @AfterEach
  void stop() {
    ingest.close();
    store.close();
  }

  private String launch(String id, String state, int nodes, String more) {
    return Records.launch(id, uid, Records.at(0), state, nodes, nodes * 3, more);
  }

  private String node(String id, int number, String mode) {
    return Records.node(id, uid, Records.at(0), "n" + number, number * 3, 3)
        .replace("\"mode\":\"join\"", "\"mode\":\"" + mode + "\"");
  }

  /** Puts records into the spool, and waits until they were taken in. */
  private void spool(String... records) throws IOException {
    long before = taken();
    for (String record : records) {
      Path file = Files.writeString(spool.resolve(".tmp." + ++files), record);
      Files.move(file, spool.resolve("lab." + files + ".jsonl"));
    }
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (taken() < before + records.length) {
      assertThat(System.nanoTime()).as("the records are taken in").isLessThan(end);
      LockSupport.parkNanos(5_000_000);
    }
  }

  private long taken() {
    var figures = ingest.figures();
    return figures.stored() + figures.known() + figures.differing() + figures.quarantined();
  }

  private OpenMetricsText read() {
    return OpenMetricsText.read(new String(metrics.text(), StandardCharsets.UTF_8));
  }

  private Map<String, Double> ends() {
    return read().nonZero("hpcrund_launch_ends_total");
  }

  private StoredLaunch stored(String id) {
    return store
        .launches(LaunchFilter.builder().launch(id).build(), Viewer.operator(), 2, Optional.empty())
        .launches()
        .getFirst();
  }

  private Optional<Double> stage(String figure, String stage, String partition, String mode) {
    return read()
        .value(
            "hpcrund_stage_seconds" + figure, "stage", stage, "partition", partition, "mode", mode);
  }

  @Test
  void whatBecameOfLaunchesIsCountedOnceHoweverOftenRecordsCome() throws IOException {
    List<String> records =
        new ArrayList<>(
            List.of(
                launch("1.0.0", "running", 1, ""),
                launch("1.0.0", "ended", 1, ""),
                launch("2.0.0", "ended", 1, "").replace("\"exit\":0", "\"exit\":137"),
                launch("3.0.0", "refused", 1, ""),
                launch("4.0.0", "running", 1, ""),
                node("5.0.0", 0, "join")));
    Random random = new Random(5);
    for (int round = 0; round < 5; round++) {
      Collections.shuffle(records, random);
      spool(records.toArray(String[]::new));
    }
    assertThat(ends())
        .containsExactlyEntriesOf(
            new TreeMap<>(
                Map.of(
                    "{outcome=completed}",
                    1.0,
                    "{outcome=failed}",
                    1.0,
                    "{outcome=refused}",
                    1.0)));
    assertThat(read().value("hpcrund_launch_ends_total", "outcome", "node_fail")).contains(0.0);
  }

  @Test
  void whatSlurmSaysOfALaunchWithoutAnEndIsItsOutcomeAndStaysIt() throws IOException {
    List<String> words = List.of("NODE_FAIL", "CANCELLED", "TIMEOUT", "lost", "COMPLETED");
    for (int i = 0; i < words.size(); i++) {
      spool(launch("1" + i + ".0.0", "running", 1, ""));
      long id = stored("1" + i + ".0.0").id();
      store.noteSlurmState(id, "RUNNING");
      assertThat(ends()).hasSize(i);
      store.noteSlurmState(id, words.get(i));
      store.noteSlurmState(id, words.get(i));
    }
    spool(launch("10.0.0", "ended", 1, "")); // late: a node that came back
    store.noteSlurmState(stored("11.0.0").id(), "FAILED");
    assertThat(ends())
        .containsOnlyKeys(
            "{outcome=node_fail}",
            "{outcome=cancelled}",
            "{outcome=timeout}",
            "{outcome=lost}",
            "{outcome=completed}")
        .allSatisfy((outcome, count) -> assertThat(count).as(outcome).isEqualTo(1));
  }

  @Test
  void everyStageIsCountedByPartitionAndTheModeThatReallyRan() throws IOException {
    String more = ",\"partition\":\"gpu\",\"mode\":\"auto\"";
    spool(
        launch("1.0.0", "ended", 2, more),
        node("1.0.0", 0, "join"),
        node("1.0.0", 1, "join"),
        launch("2.0.0", "ended", 1, ""),
        node("2.0.0", 0, "exec"));
    assertThat(stage("_count", "run", "gpu", "join")).contains(6.0);
    assertThat(stage("_count", "hold", "gpu", "join")).contains(2.0);
    assertThat(stage("_count", "prepare", "gpu", "join")).contains(1.0);
    assertThat(stage("_count", "run", "none", "exec")).contains(3.0);
    double sum = 0;
    for (int rank = 0; rank < 6; rank++) {
      sum += (Records.end(rank) - Records.exec(rank)) * 1e-9;
    }
    assertThat(stage("_sum", "run", "gpu", "join").orElseThrow())
        .isCloseTo(sum, org.assertj.core.data.Offset.offset(1e-6));
    // Each is in the bucket of its size and in no smaller one.
    double minutes =
        IntStream.range(0, 6)
            .filter(rank -> Records.end(rank) - Records.exec(rank) <= 60_000_000_000L)
            .count();
    assertThat(minutes).isBetween(1.0, 5.0);
    assertThat(bucket("run", "30.0")).isZero();
    assertThat(bucket("run", "60.0")).isEqualTo(minutes);
    assertThat(bucket("run", "300.0")).isEqualTo(6.0);
    assertThat(bucket("hold", "0.01")).isZero();
    assertThat(bucket("hold", "0.025")).isEqualTo(2.0);
    assertThat(bucket("hold", "+Inf")).isEqualTo(2.0);
  }

  private double bucket(String stage, String bound) {
    return read()
        .value(
            "hpcrund_stage_seconds_bucket",
            "stage",
            stage,
            "partition",
            "gpu",
            "mode",
            "join",
            "le",
            bound)
        .orElseThrow();
  }

  /** In every order, record by record and in batches: as many as all records hold, none twice. */
  @Test
  void stagesAreThoseThatTheStoreKnowsInWhateverOrderRecordsCome() throws IOException {
    Random random = new Random(7);
    for (int round = 0; round < 12; round++) {
      String id = (100 + round) + ".0.0";
      List<String> records =
          new ArrayList<>(
              List.of(
                  launch(id, "running", 3, ",\"partition\":\"main\""),
                  launch(id, "ended", 3, ",\"partition\":\"main\""),
                  node(id, 0, "join"),
                  node(id, 1, "join"),
                  node(id, 2, "join"),
                  node(id, 1, "join")));
      Collections.shuffle(records, random);
      int cut = random.nextInt(records.size());
      spool(records.subList(0, cut).toArray(String[]::new));
      for (String each : records.subList(cut, records.size())) {
        spool(each);
      }
    }
    Map<Stage, Long> counts = new TreeMap<>();
    store.stages(
        LaunchFilter.all(),
        Viewer.operator(),
        Grouping.NONE,
        (name, launches, ranks, stages) ->
            stages.forEach((stage, summary) -> counts.put(stage, summary.count())));
    assertThat(counts).containsKeys(Stage.QUEUE, Stage.SPAWN, Stage.RUN, Stage.LEAVE, Stage.HOLD);
    counts.forEach(
        (stage, count) ->
            assertThat(stage("_count", stage.label(), "main", "join"))
                .as(stage.label())
                .contains((double) count));
  }

  @Test
  void nodesThatDifferAreCountedByTheirOwnModes() throws IOException {
    spool(node("1.0.0", 0, "exec"), node("1.0.0", 1, "join"), launch("1.0.0", "ended", 2, ""));
    assertThat(stage("_count", "run", "none", "exec")).contains(3.0);
    assertThat(stage("_count", "run", "none", "join")).contains(3.0);
    assertThat(stage("_count", "prepare", "none", "mixed")).contains(1.0);
    assertThat(stored("1.0.0").entered()).contains("exec and join");
  }

  @Test
  void inventedPartitionsTakeNoPlaceOfThoseThatSlurmHas() throws IOException {
    timedIn("invented", 1); // before Slurm has told its partitions
    partitions = Set.of("main", "gpu");
    for (int i = 0; i < LaunchMetrics.MOST_PARTITIONS + 5; i++) {
      timedIn("invented" + i, 10 + i);
    }
    timedIn("main", 2);
    timedIn("gpu", 3);
    timedIn("invented", 4);
    assertThat(stage("_count", "run", "main", "join")).contains(3.0);
    assertThat(stage("_count", "run", "gpu", "join")).contains(3.0);
    assertThat(stage("_count", "run", "invented", "join")).contains(3.0);
    assertThat(stage("_count", "run", "invented0", "join")).isEmpty();
    assertThat(stage("_count", "run", "other", "join"))
        .contains(3.0 * (LaunchMetrics.MOST_PARTITIONS + 6));
  }

  private void timedIn(String partition, int job) throws IOException {
    String id = job + ".0.0";
    spool(
        launch(id, "ended", 1, ",\"partition\":\"%s\"".formatted(partition)), node(id, 0, "join"));
  }

  @Test
  void noMorePartitionsThanTheLimitAreToldApart() throws IOException {
    for (int i = 0; i < LaunchMetrics.MOST_PARTITIONS + 5; i++) {
      String id = (200 + i) + ".0.0";
      spool(
          launch(id, "ended", 1, ",\"partition\":\"part%03d\"".formatted(i)), node(id, 0, "join"));
    }
    spool(
        launch("300.0.0", "ended", 1, ",\"partition\":\"part000\""),
        node("300.0.0", 0, "join"),
        launch("301.0.0", "ended", 1, ",\"partition\":\"a\\\"b\\\\\\n{}\""),
        node("301.0.0", 0, "join"));
    assertThat(stage("_count", "run", "part000", "join")).contains(6.0);
    assertThat(stage("_count", "run", "part019", "join")).contains(3.0);
    assertThat(stage("_count", "run", "part020", "join")).isEmpty();
    assertThat(stage("_count", "run", "other", "join")).contains(18.0);
  }

  @Test
  void aLaunchThatIsRemovedMeanwhileHarmsNothing() throws IOException {
    spool(launch("1.0.0", "ended", 2, ""), node("1.0.0", 0, "join"));
    store.removeOlderThan(Duration.ofNanos(1), () -> true);
    assertThat(stage("_count", "run", "none", "join")).contains(3.0);
    new LaunchMetrics(store, Set::of, new io.prometheus.metrics.model.registry.PrometheusRegistry())
        .timed(new io.hpcrun.daemon.store.LaunchListener.Timed(1, true, List.of("n0"), true));
  }
}
