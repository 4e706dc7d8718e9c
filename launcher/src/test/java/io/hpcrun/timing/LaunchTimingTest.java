package io.hpcrun.timing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.data.Percentage.withPercentage;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchTimingTest {
  private static final long MS = 1_000_000;
  private static final long START = 1_800_000_000;
  private static final long T0 = START * 1_000 * MS;

  @TempDir private Path directory;

  @Test
  void computesEachStageOfEachNode() throws IOException {
    launch("12", "");
    node("12", "c1", 30, 40, rank(0, 110, 111, 500), rank(1, 130, 132, 520));
    node("12", "c2", 31, 41, rank(2, 140, 141, 540));
    List<LaunchTiming.Rank> ranks = new ArrayList<>();
    LaunchTiming timing = read("12", ranks);

    Durations.Summary spawn = timing.overall().get(Stage.SPAWN);
    assertThat(spawn.count()).isEqualTo(3);
    assertThat(spawn.minimum()).isEqualTo(10 * MS);
    assertThat(spawn.maximum()).isEqualTo(40 * MS);
    assertThat(spawn.slowestNode()).isEqualTo("c2");
    assertThat(spawn.slowestRank()).isEqualTo(2);
    assertThat(spawn.median()).isBetween(29 * MS, 31 * MS);
    assertThat(timing.nodes().get("c1").get(Stage.RUN).count()).isEqualTo(2);
    for (Map<Stage, Durations.Summary> node : timing.nodes().values()) {
      assertThat(node).containsOnlyKeys(Stage.CHECK, Stage.SPAWN, Stage.BIND, Stage.RUN);
    }
    assertThat(timing.nodes().get("c2").get(Stage.CHECK).maximum()).isEqualTo(10 * MS);
    assertThat(timing.overall().get(Stage.QUEUE).maximum()).isEqualTo(5_000 * MS);
    assertThat(timing.overall().get(Stage.SCRIPT).maximum()).isEqualTo(20 * MS);
    assertThat(timing.overall().get(Stage.PREPARE).maximum()).isEqualTo(60 * MS);
    assertThat(timing.overall().get(Stage.LEAVE).maximum()).isEqualTo(60 * MS);
    assertThat(ranks).hasSize(3);
  }

  @Test
  void otherNodesClocksMakeSpawnUncertain() throws IOException {
    launch("12", "");
    node("12", "c1", 30, 40, rank(0, 110, 111, 500));
    node("12", "c2", 30, 50, rank(1, 110, 111, 500));
    Map<String, Map<Stage, Durations.Summary>> nodes = read("12", new ArrayList<>()).nodes();
    assertThat(nodes.get("c1").get(Stage.SPAWN).uncertainty()).isZero();
    // c2 was checked at 30 to 50 ms, between the asking at 20 and the answer at 80.
    assertThat(nodes.get("c2").get(Stage.SPAWN).uncertainty()).isEqualTo(30 * MS);
  }

  @Test
  void saysWhenClocksDisagree() throws IOException {
    launch("12", "");
    node("12", "c2", 5_030, 5_040, rank(0, 5_110, 5_111, 5_500));
    assertThat(read("12", new ArrayList<>()).remarks())
        .containsExactly(
            "the clock of c2 is ahead by at least 4.96 s: stages across nodes are off by that"
                + " much",
            "1 of 2 nodes left a record");
  }

  @Test
  void saysHowEachNodesRanksEntered() throws IOException {
    launch("12", ",\"mode\":\"auto\"");
    nodeLine("12", "c1", "\"mode\":\"join\"");
    nodeLine("12", "c2", "\"mode\":\"exec\",\"mode_reason\":\"nsenter is missing\"");
    LaunchTiming timing = read("12", new ArrayList<>());
    assertThat(timing.texts().get("mode")).isEqualTo("exec and join");
    assertThat(timing.remarks()).contains("mode exec: nsenter is missing (c2)");
  }

  @Test
  void measuresTheNodesStages() throws IOException {
    launch("12", "");
    nodeLine(
        "12",
        "c1",
        "\"stage_begin_ns\":1000000,\"stage_end_ns\":3000000,\"hold_begin_ns\":3000000,\"hold_end_ns\":9000000,"
            + "\"probe_begin_ns\":7000000,\"probe_end_ns\":8000000,\"release_begin_ns\":1000000,\"release_end_ns\":5000000");
    Map<Stage, Durations.Summary> stages = read("12", new ArrayList<>()).overall();
    assertThat(stages.get(Stage.STAGE).maximum()).isEqualTo(2 * MS);
    assertThat(stages.get(Stage.HOLD).maximum()).isEqualTo(6 * MS);
    assertThat(stages.get(Stage.ENTER).maximum()).isEqualTo(MS);
    assertThat(stages.get(Stage.TEARDOWN).maximum()).isEqualTo(4 * MS);
  }

  private void nodeLine(String job, String node, String members) throws IOException {
    Files.writeString(
        directory.resolve(job + "/" + job + ".0.0.node." + node + ".jsonl"),
        "{\"type\":\"node\",\"node\":\"" + node + "\"," + members + "}\n");
  }

  @Test
  void aStageThatWasNotMeasuredIsAbsent() throws IOException {
    Files.createDirectories(directory.resolve("12"));
    Files.writeString(
        directory.resolve("12/12.0.0.job.jsonl"),
        "{\"type\":\"launch\",\"launch\":\"12.0.0\",\"state\":\"running\",\"nodes\":1}\n");
    assertThat(read("12", new ArrayList<>()).overall()).isEmpty();
  }

  @Test
  void anEndBeforeItsBeginningIsAbsent() throws IOException {
    launch("12", "");
    node("12", "c2", 30, 40, rank(0, 90, 91, 80));
    assertThat(read("12", new ArrayList<>()).overall())
        .doesNotContainKeys(Stage.SPAWN, Stage.RUN)
        .containsKey(Stage.BIND);
  }

  @Test
  void accountingFillsInWhatTheRecordLacks() throws IOException {
    Files.createDirectories(directory.resolve("12"));
    Files.writeString(
        directory.resolve("12/12.0.0.job.jsonl"), "{\"type\":\"launch\",\"launch\":\"12.0.0\"}\n");
    LaunchTiming timing =
        LaunchTiming.read(
            new RecordDirectory(directory).launches("12").getFirst(),
            () -> Map.of("submit_s", 10L, "start_s", 12L),
            rank -> {});
    assertThat(timing.overall().get(Stage.QUEUE).maximum()).isEqualTo(2_000 * MS);
  }

  @Test
  void anArraysElementsAreItsLaunches() throws IOException {
    for (String element : List.of("7_0", "7_2", "7_10")) {
      launch(element, "");
    }
    launch("71", "");
    RecordDirectory records = new RecordDirectory(directory);
    assertThat(records.launches("7"))
        .extracting(RecordDirectory.Launch::id)
        .containsExactly("7_0.0.0", "7_2.0.0", "7_10.0.0");
    assertThat(records.launches("7_2")).hasSize(1);
    assertThat(records.launches("8")).isEmpty();
  }

  @Test
  void theNewestJobIsTheOneThatRecordedLast() throws IOException {
    RecordDirectory records = new RecordDirectory(directory);
    assertThat(new RecordDirectory(directory.resolve("none")).newestJob()).isEmpty();
    assertThat(records.newestJob()).isEmpty();
    long second = 1;
    for (String job : List.of("12", "7_10", "notes", "9")) {
      Files.createDirectories(directory.resolve(job));
      Files.setLastModifiedTime(
          directory.resolve(job), FileTime.fromMillis(1_000 * (job.equals("9") ? 0 : second++)));
    }
    assertThat(records.newestJob()).contains("7");
  }

  @Test
  void halfWrittenFilesAreNotRead() throws IOException {
    launch("12", "");
    Files.writeString(directory.resolve("12/12.0.0.node.c1.jsonl.tmp.99"), "{\"type\":");
    assertThat(read("12", new ArrayList<>()).nodes()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"launch\",",
        "[]",
        "null",
        "1",
        "{\"a\":1}]",
        "{",
        "\u0000",
        "{\"a\":1e999999}x"
      })
  void aBrokenRecordIsAFailureThatNamesIt(String content) throws IOException {
    Files.createDirectories(directory.resolve("12"));
    Files.writeString(directory.resolve("12/12.0.0.job.jsonl"), content);
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> read("12", new ArrayList<>()))
        .withMessageContaining("12.0.0.job.jsonl cannot be read");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"type\":\"rank\"}", "{\"a\":{\"b\":[1,{}]},\"rank\":null}", ""})
  void membersThatAreMissingOrStrangeAreLeftOut(String line) throws IOException {
    launch("12", ",\"new\":{\"a\":[1]},\"odd\":true,\"half\":0.5");
    Files.writeString(directory.resolve("12/12.0.0.node.c1.jsonl"), line);
    assertThat(read("12", new ArrayList<>()).overall()).containsKey(Stage.QUEUE);
  }

  @Test
  void nodesAreOrderedByTheirNumbers() {
    List<String> nodes = new ArrayList<>(List.of("c10", "c2", "c1", "b3", "c02", "c"));
    nodes.sort(new NodeOrder());
    assertThat(nodes).containsExactly("b3", "c", "c1", "c02", "c2", "c10");
  }

  @Test
  void manyDurationsHaveTheSameFiguresAsFewToATenthOfAPercent() {
    Durations durations = new Durations();
    for (int round = 0; round < 2; round++) {
      for (int count = 1; count <= 1_000; count++) {
        durations.add(1_000_000L + count * 997L, "c1", count, 0);
        Durations.Summary summary = durations.summary();
        assertThat(summary.count()).isEqualTo(count);
        assertThat(summary.minimum()).isEqualTo(1_000_997);
        assertThat(summary.maximum()).isEqualTo(1_000_000 + count * 997L);
        assertThat((double) summary.median())
            .isCloseTo(1_000_000 + (count + 1) / 2 * 997L, withPercentage(0.1));
        assertThat((double) summary.p95())
            .isCloseTo(1_000_000 + (count * 95 + 99) / 100 * 997L, withPercentage(0.1));
      }
      durations.reset();
      assertThat(durations.isEmpty()).isTrue();
    }
  }

  @Test
  void durationsAreShownWithThreeDigits() {
    assertThat(Durations.show(0)).isEqualTo("0 s");
    assertThat(Durations.show(1_234)).isEqualTo("1.23 us");
    assertThat(Durations.show(12_345_678)).isEqualTo("12.3 ms");
    assertThat(Durations.show(1_234_567_890)).isEqualTo("1.23 s");
    assertThat(Durations.show(125_000 * MS)).isEqualTo("2 min 5 s");
    assertThat(Durations.show(7_300_000 * MS)).isEqualTo("2 h 1 min");
    assertThat(Durations.show(360_000_000 * MS)).isEqualTo("4 d 4 h");
  }

  private LaunchTiming read(String job, List<LaunchTiming.Rank> ranks) {
    RecordDirectory.Launch launch = new RecordDirectory(directory).launches(job).getFirst();
    return LaunchTiming.read(launch, Map::of, ranks::add);
  }

  private void launch(String job, String more) throws IOException {
    Files.createDirectories(directory.resolve(job));
    Files.writeString(
        directory.resolve(job + "/" + job + ".0.0.job.jsonl"),
        """
        {"schema":"hpcrun.record/1","type":"launch","launch":"%s.0.0","state":"ended","nodes":2,\
        "node":"c1","submit_s":%d,"start_s":%d,"prepare_asked_ns":%d,"prepare_done_ns":%d,\
        "launch_asked_ns":%d,"launch_done_ns":%d%s}
        """
            .formatted(job, START - 5, START, at(20), at(80), at(100), at(600), more));
  }

  private void node(String job, String node, long begin, long end, String... ranks)
      throws IOException {
    Files.writeString(
        directory.resolve(job + "/" + job + ".0.0.node." + node + ".jsonl"),
        "{\"type\":\"node\",\"node\":\"%s\",\"check_begin_ns\":%d,\"check_end_ns\":%d}%n%s"
            .formatted(node, at(begin), at(end), String.join("", ranks)));
  }

  private static String rank(int rank, long begin, long exec, long end) {
    return "{\"type\":\"rank\",\"rank\":%d,\"begin_ns\":%d,\"exec_ns\":%d,\"end_ns\":%d}%n"
        .formatted(rank, at(begin), at(exec), at(end));
  }

  private static long at(long milliseconds) {
    return T0 + milliseconds * MS;
  }
}
