package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Timing;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/**
 * Images that nodes read from copies of their own: one copy a node, whatever is killed meanwhile.
 */
@Timeout(3600)
class StagingIT {
  private static final Logger LOG = LoggerFactory.getLogger(StagingIT.class);
  private static final boolean FULL = Boolean.getBoolean("hpcrun.full");
  private static final int MEGABYTES = FULL ? 300 : 30;
  private static final int ELEMENTS = FULL ? 100 : 12;
  private static final int PAIRS = FULL ? 20 : 3;

  /** So that the elements spread over both nodes, several on each at once. */
  private static final String CPUS = FULL ? "2" : "4";

  private static final String DIRECTORY = "/home/alice/staging/";
  private static final String IMAGE = DIRECTORY + "image.sif";

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");
  private final StagedCache cache = new StagedCache(lab);
  private final PausedStaging paused = new PausedStaging(lab);
  private final CaseTable table =
      new CaseTable("case", "launches", "ended with 0", "copies on c1, c2", "left", "staging");
  private String digest;

  @BeforeAll
  void makeImage() {
    lab.as("alice", "c1")
        .bash(
            """
            set -e
            rm -rf "$1" && mkdir "$1" && work=$(mktemp -d)
            apptainer build --sandbox "$work/box" "$3"
            head -c $(($2 << 20)) /dev/urandom >"$work/box/payload"
            apptainer build "$1/image.sif" "$work/box"
            mv "$work/box" "$1/sandbox"
            rm -rf "$work"
            """,
            DIRECTORY,
            String.valueOf(MEGABYTES),
            tiny)
        .succeeded();
    digest = alice.run("sha256sum", IMAGE).succeeded().output().split(" ")[0];
  }

  @AfterAll
  void cleanUpAndPrint() {
    cache.endWatch();
    cache.remove();
    alice.run("rm", "-rf", DIRECTORY).succeeded();
    LOG.info("staging of {} MiB\n{}", MEGABYTES, table);
  }

  private static String[] array(int elements, String... options) {
    List<String> words = new ArrayList<>(List.of("--array=0-" + (elements - 1), "--stage=node"));
    words.addAll(List.of(options));
    words.addAll(List.of("-o", DIRECTORY + "%A-%a.out", IMAGE, "--"));
    words.addAll(List.of("sh", "-c", "wc -c </payload"));
    return words.toArray(String[]::new);
  }

  private static String[] singles() {
    return array(ELEMENTS, "-N", "1", "-n", "1", "-c", CPUS);
  }

  /** One by one, as many may take long together. */
  private void awaitElements(String array, int elements) {
    for (int i = 0; i < elements; i++) {
      jobs.awaitEnd(array + "_" + i);
    }
  }

  /** Checks that an element ended well and has said nothing but what its ranks said. */
  private void endedWell(String array, JsonNode launch, int ranks) {
    String job = launch.at("/record/job").asString();
    String file = DIRECTORY + array + "-" + job.substring(job.indexOf('_') + 1) + ".out";
    Outcome output = alice.run("cat", file);
    assertThat(launch.at("/record/state").asString()).as("%s: %s", job, output).isEqualTo("ended");
    assertThat(launch.at("/record/exit").asInt()).as("%s: %s", job, output).isZero();
    // Under this load Slurm may try again, and say so.
    List<String> said =
        output.succeeded().lines().stream()
            .filter(
                line ->
                    !line.matches(
                        "srun: (Job \\d+ step creation temporarily disabled|Step created).*"))
            .toList();
    assertThat(said).as(job).hasSize(ranks).containsOnly(String.valueOf((long) MEGABYTES << 20));
  }

  private void row(String what, int launches, long well, List<NodeRecord> records) {
    List<Long> times = records.stream().map(NodeRecord::stagedInMs).sorted().toList();
    List<String> left = new ArrayList<>();
    for (String node : LabCluster.COMPUTE_NODES) {
      cache.files(node).stream()
          .filter(file -> !file.equals(digest + ".sif"))
          .forEach(file -> left.add(node + ":" + file.replace(digest, "DIGEST")));
    }
    table.row(
        what,
        launches,
        well,
        "begun %d, %d; finished %d, %d"
            .formatted(
                cache.begun("c1"), cache.begun("c2"), cache.finished("c1"), cache.finished("c2")),
        left,
        "%d to %d ms, median %d"
            .formatted(times.getFirst(), times.getLast(), times.get(times.size() / 2)));
  }

  @Test
  void copiesOnceToEachNodeForAllLaunches() {
    cache.watch();
    String single = jobs.submit(singles());
    String pair = jobs.submit(array(PAIRS, "-N", "2", "--ntasks-per-node=1"));
    awaitElements(single, ELEMENTS);
    awaitElements(pair, PAIRS);
    List<NodeRecord> records = new ArrayList<>(NodeRecord.of(alice, single));
    records.addAll(NodeRecord.of(alice, pair));
    List<JsonNode> launches = new ArrayList<>(Timing.of(alice, single).launches());
    launches.addAll(Timing.of(alice, pair).launches());
    long well =
        launches.stream().filter(launch -> launch.at("/record/exit").asInt(-1) == 0).count();
    row("two arrays at once", ELEMENTS + PAIRS, well, records);

    assertThat(launches).hasSize(ELEMENTS + PAIRS);
    launches.subList(0, ELEMENTS).forEach(launch -> endedWell(single, launch, 1));
    launches.subList(ELEMENTS, launches.size()).forEach(launch -> endedWell(pair, launch, 2));
    assertThat(records)
        .hasSize(ELEMENTS + 2 * PAIRS)
        .allMatch(record -> record.imageFrom().equals("node"))
        .allMatch(record -> record.stagedInMs() >= 0);
    for (String node : LabCluster.COMPUTE_NODES) {
      assertThat(records).anyMatch(record -> record.node().equals(node));
      assertThat(cache.begun(node)).as("copies to %s: %s", node, cache.events(node)).isOne();
      assertThat(cache.finished(node)).isOne();
      cache.holdsOnly(node, digest);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {PausedStaging.SEND, PausedStaging.SENT, PausedStaging.CHECK})
  void goesOnWhereTwoLaunchesAreKilledWhileTheyStage(String point) {
    cache.watch();
    paused.stopAt(point);
    String array;
    Set<String> killed;
    try {
      array = paused.submit(singles());
      String first = paused.stoppedOn("c1", point);
      String second = paused.stoppedOn("c2", point);
      killed = Set.of(array + "_" + first, array + "_" + second);
      alice.run("scancel", "-s", "KILL", array + "_" + first).succeeded();
      List<String> agents = paused.agents("c2", second);
      assertThat(agents).as("agents of the element on c2").isNotEmpty();
      lab.as("root", "c2").run("kill", "-KILL", agents.getFirst()).succeeded();
      jobs.awaitEnd(array + "_" + first);
    } finally {
      paused.goOn(point);
    }
    awaitElements(array, ELEMENTS);
    List<NodeRecord> records = NodeRecord.of(alice, array);
    List<JsonNode> others =
        Timing.of(alice, array).launches().stream()
            .filter(launch -> !killed.contains(launch.at("/record/job").asString()))
            .toList();
    long well = others.stream().filter(launch -> launch.at("/record/exit").asInt(-1) == 0).count();
    row("two killed: " + point, ELEMENTS, well, records);

    assertThat(others).hasSize(ELEMENTS - 2).allSatisfy(each -> endedWell(array, each, 1));
    assertThat(records)
        .filteredOn(
            record -> killed.stream().noneMatch(job -> record.launch().startsWith(job + ".")))
        .hasSize(ELEMENTS - 2)
        .allMatch(record -> record.imageFrom().equals("node"));
    for (String node : LabCluster.COMPUTE_NODES) {
      assertThat(cache.finished(node)).as("copies in place on %s", node).isOne();
      assertThat(cache.digest(node, digest)).isEqualTo(digest);
      assertThat(cache.files(node)).noneMatch(file -> file.endsWith(".lock"));
    }
    // What is sent after its agent was killed stays until the node needs room for another image.
    jobs.awaitEnd(jobs.submit("-N", "2", "--stage=node", "-o", "/dev/null", tiny, "--", "true"));
    LabCluster.COMPUTE_NODES.forEach(
        node ->
            assertThat(cache.files(node))
                .as("after the next image was staged on %s", node)
                .hasSize(2)
                .allMatch(file -> file.endsWith(".sif")));
  }

  @Test
  void decidesByFileSystemAndSaysSo() {
    Outcome automatic = alice.run("hpcrun", "submit", "--dry-run", "-N", "2", IMAGE, "--", "true");
    assertThat(automatic.succeeded().lines())
        .anyMatch(
            line ->
                line.matches(
                    "# stage = shared: \\d+ MiB on \\S+, 2 or more nodes: not a file system that"
                        + " needs it \\(rule\\)"))
        .contains("hpcrun_stage=shared", "hpcrun_digest=''");
    Outcome asked =
        alice.run("hpcrun", "submit", "--dry-run", "-N", "2", "--stage=node", IMAGE, "true");
    assertThat(asked.succeeded().lines())
        .contains(
            "# stage = node: you asked for it (option --stage)",
            "hpcrun_stage=node",
            "hpcrun_digest=" + digest);
  }

  @Test
  void refusesToStageADirectory() {
    Outcome outcome =
        alice.run("hpcrun", "submit", "--stage=node", DIRECTORY + "sandbox", "--", "true");
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(outcome.error())
        .contains("is a directory, which is not copied", "apptainer build image.sif");
    assertThat(outcome.output()).isEmpty();
  }

  @Test
  void readsTheWholeImageOnlyWhereItMayHaveChanged() {
    String copy = DIRECTORY + "digest.sif";
    alice.run("cp", IMAGE, copy).succeeded();
    alice.run("rm", "-rf", DIRECTORY + "cache").succeeded();
    assertThat(programs(copy)).as("the first time").contains("sha256sum");
    assertThat(programs(copy)).as("the second time").doesNotContain("sha256sum");
    alice.run("touch", copy).succeeded();
    assertThat(programs(copy)).as("after touch").contains("sha256sum");
    assertThat(programs(copy)).as("once more").doesNotContain("sha256sum");
    alice.bash("cp -p \"$1\" \"$1.new\" && mv \"$1.new\" \"$1\"", copy).succeeded();
    assertThat(programs(copy)).as("another file of the same times").contains("sha256sum");
  }

  /** What hpcrun logs of the programs that it starts. */
  private String programs(String image) {
    Outcome outcome =
        alice
            .with("HPCRUN_DEBUG", "1")
            .with("XDG_CACHE_HOME", DIRECTORY + "cache")
            .run("hpcrun", "submit", "--dry-run", "--stage=node", image, "--", "true");
    assertThat(outcome.succeeded().lines()).contains("hpcrun_digest=" + digest);
    assertThat(outcome.error()).contains("scontrol");
    return outcome.error();
  }
}
