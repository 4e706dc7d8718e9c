package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Timing;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/**
 * {@code hpcrun run} from the command line to the application's ranks, and the timing it leaves.
 */
class FirstLaunchIT {
  private static final Pattern RANK =
      Pattern.compile("rank (\\d+) of (\\d+) on (\\S+) sum=(\\d+) library=.*");
  private static final Pattern LAUNCH = Pattern.compile("launch (\\d+)\\.0\\.0 ");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final String openmpi = lab.image("hello-openmpi");
  private final String tiny = lab.image("tiny");
  private Outcome hello;
  private String job;

  @BeforeAll
  void runHelloOnBothNodes() {
    hello =
        alice.run(
            "hpcrun",
            "run",
            "-N",
            "2",
            "-n",
            "4",
            "--ntasks-per-node=2",
            openmpi,
            "--",
            "hello-mpi");
    Matcher launch = LAUNCH.matcher(hello.error());
    assertThat(launch.find()).as("a launch in the timing of %s", hello).isTrue();
    job = launch.group(1);
  }

  @Test
  void startsAllRanksAsOneMpiJobOnBothNodes() {
    assertThat(hello.exitCode()).as("%s", hello).isZero();
    List<String> ranks = new ArrayList<>();
    List<String> hosts = new ArrayList<>();
    for (String line : hello.lines()) {
      Matcher rank = RANK.matcher(line);
      assertThat(rank.matches()).as(line).isTrue();
      ranks.add(rank.group(1));
      assertThat(rank.group(2)).as("size").isEqualTo("4");
      hosts.add(rank.group(3));
      assertThat(rank.group(4)).as("sum").isEqualTo("10");
    }
    assertThat(ranks).containsExactlyInAnyOrder("0", "1", "2", "3");
    assertThat(hosts).containsExactlyInAnyOrder("c1", "c1", "c2", "c2");
  }

  @Test
  void printsTheTimingOnStandardErrorOnly() {
    assertThat(hello.error())
        .contains("hello-openmpi.sif", "mpi pmix", "2 nodes", "4 ranks", "exit 0")
        .contains("stage", "queue", "prepare", "check", "spawn", "bind", "run");
    assertThat(hello.output()).doesNotContain("stage", "launch " + job);
  }

  @Test
  void countsEveryStageInTheJson() {
    JsonNode launch = Timing.of(alice, job).launch();
    assertThat(launch.at("/record/state").asString()).isEqualTo("ended");
    assertThat(launch.at("/record/exit").asInt()).isZero();
    assertThat(launch.at("/record/ranks").asInt()).isEqualTo(4);
    JsonNode stages = launch.get("stages");
    assertThat(stages.propertyNames())
        .contains("queue", "script", "prepare", "check", "spawn", "bind", "run");
    for (String ofTheJob : List.of("queue", "script", "prepare")) {
      assertThat(stages.at("/" + ofTheJob + "/count").asInt()).as(ofTheJob).isEqualTo(1);
    }
    assertThat(stages.at("/check/count").asInt()).isEqualTo(2);
    for (String ofRanks : List.of("spawn", "bind", "run")) {
      assertThat(stages.at("/" + ofRanks + "/count").asInt()).as(ofRanks).isEqualTo(4);
      for (String node : LabCluster.COMPUTE_NODES) {
        assertThat(launch.at("/nodes_measured/" + node + "/" + ofRanks + "/count").asInt())
            .as("%s on %s", ofRanks, node)
            .isEqualTo(2);
      }
    }
    assertThat(launch.has("ranks_ns")).as("ranks without --ranks").isFalse();
  }

  @Test
  void ordersTheFiguresOfEveryStage() {
    JsonNode stages = Timing.of(alice, job).launch().get("stages");
    stages.forEachEntry(
        (stage, figures) ->
            assertThat(figures.get("min_ns").asLong())
                .as(stage)
                .isNotNegative()
                .isLessThanOrEqualTo(figures.get("max_ns").asLong()));
    assertThat(stages.at("/run/min_ns").asLong()).as("running takes time").isPositive();
  }

  @Test
  void listsEveryRankOnRequest() {
    JsonNode ranks = Timing.of(alice, job, "--ranks").launch().get("ranks_ns");
    assertThat(ranks.valueStream().map(rank -> rank.get("rank").asInt()).sorted().toList())
        .containsExactly(0, 1, 2, 3);
    assertThat(alice.run("hpcrun", "timing", "--ranks", job).succeeded().lines())
        .filteredOn(line -> line.startsWith("rank "))
        .hasSize(4)
        .allMatch(line -> line.contains("spawn") && line.contains("run"));
  }

  @Test
  void showsTheSameTableLaterAsAtTheEndOfTheRun() {
    assertThat(alice.run("hpcrun", "timing", job).succeeded().output()).isEqualTo(hello.error());
  }

  @ParameterizedTest
  @CsvSource({"exit 7,7", "exit 255,255", "kill -9 $$,137", "kill -SEGV $$,139"})
  void endsWithTheApplicationsExitCode(String script, int expected) {
    Outcome outcome = alice.run("hpcrun", "run", tiny, "--", "sh", "-c", script);
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(expected);
    assertThat(outcome.error()).contains("exit " + expected);
  }

  @Test
  void leavesOptionsAfterTheImageToTheApplication() {
    Outcome dashed = alice.run("hpcrun", "run", openmpi, "--", "hostname", "-f");
    assertThat(dashed.exitCode()).as("%s", dashed).isZero();
    assertThat(dashed.output().strip()).isEqualTo("c1");
    Outcome plain =
        alice.run("hpcrun", "run", openmpi, "printf", "%s\\n", "-n", "--", "--help", "-N5");
    assertThat(plain.exitCode()).as("%s", plain).isZero();
    assertThat(plain.output()).isEqualTo("-n\n--\n--help\n-N5\n");
  }

  @Test
  void separatesTheStreamsWhenAskedTo() {
    Outcome outcome =
        alice.run(
            "hpcrun",
            "run",
            "-o",
            "streams.out",
            "-e",
            "streams.err",
            openmpi,
            "--",
            "sh",
            "-c",
            "echo to-out; echo to-err >&2");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.output()).isEqualTo("to-out\n");
    assertThat(outcome.errorLines()).contains("to-err");
    assertThat(alice.read("streams.out")).asString().isEqualTo("to-out\n");
    assertThat(alice.read("streams.err")).asString().isEqualTo("to-err\n");
  }

  @Test
  void joinsTheStreamsInOneFileOtherwise() {
    Outcome outcome =
        alice.run(
            "hpcrun",
            "run",
            "-o",
            "joined-%j.out",
            openmpi,
            "--",
            "sh",
            "-c",
            "echo to-out; echo to-err >&2");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.lines()).containsExactlyInAnyOrder("to-out", "to-err");
    Matcher launch = LAUNCH.matcher(outcome.error());
    assertThat(launch.find()).isTrue();
    assertThat(alice.read("joined-" + launch.group(1) + ".out")).isEqualTo(outcome.out());
  }

  @ParameterizedTest
  @CsvSource({"LC_ALL,C", "LC_ALL,de_DE.UTF-8", "JAVA_TOOL_OPTIONS,-Dx=y", "_JAVA_OPTIONS,-Xmx9m"})
  void givesTheUsersVariablesToTheJobUnchanged(String name, String value) {
    Outcome outcome = alice.with(name, value).run("hpcrun", "run", tiny, "--", "envdump");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(variables(outcome)).contains(name + "=" + value);
    assertThat(outcome.error()).doesNotContain("Picked up");
  }

  @Test
  void addsNoneOfItsOwnVariablesForTheJavaRuntime() {
    Outcome outcome =
        alice
            .without("LC_ALL")
            .without("JAVA_TOOL_OPTIONS")
            .run("hpcrun", "run", tiny, "--", "envdump");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(variables(outcome))
        .contains("HOME=/home/alice")
        .noneMatch(variable -> variable.startsWith("LC_ALL="))
        .noneMatch(variable -> variable.startsWith("JAVA_TOOL_OPTIONS="))
        .noneMatch(variable -> variable.startsWith("HPCRUN_OUTER_"));
  }

  @Test
  void readsUnicodeInTheLocaleC() {
    Outcome outcome =
        alice.with("LC_ALL", "C").run("hpcrun", "run", openmpi, "--", "echo", "größe");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.output()).isEqualTo("größe\n");
  }

  @Test
  void leavesNothingInTheTemporaryDirectories() {
    alice.run("hpcrun", "run", "-N", "2", tiny, "--", "true").succeeded();
    assertThat(alice.run("hpcrun", "run", "-N", "2", tiny, "--", "false").exitCode()).isEqualTo(1);
    assertThat(alice.run("hpcrun", "run", "-N", "2", tiny, "--", "nosuch").exitCode()).isNotZero();
    assertThat(lab.leftInTmp(List.of("login", "c1", "c2"))).isEmpty();
  }

  private static List<String> variables(Outcome outcome) {
    return List.of(outcome.output().split("\000"));
  }
}
