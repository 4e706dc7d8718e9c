package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Nodes on which something is missing: ranks enter another way, or the launch is refused before any
 * rank started; each time it is said once with the right nodes, recorded, and nothing is left.
 */
@Timeout(1800)
class FallbackIT {
  private static final Logger LOG = LoggerFactory.getLogger(FallbackIT.class);
  private static final boolean FULL = Boolean.getBoolean("hpcrun.full");
  private static final int SHARENS_LAUNCHES = FULL ? 20 : 3;
  private static final int PER_NODE = 2;
  private static final String RANK =
      "echo \"rank $SLURM_PROCID on $SLURMD_NODENAME given $GIVEN\"; sleep 0.3";
  private static final String GIVEN = "a b, $c";
  private static final String SAYS = "hpcrun: ";
  private static final Pattern LAUNCH = Pattern.compile("launch (\\d+)\\.0\\.0 ");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final String tiny = lab.image("tiny");
  private final CaseTable table = new CaseTable("case", "exit", "message", "mode recorded");
  private final CaseTable sharens = new CaseTable("ranks", "launches", "failed", "with");

  private static Stream<FallbackCase> cases() {
    return FallbackCases.all();
  }

  private Outcome launch(FallbackCase each) {
    List<String> words = new ArrayList<>(List.of("hpcrun", "run", "-N", "2"));
    if (!each.options().contains("-n")) {
      words.addAll(List.of("-n", "4", "--ntasks-per-node=" + PER_NODE));
    }
    if (each.options().stream().noneMatch(option -> option.startsWith("--mpi"))) {
      words.add("--mpi=none");
    }
    words.addAll(List.of("--env", "GIVEN=" + GIVEN));
    words.addAll(each.options());
    words.add(each.image().isEmpty() ? tiny : each.image());
    words.addAll(List.of("--", "sh", "-c", RANK));
    return alice.bash("ulimit -l 64\nexec \"$@\"", words.toArray(String[]::new));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void fallsBackOrRefuses(FallbackCase each) {
    List<String> before = inTmp();
    NodeFault fault = new NodeFault(lab, each.nodes(), each.breaks(), each.mends());
    Outcome outcome;
    try (fault) {
      outcome = launch(each);
    }
    Map<String, String> modes = new TreeMap<>();
    NodeRecord.of(alice, job(outcome)).forEach(record -> modes.put(record.node(), mode(record)));
    List<String> said = said(outcome);
    table.row(each, outcome.exitCode(), String.join("<br>", said), modes);

    assertThat(outcome.exitCode()).as("%s: %s", each, outcome).isEqualTo(each.exit());
    assertThat(said).as("what is said, %s: %s", each, outcome).hasSameSizeAs(each.says());
    for (String text : each.says()) {
      assertThat(said)
          .as("%s", outcome)
          .filteredOn(line -> line.startsWith(SAYS + text))
          .hasSize(1);
    }
    if (each.exit() == 0) {
      int ranks = each.options().contains("-n") ? 2 : 2 * PER_NODE;
      assertThat(ranks(outcome)).hasSize(ranks).allMatch(line -> line.endsWith(" given " + GIVEN));
      assertThat(modes).isEqualTo(each.modes());
      if (each.modes().values().stream().allMatch("join"::equals)) {
        String note = "note: hpcrun-enter could not be used, so ranks entered by the shell: ";
        assertThat(outcome.error().contains(note))
            .as(each.name())
            .isEqualTo(!each.byShell().isEmpty());
        assertThat(outcome.error()).as(each.name()).contains(each.byShell());
      }
      each.modes().values().stream()
          .filter(mode -> mode.startsWith("exec: ") && !mode.endsWith("asked for"))
          .forEach(
              mode -> assertThat(outcome.error()).as(each.name()).contains("note: mode " + mode));
    } else {
      assertThat(ranks(outcome)).isEmpty();
    }
    nothingIsLeft(each.name(), before);
  }

  private static String mode(NodeRecord record) {
    return record.mode() + (record.modeReason().isEmpty() ? "" : ": " + record.modeReason());
  }

  private static List<String> ranks(Outcome outcome) {
    return outcome.lines().stream().filter(line -> line.startsWith("rank ")).toList();
  }

  private static List<String> said(Outcome outcome) {
    return Stream.concat(outcome.lines().stream(), outcome.errorLines().stream())
        .filter(line -> line.startsWith(SAYS))
        .toList();
  }

  private static String job(Outcome outcome) {
    Matcher launch = LAUNCH.matcher(outcome.error());
    assertThat(launch.find()).as("a launch in the timing of %s", outcome).isTrue();
    return launch.group(1);
  }

  private List<String> inTmp() {
    List<String> files = new ArrayList<>();
    for (String node : LabCluster.COMPUTE_NODES) {
      Outcome found = lab.as("root", node).run("find", "/tmp", "-mindepth", "1").succeeded();
      found.lines().stream().sorted().forEach(file -> files.add(node + ":" + file));
    }
    return files;
  }

  private void nothingIsLeft(String what, List<String> before) {
    LabCluster.COMPUTE_NODES.forEach(
        node ->
            Jobs.await(
                "the end of alice's processes on " + node,
                () -> lab.as("root", node).run("pgrep", "-u", "alice").exitCode() == 1));
    List<String> left = inTmp();
    // Found once is enough.
    LabCluster.COMPUTE_NODES.forEach(
        node -> lab.as("root", node).bash("rm -rf /tmp/hpcrun.*").succeeded());
    assertThat(left).as("in /tmp after the launch: %s", what).isEqualTo(before);
  }

  /**
   * Apptainer's own way is there for those who ask for it; how far it carries is told, not held.
   */
  @ParameterizedTest
  @CsvSource({
    "tiny, short, true",
    "tiny, of a second, sleep 1",
    "hello-openmpi, of one MPI job, hello-mpi"
  })
  void tellsHowOftenSharensFails(String image, String kind, String command) {
    List<String> before = inTmp();
    Map<String, Integer> with = new TreeMap<>();
    int failed = 0;
    for (int i = 0; i < SHARENS_LAUNCHES; i++) {
      List<String> words =
          new ArrayList<>(List.of("hpcrun", "run", "-N", "2", "-n", "8", "--ntasks-per-node=4"));
      words.addAll(List.of("--mode=sharens", lab.image(image), "--"));
      words.addAll(List.of(command.split(" ")));
      Outcome outcome = alice.run(words);
      failed += outcome.exitCode() == 0 ? 0 : 1;
      Stream.concat(outcome.lines().stream(), outcome.errorLines().stream())
          .filter(line -> line.contains("FATAL") || line.contains("ERROR"))
          .map(line -> line.replaceAll("\\e\\[[0-9;]*m", "").replaceAll("\\d+", "N").strip())
          .distinct()
          .forEach(line -> with.merge(line, 1, Integer::sum));
      assertThat(NodeRecord.of(alice, job(outcome)))
          .hasSize(2)
          .allMatch(record -> mode(record).equals("sharens: it was asked for"));
      assertThat(outcome.exitCode() != 0 || said(outcome).isEmpty()).as("%s", outcome).isTrue();
      nothingIsLeft("sharens, " + kind, before);
    }
    sharens.row("4 a node, " + kind, SHARENS_LAUNCHES, failed, with);
  }

  @AfterAll
  void print() {
    LOG.info("fallbacks and refusals\n{}", table);
    LOG.info("--mode=sharens\n{}", sharens);
  }
}
