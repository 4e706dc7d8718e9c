package io.hpcrun.daemon.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.daemon.Records;
import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobState;
import io.hpcrun.timing.Durations;
import io.hpcrun.timing.LaunchTimes;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordDirectory;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordReader;
import io.hpcrun.timing.Stage;
import io.hpcrun.timing.TimingJson;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the store does, on each database. */
abstract class LaunchStoreContract {
  private static final Viewer ALL = Viewer.operator();
  private static final long DAY_NS = Duration.ofDays(1).toNanos();

  @TempDir Path directory;
  private final Database database;
  String url;
  LaunchStore store;
  private Instant now = Instant.ofEpochSecond(Records.START_S);

  LaunchStoreContract(Database database) {
    this.database = database;
  }

  @BeforeEach
  void open() {
    url = database.newUrl(directory);
    store = LaunchStore.open(url, new Properties(), () -> now);
  }

  @AfterEach
  void close() {
    if (store != null) {
      store.close();
    }
  }

  @Test
  void aLaunchAndItsNodesComeBack() {
    store.store(
        List.of(
            launch("12_3.0.1", 1000, 0, LaunchState.ENDED),
            node("12_3.0.1", 1000, 0, "c1", 0, 2),
            node("12_3.0.1", 1000, 0, "c2", 2, 3)));
    StoredLaunch launch = only(LaunchFilter.all(), ALL);
    assertThat(launch.key()).isEqualTo(key("12_3.0.1", 1000, 0));
    assertThat(launch.job()).isEqualTo("12_3");
    assertThat(launch.user()).contains("mia");
    assertThat(launch.state()).isEqualTo(LaunchState.ENDED);
    assertThat(launch.exitCode()).hasValue(0);
    assertThat(launch.nodes()).hasValue(2);
    assertThat(launch.ranks()).hasValue(5);
    assertThat(launch.image()).contains("/images/solver.sif");
    assertThat(launch.partition()).isEmpty();
    assertThat(launch.times().batchNode()).isEqualTo("n0");
    assertThat(launch.times().launchAsked()).isEqualTo(Records.at(100));
    List<StoredNode> nodes = store.nodes(launch.id(), ALL, "", 10).nodes();
    assertThat(nodes).extracting(StoredNode::node).containsExactly("c1", "c2");
    assertThat(nodes).extracting(StoredNode::ranks).containsExactly(2L, 3L);
    assertThat(nodes).extracting(StoredNode::mode).containsOnly(Optional.of("join"));
    assertThat(store.nodes(launch.id(), ALL, "c1", 10))
        .isEqualTo(new StoredNode.Page(nodes.subList(1, 2), false));
    assertThat(store.nodes(launch.id(), ALL, "", 1))
        .isEqualTo(new StoredNode.Page(nodes.subList(0, 1), true));
    assertThat(store.node(launch.id(), ALL, "c2")).contains(nodes.getLast());
    assertThat(store.node(launch.id(), ALL, "c")).isEmpty();
  }

  @Test
  void theStateGoesOnlyForwardWhateverTheOrderOfArrival() {
    List<Arrival> arrivals =
        new ArrayList<>(
            List.of(
                launch("1.0.0", 7, 0, LaunchState.RUNNING),
                launch("1.0.0", 7, 0, LaunchState.ENDED),
                node("1.0.0", 7, 0, "c1", 0, 1),
                launch("2.0.0", 7, 0, LaunchState.RUNNING),
                launch("2.0.0", 7, 0, LaunchState.REFUSED),
                launch("3.0.0", 7, 0, LaunchState.RUNNING),
                node("4.0.0", 7, 0, "c1", 0, 1)));
    Random random = new Random(1);
    for (int round = 0; round < 20; round++) {
      Collections.shuffle(arrivals, random);
      List<Arrival> all = arrivals;
      int cut = random.nextInt(all.size());
      store.store(all.subList(0, cut));
      store.store(all.subList(cut, all.size()));
      Map<String, LaunchState> states = new TreeMap<>();
      launches(LaunchFilter.all(), ALL)
          .forEach(launch -> states.put(launch.key().launch(), launch.state()));
      assertThat(states)
          .containsExactly(
              Map.entry("1.0.0", LaunchState.ENDED),
              Map.entry("2.0.0", LaunchState.REFUSED),
              Map.entry("3.0.0", LaunchState.RUNNING),
              Map.entry("4.0.0", LaunchState.UNKNOWN));
      assertThat(only(filter().launch("1.0.0").build(), ALL).exitCode()).hasValue(0);
      store.close();
      open();
    }
  }

  @Test
  void whatComesTwiceIsStoredOnce() {
    List<Arrival> arrivals =
        List.of(launch("1.0.0", 7, 0, LaunchState.ENDED), node("1.0.0", 7, 0, "c1", 0, 100));
    assertThat(store.store(arrivals)).isEqualTo(new LaunchStore.Outcome(2, 0, 0, 100));
    assertThat(store.store(arrivals)).isEqualTo(new LaunchStore.Outcome(0, 2, 0, 0));
    assertThat(store.store(List.of(arrivals.get(1), arrivals.get(1))))
        .isEqualTo(new LaunchStore.Outcome(0, 2, 0, 0));
    assertThat(store.size().nodes()).isEqualTo(1);
  }

  @Test
  void theFirstRecordOfANodeWins() {
    store.store(List.of(node("1.0.0", 7, 0, "c1", 0, 2)));
    LaunchStore.Outcome second = store.store(List.of(node("1.0.0", 7, 0, "c1", 5, 4)));
    assertThat(second).isEqualTo(new LaunchStore.Outcome(0, 0, 1, 0));
    long id = only(LaunchFilter.all(), ALL).id();
    assertThat(ranks(id)).containsExactly("c1 0", "c1 1");
  }

  @Test
  void aJobNumberThatComesAgainIsAnotherLaunch() {
    store.store(
        List.of(
            launch("1.0.0", 7, 0, LaunchState.ENDED),
            launch("1.0.0", 7, DAY_NS, LaunchState.RUNNING),
            launch("1.0.0", 8, 0, LaunchState.RUNNING)));
    assertThat(launches(LaunchFilter.all(), ALL)).hasSize(3);
  }

  @Test
  void nothingOfABatchIsStoredWhenOneRecordCannotBe() {
    Arrival bad =
        new Arrival.OfNode(
            key("2.0.0", 7, 0), Optional.empty(), null, 1, "join", "{}", new byte[] {1}); // no name
    assertThatExceptionOfType(StoreException.class)
        .isThrownBy(() -> store.store(List.of(launch("1.0.0", 7, 0, LaunchState.ENDED), bad)))
        .matches(StoreException::isDataFault);
    assertThat(launches(LaunchFilter.all(), ALL)).isEmpty();
    store.store(List.of(launch("1.0.0", 7, 0, LaunchState.ENDED)));
    assertThat(launches(LaunchFilter.all(), ALL)).hasSize(1);
  }

  @Test
  void usersSeeOnlyTheirOwn() {
    store.store(
        List.of(
            launch("1.0.0", 7, 0, LaunchState.ENDED),
            node("1.0.0", 7, 0, "c1", 0, 2),
            launch("2.0.0", 8, 0, LaunchState.ENDED),
            node("2.0.0", 8, 0, "c1", 0, 3)));
    StoredLaunch others = only(LaunchFilter.all(), Viewer.user(8));
    assertThat(others.key().launch()).isEqualTo("2.0.0");
    Viewer viewer = Viewer.user(7);
    assertThat(store.launch(others.id(), viewer)).isEmpty();
    assertThat(store.launch(others.id(), Viewer.user(8))).isPresent();
    assertThat(store.nodes(others.id(), viewer, "", 10).nodes()).isEmpty();
    assertThat(store.node(others.id(), viewer, "c1")).isEmpty();
    assertThat(store.records(others.id(), viewer)).isEmpty();
    assertThat(launches(filter().uid(8).build(), viewer)).isEmpty();
    assertThat(groups(LaunchFilter.all(), viewer, Grouping.NODE)).containsOnlyKeys("c1");
    assertThat(groups(LaunchFilter.all(), viewer, Grouping.NODE).get("c1").get(Stage.RUN).count())
        .isEqualTo(2);
    assertThat(groups(LaunchFilter.all(), ALL, Grouping.NODE).get("c1").get(Stage.RUN).count())
        .isEqualTo(5);
  }

  @Test
  void filtersLetThroughWhatTheyName() {
    store.store(
        List.of(
            launch(
                "12_3.0.0", 7, 0, LaunchState.ENDED, ",\"partition\":\"gpu\",\"image_id\":\"u1\""),
            node("12_3.0.0", 7, 0, "c1", 0, 1),
            launch("123.0.0", 8, DAY_NS, LaunchState.RUNNING),
            node("123.0.0", 8, DAY_NS, "c2", 0, 1)));
    assertFound(filter().cluster("lab"), "123.0.0", "12_3.0.0");
    assertFound(filter().cluster("x"));
    assertFound(filter().uid(7), "12_3.0.0");
    assertFound(filter().user("mia"), "123.0.0", "12_3.0.0");
    assertFound(filter().image("u1"), "12_3.0.0");
    assertFound(filter().image("/images/solver.sif"), "123.0.0", "12_3.0.0");
    assertFound(filter().partition("gpu"), "12_3.0.0");
    assertFound(filter().node("c2"), "123.0.0");
    assertFound(filter().mode("join"), "123.0.0", "12_3.0.0");
    assertFound(filter().mode("auto"));
    assertFound(filter().state(LaunchState.RUNNING), "123.0.0");
    assertFound(filter().sinceNs(Records.at(0) + 1), "123.0.0");
    assertFound(filter().untilNs(Records.at(0) + 1), "12_3.0.0");
    assertFound(filter().job("12"), "123.0.0", "12_3.0.0");
    assertFound(filter().job("12_"), "12_3.0.0");
    assertFound(filter().job("%"));
    assertFound(filter().launch("123.0.0"), "123.0.0");
    assertFound(filter().job("'; drop table launch; --"));
  }

  private void assertFound(LaunchFilter.Builder filter, String... launches) {
    assertThat(launches(filter.build(), ALL))
        .extracting(launch -> launch.key().launch())
        .containsExactly(launches);
  }

  @Test
  void pagesGoFromTheNewestToTheOldestWithoutGaps() {
    List<Arrival> arrivals = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      arrivals.add(launch((100 + i) + ".0.0", 7, i / 3, LaunchState.ENDED)); // some began at once
    }
    Collections.shuffle(arrivals, new Random(3));
    store.store(arrivals);
    List<StoredLaunch> all = new ArrayList<>();
    Optional<Page.Cursor> cursor = Optional.empty();
    do {
      Page page = store.launches(LaunchFilter.all(), ALL, 4, cursor);
      assertThat(page.launches()).hasSizeLessThanOrEqualTo(4);
      all.addAll(page.launches());
      cursor = page.next().flatMap(next -> Page.Cursor.parse(next.toString()));
      // What comes in between is newer, and does not move the pages.
      store.store(List.of(launch((200 + all.size()) + ".0.0", 7, DAY_NS, LaunchState.ENDED)));
    } while (cursor.isPresent());
    assertThat(all).hasSize(25).doesNotHaveDuplicates();
    assertThat(all)
        .extracting(launch -> launch.key().begunNs())
        .isSortedAccordingTo(Collections.reverseOrder());
  }

  @Test
  void timingIsTheSameAsFromFiles() throws IOException {
    Path job = Files.createDirectories(directory.resolve("records/12"));
    List<Arrival> arrivals = new ArrayList<>();
    String text = Records.launch("12.0.0", 7, Records.at(0), "ended", 3, 900, "");
    Files.writeString(job.resolve("12.0.0.job.jsonl"), text);
    arrivals.add(launch("12.0.0", 7, 0, LaunchState.ENDED, text));
    for (int i = 0; i < 3; i++) {
      String node = Records.node("12.0.0", 7, Records.at(0), "n" + i, i * 300, 300);
      Files.writeString(job.resolve("12.0.0.node.n" + i + ".jsonl"), node);
      arrivals.add(node("12.0.0", 7, 0, "n" + i, i * 300, 300));
    }
    Collections.shuffle(arrivals, new Random(5));
    store.store(arrivals);
    long id = only(LaunchFilter.all(), ALL).id();
    LaunchTiming stored = LaunchTiming.read(store.records(id, ALL).orElseThrow(), Map::of);
    LaunchTiming read =
        LaunchTiming.read(
            new RecordDirectory(directory.resolve("records")).launches("12").getFirst(), Map::of);
    assertThat(json(stored)).isEqualTo(json(read)).contains("\"leave\"");
    LaunchTiming overall = LaunchTiming.readOverall(store.records(id, ALL).orElseThrow());
    assertThat(overall.overall()).isEqualTo(read.overall());
    assertThat(overall.remarks()).isEqualTo(read.remarks());
    assertThat(overall.nodes()).isEmpty();
    Map<String, Map<Stage, Durations.Summary>> all = groups(LaunchFilter.all(), ALL, Grouping.NONE);
    assertThat(all).containsOnlyKeys("");
    assertThat(all.get("")).isEqualTo(read.overall());
    assertThat(groups(LaunchFilter.all(), ALL, Grouping.NODE)).isEqualTo(read.nodes());
  }

  private static String json(LaunchTiming timing) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TimingJson json = new TimingJson(out)) {
      json.begin(false);
      json.launch(timing, false);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  private Connections connections(Connections.Limits limits) {
    return new Connections(url, new Properties(), limits);
  }

  private static long endless(Connection connection) throws SQLException {
    return Retention.number(
        connection,
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n");
  }

  @Test
  void anAnswerThatTakesTooLongIsBrokenOffAndOthersFollow() {
    Duration shortTime = Duration.ofMillis(300);
    try (Connections limited =
        connections(new Connections.Limits(2, 1, Duration.ofSeconds(30), shortTime))) {
      for (int i = 0; i < 3; i++) {
        assertThatExceptionOfType(StoreException.class)
            .isThrownBy(() -> limited.readFor(7, LaunchStoreContract::endless))
            .matches(failed -> failed.kind() == StoreException.Kind.TOO_SLOW);
        assertThat(limited.<Long>readFor(7, c -> Retention.number(c, "select 4711")))
            .isEqualTo(4711);
      }
    }
  }

  @Test
  void anAnswerOfManyPartsIsBrokenOffTooWhenItTakesTooLong() {
    List<Arrival> arrivals = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      arrivals.add(node("1.0.0", 7, 0, "c" + i, i, 1));
    }
    store.store(arrivals);
    store.close();
    store =
        LaunchStore.open(
            url,
            new Properties(),
            () -> now,
            new Connections.Limits(2, 1, Duration.ofSeconds(30), Duration.ofMillis(300)));
    assertThatExceptionOfType(StoreException.class)
        .isThrownBy(
            () ->
                store.stages(
                    LaunchFilter.all(),
                    Viewer.operator(7),
                    Grouping.NODE,
                    (name, launches, ranks, stages) -> sleep(Duration.ofMillis(40))))
        .matches(failed -> failed.kind() == StoreException.Kind.TOO_SLOW);
    assertThat(groups(LaunchFilter.all(), ALL, Grouping.NODE)).hasSize(100);
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException never) {
      throw new IllegalStateException(never);
    }
  }

  @Test
  void nobodysQuestionsStopThoseOfOthersOrTheDaemonsOwn() throws InterruptedException {
    try (Connections shared =
        connections(new Connections.Limits(3, 2, Duration.ofMillis(500), Duration.ofSeconds(20)))) {
      List<Thread> slow = new ArrayList<>();
      CountDownLatch begun = new CountDownLatch(2);
      CountDownLatch end = new CountDownLatch(1);
      for (int i = 0; i < 2; i++) {
        slow.add(
            Thread.ofVirtual()
                .start(
                    () ->
                        shared.readFor(
                            7,
                            connection -> {
                              begun.countDown();
                              await(end);
                              return null;
                            })));
      }
      begun.await();
      assertThatExceptionOfType(StoreException.class)
          .isThrownBy(() -> shared.readFor(7, c -> 1))
          .matches(failed -> failed.kind() == StoreException.Kind.BUSY);
      assertThat(shared.<Integer>readFor(8, c -> 2)).isEqualTo(2);
      assertThat(shared.<Integer>read(c -> 3)).isEqualTo(3);
      assertThat(shared.<Integer>readFor(Viewer.DAEMON, c -> 5)).isEqualTo(5);
      end.countDown();
      for (Thread each : slow) {
        each.join();
      }
      assertThat(shared.<Integer>readFor(7, c -> 4)).isEqualTo(4);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException never) {
      throw new IllegalStateException(never);
    }
  }

  @Test
  void databasesAreNotAskedByVirtualThreads() throws InterruptedException {
    try (Connections some = connections(Connections.Limits.USUAL)) {
      List<Boolean> virtual = new ArrayList<>();
      Thread asking =
          Thread.ofVirtual()
              .start(() -> virtual.add(some.readFor(7, c -> Thread.currentThread().isVirtual())));
      asking.join();
      assertThat(virtual).containsExactly(false);
    }
  }

  @Test
  void pagesAreSmallerWhereRecordsAreLarge() {
    String large = "x".repeat(4_000);
    List<Arrival> arrivals = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      arrivals.add(launch(i + ".0.0", 7, i, LaunchState.ENDED, ",\"command\":\"" + large + "\""));
    }
    for (int i = 0; i < 40; i++) {
      Arrival.OfNode plain = (Arrival.OfNode) node("1.0.0", 7, 1, "c" + (10 + i), i, 1);
      arrivals.add(
          new Arrival.OfNode(
              plain.key(),
              plain.user(),
              plain.node(),
              plain.ranks(),
              plain.mode(),
              plain.record().replaceFirst("}$", ",\"x\":\"" + large.repeat(15) + "\"}"),
              plain.ranksData()));
    }
    store.store(arrivals);
    Page first = store.launches(LaunchFilter.all(), ALL, 1_000, Optional.empty());
    assertThat(first.launches()).hasSizeBetween(200, 300);
    Page second = store.launches(LaunchFilter.all(), ALL, 1_000, first.next());
    assertThat(second.next()).isEmpty();
    assertThat(second.launches()).hasSize(400 - first.launches().size());
    long id = only(filter().launch("1.0.0").build(), ALL).id();
    StoredNode.Page nodes = store.nodes(id, ALL, "", 1_000);
    assertThat(nodes.more()).isTrue();
    assertThat(nodes.nodes()).hasSizeBetween(15, 20);
    StoredNode.Page others = store.nodes(id, ALL, nodes.nodes().getLast().node(), 1_000);
    assertThat(others.nodes()).hasSizeBetween(15, 20);
    assertThat(ranks(id)).as("read in parts").hasSize(40);
  }

  @Test
  void someOfTheNodesAreRead() {
    List<Arrival> arrivals = new ArrayList<>(List.of(launch("1.0.0", 7, 0, LaunchState.ENDED)));
    for (int i = 0; i < 9; i++) {
      arrivals.add(node("1.0.0", 7, 0, "c" + i, i * 10, 10));
    }
    store.store(arrivals);
    long id = only(LaunchFilter.all(), ALL).id();
    NodeRange range = store.range(id, ALL, "c1", 1_000, 25);
    assertThat(range).isEqualTo(new NodeRange("", "c1", "c4"));
    assertThat(nodesOf(id, range)).containsExactly("c2", "c3", "c4");
    assertThat(store.range(id, ALL, "c1", 2, 1_000)).isEqualTo(new NodeRange("", "c1", "c3"));
    assertThat(store.range(id, ALL, "", 1_000, 1)).isEqualTo(new NodeRange("", "", "c0"));
    NodeRange rest = store.range(id, ALL, "c6", 2, 1_000);
    assertThat(rest.isCut()).isFalse();
    assertThat(nodesOf(id, rest)).containsExactly("c7", "c8");
    assertThat(nodesOf(id, NodeRange.of("c5"))).containsExactly("c5");
    assertThat(nodesOf(id, NodeRange.ALL)).hasSize(9);
    assertThat(store.range(id, Viewer.user(8), "", 2, 1_000).isCut()).isFalse();
  }

  private List<String> nodesOf(long id, NodeRange range) {
    return List.copyOf(
        LaunchTiming.read(store.records(id, ALL, range).orElseThrow(), Map::of).nodes().keySet());
  }

  @Test
  void stagesAreGroupedByImagePartitionModeAndDay() {
    store.store(
        List.of(
            launch("1.0.0", 7, 0, LaunchState.ENDED, ",\"partition\":\"gpu\""),
            node("1.0.0", 7, 0, "c1", 0, 2),
            node("1.0.0", 7, 0, "c2", 2, 2),
            launch("2.0.0", 7, DAY_NS, LaunchState.ENDED, ",\"partition\":\"gpu\""),
            node("2.0.0", 7, DAY_NS, "c1", 0, 3),
            launch("3.0.0", 7, DAY_NS, LaunchState.RUNNING),
            node("4.0.0", 7, DAY_NS, "c9", 0, 5)));
    Map<String, Map<Stage, Durations.Summary>> partitions =
        groups(LaunchFilter.all(), ALL, Grouping.PARTITION);
    assertThat(partitions).containsOnlyKeys("", "gpu");
    assertThat(partitions.get("gpu").get(Stage.SPAWN).count()).isEqualTo(7);
    assertThat(partitions.get("gpu").get(Stage.PREPARE).count()).isEqualTo(2);
    assertThat(partitions.get("gpu").get(Stage.LEAVE).count()).isEqualTo(2);
    assertThat(partitions.get("").get(Stage.BIND).count()).isEqualTo(5);
    assertThat(partitions.get("").get(Stage.PREPARE).count()).isEqualTo(1);
    assertThat(partitions.get("")).doesNotContainKey(Stage.SPAWN); // asked when: not known
    assertThat(groups(LaunchFilter.all(), ALL, Grouping.DAY))
        .containsOnlyKeys("2027-01-15", "2027-01-16");
    assertThat(groups(LaunchFilter.all(), ALL, Grouping.IMAGE))
        .containsOnlyKeys("", "/images/solver.sif");
    assertThat(groups(LaunchFilter.all(), ALL, Grouping.MODE)).containsOnlyKeys("join", "auto");
    Map<String, Map<Stage, Durations.Summary>> oneNode =
        groups(filter().node("c1").build(), ALL, Grouping.NONE);
    assertThat(oneNode.get("").get(Stage.RUN).count()).isEqualTo(5);
    assertThat(groups(filter().cluster("none").build(), ALL, Grouping.NONE)).isEmpty();
  }

  @Test
  void oldLaunchesThatAreOverAreRemoved() {
    store.store(
        List.of(
            launch("1.0.0", 7, 0, LaunchState.ENDED),
            node("1.0.0", 7, 0, "c1", 0, 2),
            launch("2.0.0", 7, 0, LaunchState.RUNNING),
            node("2.0.0", 7, 0, "c1", 0, 2),
            launch("3.0.0", 7, 0, LaunchState.RUNNING),
            node("4.0.0", 7, 0, "c1", 0, 2)));
    store.noteSlurmState(only(filter().launch("3.0.0").build(), ALL).id(), "NODE_FAIL");
    now = now.plus(Duration.ofDays(10));
    store.store(List.of(launch("5.0.0", 7, -99 * DAY_NS, LaunchState.ENDED))); // a clock that lags
    assertThat(store.removeOlderThan(Duration.ofDays(11), () -> true)).isZero();
    assertThat(store.removeOlderThan(Duration.ofDays(9), () -> true)).isEqualTo(3);
    assertThat(launches(LaunchFilter.all(), ALL))
        .extracting(launch -> launch.key().launch())
        .containsExactly("2.0.0", "5.0.0");
    assertThat(store.size().nodes()).isEqualTo(1);
  }

  @Test
  void theOldestGoUntilTheStoreIsSmallEnough() {
    for (int i = 0; i < 40; i++) {
      now = now.plusSeconds(1);
      String id = (100 + i) + ".0.0";
      store.store(
          List.of(
              launch(id, 7, i, LaunchState.ENDED),
              node(id, 7, i, "c1", 0, 1_000),
              node(id, 7, i, "c2", 1_000, 1_000)));
    }
    long bytes = store.size().bytes();
    long removed = store.removeToFit(bytes / 2, () -> true);
    assertThat(store.size().bytes()).isLessThanOrEqualTo(bytes / 2);
    assertThat(removed).isBetween(15L, 30L);
    List<StoredLaunch> left = launches(LaunchFilter.all(), ALL);
    assertThat(left).hasSize(40 - (int) removed);
    assertThat(left.getLast().key().launch()).isEqualTo((100 + removed) + ".0.0");
    assertThat(store.size().nodes()).isEqualTo(2L * left.size());
    assertThat(store.removeToFit(bytes, () -> true)).isZero();
  }

  @Test
  void whoWritesManyRecordsPushesOutNobodyElses() {
    store.store(List.of(launch("1.0.0", 8, 0, LaunchState.ENDED), node("1.0.0", 8, 0, "c1", 0, 9)));
    for (int i = 0; i < 60; i++) {
      now = now.plusSeconds(1);
      String id = (100 + i) + ".0.0";
      LaunchState state = i % 2 == 0 ? LaunchState.ENDED : LaunchState.RUNNING;
      store.store(List.of(launch(id, 7, i, state), node(id, 7, i, "c1", 0, 2_000)));
    }
    for (int i = 0; i < 20; i++) {
      String id = (200 + i) + ".0.0";
      store.store(List.of(launch(id, 9, i, LaunchState.ENDED), node(id, 9, i, "c1", 0, 2_000)));
    }
    long bytes = store.size().bytes();
    assertThat(store.removeToFit(bytes * 8 / 10, () -> true)).isBetween(10L, 25L);
    assertThat(launches(filter().uid(8).build(), ALL)).hasSize(1);
    assertThat(launches(filter().uid(9).build(), ALL)).hasSize(20);
    assertThat(launches(filter().uid(7).state(LaunchState.RUNNING).build(), ALL))
        .as("what is over goes first")
        .hasSize(30);
    assertThat(store.removeToFit(bytes * 2 / 10, () -> true)).isGreaterThan(40L);
    assertThat(store.size().bytes()).isLessThanOrEqualTo(bytes * 2 / 10);
    assertThat(launches(filter().uid(8).build(), ALL)).hasSize(1);
    List<StoredLaunch> left = launches(filter().uid(7).build(), ALL);
    assertThat(left).hasSizeBetween(1, 14);
    assertThat(left).extracting(launch -> launch.key().launch()).contains("159.0.0");
    assertThat(launches(filter().uid(9).build(), ALL))
        .hasSizeBetween(left.size() - 1, left.size() + 1);
    assertUsageIsRight();
  }

  @Test
  void whatEachUserHasIsCountedWithEveryChange() {
    Random random = new Random(7);
    List<Arrival> arrivals = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String id = i + ".0.0";
      int uid = 7 + i % 3;
      arrivals.add(launch(id, uid, 0, LaunchState.RUNNING, ",\"command\":\"ä\""));
      arrivals.add(launch(id, uid, 0, LaunchState.ENDED));
      arrivals.add(node(id, uid, 0, "c1", 0, 5));
      arrivals.add(node(id, uid, 0, "c1", 0, 6)); // only one of the two
    }
    Collections.shuffle(arrivals, random);
    for (int from = 0; from < arrivals.size(); ) {
      int to = Math.min(arrivals.size(), from + random.nextInt(30));
      store.store(arrivals.subList(from, to));
      store.store(arrivals.subList(0, to));
      from = to;
    }
    assertUsageIsRight();
    assertThat(store.size().nodes()).isEqualTo(40);
    now = now.plus(Duration.ofDays(10));
    store.store(List.of(launch("99.0.0", 8, 0, LaunchState.ENDED)));
    assertThat(store.removeOlderThan(Duration.ofDays(9), () -> true)).isEqualTo(40);
    assertUsageIsRight();
    assertThat(store.size().nodes()).isZero();
  }

  /** As if it were counted anew. */
  private void assertUsageIsRight() {
    assertThat(
            number(
                "select count(*) from user_usage u where bytes <> (select coalesce(sum("
                    + UserUsage.BYTES
                    + "), 0) from launch l where l.uid = u.uid)"
                    + " or nodes <> (select count(*) from node n join launch l on l.id = n.launch_id"
                    + " where l.uid = u.uid)"))
        .isZero();
    assertThat(number("select count(distinct uid) from launch"))
        .isLessThanOrEqualTo(number("select count(*) from user_usage"));
  }

  /** The one number that a query on the database itself gives. */
  private long number(String sql) {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    } catch (SQLException failed) {
      throw new IllegalStateException(failed);
    }
  }

  @Test
  void whatNobodyCanBeAskedAboutIsLostAfterAWhile() {
    Arrival elsewhere = elsewhere("1.0.0", LaunchState.RUNNING);
    store.store(List.of(elsewhere, launch("2.0.0", 7, 0, LaunchState.RUNNING)));
    now = now.plus(Duration.ofDays(29));
    Duration month = Duration.ofDays(30);
    assertThat(store.giveUpElsewhere("lab", month, () -> true)).isZero();
    now = now.plus(Duration.ofDays(2));
    assertThat(store.giveUpElsewhere("lab", month, () -> true)).isEqualTo(1);
    assertThat(store.giveUpElsewhere("lab", month, () -> true)).isZero();
    assertThat(only(filter().cluster("elsewhere").build(), ALL).slurmState()).contains("lost");
    assertThat(only(filter().cluster("lab").build(), ALL).slurmState()).isEmpty();
    now = now.plus(Duration.ofDays(401));
    assertThat(store.removeOlderThan(Duration.ofDays(400), () -> true)).isEqualTo(1);
    store.store(List.of(elsewhere));
    now = now.plus(Duration.ofDays(31));
    assertThat(store.giveUpElsewhere("lab", month, () -> true)).isEqualTo(1);
    store.store(List.of(elsewhere("1.0.0", LaunchState.ENDED)));
    StoredLaunch heardOf = only(filter().cluster("elsewhere").build(), ALL);
    assertThat(heardOf.state()).isEqualTo(LaunchState.ENDED);
    assertThat(heardOf.slurmState()).as("its own record says more").isEmpty();
  }

  private Arrival elsewhere(String id, LaunchState state) {
    Arrival.OfLaunch here = (Arrival.OfLaunch) launch(id, 7, 0, state);
    return new Arrival.OfLaunch(
        new LaunchKey("elsewhere", 7, id, here.key().begunNs()),
        here.user(),
        state,
        here.exitCode(),
        here.nodes(),
        here.ranks(),
        here.partition(),
        here.image(),
        here.imageId(),
        here.command(),
        here.mode(),
        here.mpi(),
        here.scriptNs(),
        here.times(),
        here.record());
  }

  @Test
  void openLaunchesAreThoseWhoseEndNobodyHasTold() {
    store.store(
        List.of(
            launch("1.0.0", 7, 0, LaunchState.RUNNING),
            launch("2.0.0", 7, 0, LaunchState.ENDED),
            node("3.0.0", 7, 0, "c1", 0, 1),
            launch("4.0.0", 7, 0, LaunchState.RUNNING),
            launch("5.0.0", 8, 0, LaunchState.RUNNING),
            elsewhere("6.0.0", LaunchState.RUNNING)));
    assertThat(open(10)).containsExactlyInAnyOrder("1.0.0", "3.0.0", "4.0.0", "5.0.0");
    assertThat(open(1)).hasSize(2).contains("5.0.0").containsAnyOf("1.0.0", "3.0.0");
    noteSlurmState("4.0.0", "RUNNING");
    noteSlurmState("1.0.0", "NODE_FAIL");
    noteSlurmState("2.0.0", "RUNNING");
    assertThat(open(10)).containsExactlyInAnyOrder("3.0.0", "4.0.0", "5.0.0");
    store.store(
        List.of(
            launch("3.0.0", 7, 0, LaunchState.RUNNING),
            launch("4.0.0", 7, 0, LaunchState.REFUSED)));
    assertThat(open(10)).containsExactlyInAnyOrder("3.0.0", "5.0.0");
  }

  private List<String> open(int perUser) {
    return store.open("lab", perUser).stream().map(open -> open.key().launch()).toList();
  }

  private void noteSlurmState(String launch, String state) {
    store.noteSlurmState(only(filter().launch(launch).build(), ALL).id(), state);
  }

  /** The migration knows the same states for ends as the code. */
  @Test
  void aStoreOfTheFirstVersionIsBroughtUpToDate() throws SQLException, IOException {
    List<String> states =
        List.of(
            "BOOT_FAIL",
            "CANCELLED",
            "COMPLETED",
            "CONFIGURING",
            "COMPLETING",
            "DEADLINE",
            "FAILED",
            "NODE_FAIL",
            "OUT_OF_MEMORY",
            "PENDING",
            "PREEMPTED",
            "REQUEUED",
            "REVOKED",
            "RUNNING",
            "STOPPED",
            "SUSPENDED",
            "TIMEOUT",
            "lost");
    store.close();
    url = database.newUrl(Files.createDirectory(directory.resolve("old")));
    makeTheFirstVersion();
    try (Connection connection = DriverManager.getConnection(url);
        Statement insert = connection.createStatement()) {
      for (int i = 0; i < states.size(); i++) {
        insert.execute(
            "insert into launch (cluster, uid, launch, begun_ns, job, state, slurm_state,"
                + " updated_ns, record) values ('lab', 7, '%d.0.0', %d, '%d', 'running', '%s', 5, '{}')"
                    .formatted(i, i, i, states.get(i)));
      }
      insert.execute(
          "insert into launch (cluster, uid, launch, begun_ns, job, state, updated_ns, record)"
              + " values ('lab', 8, '100.0.0', 1, '100', 'ended', 5, '{\"a\":\"ä\"}'),"
              + " ('lab', 8, '101.0.0', 1, '101', 'unknown', 5, null),"
              + " ('lab', 9, '102.0.0', 1, '102', 'running', 5, '{}')");
    }
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement insert =
            connection.prepareStatement(
                "insert into node (launch_id, node, ranks, record, ranks_data)"
                    + " select id, ?, 1, '{}', ? from launch where uid = 8")) {
      for (String node : List.of("c1", "c2")) {
        insert.setString(1, node);
        insert.setBytes(2, new byte[] {1, 0, 0});
        insert.executeUpdate();
      }
    }
    store = LaunchStore.open(url, new Properties(), () -> now);
    assertUsageIsRight();
    assertThat(store.size().nodes()).isEqualTo(4);
    List<String> expected = new ArrayList<>(List.of("101.0.0", "102.0.0"));
    for (int i = 0; i < states.size(); i++) {
      if (!JobState.isEnd(states.get(i))) {
        expected.add(i + ".0.0");
      }
    }
    assertThat(expected).hasSize(2 + 6);
    assertThat(open(100)).containsExactlyInAnyOrderElementsOf(expected);
    store.store(List.of(launch("200.0.0", 7, 0, LaunchState.ENDED)));
    store.removeToFit(0, () -> true);
    assertThat(launches(LaunchFilter.all(), ALL)).isEmpty();
  }

  /** As a hpcrund made it that knew the first migration only. */
  private void makeTheFirstVersion() throws SQLException, IOException {
    LaunchStore.open(url, new Properties(), () -> now).close(); // makes the file
    Dialect dialect = Dialect.of(url);
    try (InputStream in = LaunchStore.class.getResourceAsStream("migrations/001.sql");
        Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (String table : List.of("launch", "node", "removed", "user_usage")) {
        statement.execute("drop table " + table);
      }
      statement.execute("delete from schema_version where version > 1");
      String first = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      for (String each : dialect.ddl(first).replaceAll("(?m)^--.*$", "").split(";")) {
        if (!each.isBlank()) {
          statement.execute(each);
        }
      }
    }
  }

  @Test
  void aRemovalThatWasCutShortIsTakenUpAgain() {
    store.store(List.of(launch("1.0.0", 7, 0, LaunchState.ENDED), node("1.0.0", 7, 0, "c1", 0, 2)));
    now = now.plus(Duration.ofDays(10));
    int[] asked = {0};
    store.removeOlderThan(Duration.ofDays(1), () -> ++asked[0] <= 2); // no time for the nodes
    assertThat(launches(LaunchFilter.all(), ALL)).isEmpty();
    assertThat(number("select count(*) from node")).isEqualTo(1);
    assertThat(store.size().nodes()).isZero(); // they are nobody's any more
    store.removeOlderThan(Duration.ofDays(1), () -> true);
    assertThat(number("select count(*) from node")).isZero();
  }

  @Test
  void aNewerSchemaIsRefused() throws SQLException {
    store.close();
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute("insert into schema_version (version, applied_ns) values (99, 0)");
    }
    store = null;
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> LaunchStore.open(url, new Properties(), () -> now))
        .withMessageMatching("the store's schema has version 99, and this hpcrund knows [2-9]\\d?");
  }

  @Test
  void howRanksReallyEnteredIsNotedAsNodesTellIt() {
    store.store(
        List.of(launch("1.0.0", 7, 0, LaunchState.RUNNING), node("1.0.0", 7, 0, "c1", "sharens")));
    assertThat(only(LaunchFilter.all(), ALL).entered()).contains("sharens");
    store.store(
        List.of(
            node("1.0.0", 7, 0, "c2", "exec"),
            node("1.0.0", 7, 0, "c3", "exec"),
            node("1.0.0", 7, 0, "c4", ""),
            node("1.0.0", 7, 0, "c1", "join"), // of a node that has told already
            launch("1.0.0", 7, 0, LaunchState.ENDED)));
    assertThat(only(filter().mode("exec and sharens").build(), ALL).mode()).contains("auto");
    for (char more = 'a'; more <= 'z'; more++) {
      store.store(List.of(node("1.0.0", 7, 0, "d" + more, "" + more)));
    }
    assertThat(only(LaunchFilter.all(), ALL).entered())
        .contains("a and b and c and d and e and exec and f and sharens");
  }

  private static Arrival node(String id, long uid, long begun, String node, String mode) {
    Arrival.OfNode made = (Arrival.OfNode) node(id, uid, begun, node, 0, 1);
    return new Arrival.OfNode(
        made.key(), made.user(), node, made.ranks(), mode, made.record(), made.ranksData());
  }

  @Test
  void aStoreThatIsThereIsOpenedAgain() {
    store.store(List.of(launch("1.0.0", 7, 0, LaunchState.ENDED)));
    store.close();
    store = LaunchStore.open(url, new Properties(), () -> now);
    assertThat(launches(LaunchFilter.all(), ALL)).hasSize(1);
    assertThat(store.size().launches()).containsExactly(Map.entry(LaunchState.ENDED, 1L));
  }

  @Test
  void readersSeeOneStateWhileAnotherIsWritten() {
    store.store(List.of(launch("1.0.0", 7, 0, LaunchState.ENDED), node("1.0.0", 7, 0, "c1", 0, 2)));
    List<String> seen = new ArrayList<>();
    store.stages(
        LaunchFilter.all(),
        ALL,
        Grouping.IMAGE,
        (name, launches, ranks, stages) -> {
          store.store(List.of(node("1.0.0", 7, 0, "c2", 2, 2)));
          seen.add(name + " " + launches + " " + ranks);
        });
    assertThat(seen).containsExactly("/images/solver.sif 1 2");
    assertThat(store.size().nodes()).isEqualTo(2);
  }

  List<StoredLaunch> launches(LaunchFilter filter, Viewer viewer) {
    return store.launches(filter, viewer, 1_000, Optional.empty()).launches();
  }

  private StoredLaunch only(LaunchFilter filter, Viewer viewer) {
    List<StoredLaunch> found = launches(filter, viewer);
    assertThat(found).hasSize(1);
    return found.getFirst();
  }

  private Map<String, Map<Stage, Durations.Summary>> groups(
      LaunchFilter filter, Viewer viewer, Grouping grouping) {
    Map<String, Map<Stage, Durations.Summary>> groups = new TreeMap<>();
    store.stages(
        filter,
        viewer,
        grouping,
        (name, launches, ranks, stages) -> assertThat(groups.put(name, stages)).isNull());
    return groups;
  }

  private List<String> ranks(long id) {
    List<String> ranks = new ArrayList<>();
    LaunchTiming.read(
        store.records(id, ALL).orElseThrow(),
        Map::of,
        rank -> ranks.add(rank.node() + " " + rank.rank()));
    return ranks;
  }

  private static LaunchFilter.Builder filter() {
    return LaunchFilter.builder();
  }

  private static LaunchKey key(String id, long uid, long begun) {
    return new LaunchKey("lab", uid, id, Records.at(0) + begun);
  }

  static Arrival launch(String id, long uid, long begun, LaunchState state) {
    return launch(id, uid, begun, state, "");
  }

  /** A launch with further members, or with a whole record. */
  private static Arrival launch(String id, long uid, long begun, LaunchState state, String more) {
    String text =
        more.startsWith("{")
            ? more
            : Records.launch(
                id,
                uid,
                Records.at(0) + begun,
                state.label(),
                2,
                5,
                ",\"image\":\"/images/solver.sif\",\"mode\":\"auto\"" + more);
    Arrival[] arrival = new Arrival[1];
    read(
        text,
        new RecordReader.Lines() {
          @Override
          public void head(RecordLine line) {
            arrival[0] =
                new Arrival.OfLaunch(
                    key(id, uid, begun),
                    Optional.of("mia"),
                    state,
                    line.number("exit"),
                    line.number("nodes"),
                    line.number("ranks"),
                    line.text("partition"),
                    line.text("image"),
                    line.text("image_id"),
                    line.text("command"),
                    line.text("mode"),
                    line.text("mpi"),
                    line.number("script_ns"),
                    LaunchTimes.of(line),
                    text.strip());
          }

          @Override
          public void rank(RankLine line) {
            throw new AssertionError();
          }
        });
    return arrival[0];
  }

  static Arrival node(String id, long uid, long begun, String node, int first, int ranks) {
    String text = Records.node(id, uid, Records.at(0) + begun, node, first, ranks);
    RankColumns.Encoder encoder = new RankColumns.Encoder();
    read(
        text,
        new RecordReader.Lines() {
          @Override
          public void head(RecordLine line) {
            assertThat(line.text("node")).isEqualTo(node);
          }

          @Override
          public void rank(RankLine line) {
            encoder.add(line);
          }
        });
    return new Arrival.OfNode(
        key(id, uid, begun),
        Optional.empty(),
        node,
        encoder.count(),
        "join",
        text.substring(0, text.indexOf('\n')),
        encoder.packed());
  }

  private static void read(String text, RecordReader.Lines lines) {
    try {
      RecordReader.trusting().read(text.getBytes(StandardCharsets.UTF_8), lines);
    } catch (IOException broken) {
      throw new AssertionError(broken);
    }
  }
}
