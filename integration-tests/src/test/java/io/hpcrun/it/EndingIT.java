package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabSettings;
import io.hpcrun.lab.Outcome;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Exit codes and signals are as on bare metal; and however a job ends, within ten seconds no
 * process, mount, lock or temporary file of it is left on a node that lives.
 */
class EndingIT {
  private static final Logger LOG = LoggerFactory.getLogger(EndingIT.class);
  private static final boolean FULL = Boolean.getBoolean("hpcrun.full");

  /** How soon nothing may be left. */
  static final int WITHIN_SECONDS = 10;

  private static final Duration PATIENCE = Duration.ofSeconds(FULL ? 110 : 45);
  private static final int WATCH_SECONDS = (int) PATIENCE.toSeconds() + 10;
  private static final List<String> NODES = LabCluster.COMPUTE_NODES;

  /** The lab's short KillWait hides what only ends because Slurm kills it. */
  private final LabCluster lab =
      LabCluster.apart(
          LabSettings.of(Flavour.TRIXIE)
              .withComputeNodes(NODES.size())
              .withSlurmConf(FULL ? "KillWait=" + Endings.KILL_WAIT : ""));

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CaseTable table =
      new CaseTable(
          "case", "state, exit code", "the user sees", "seconds", "left", "bare metal, left");

  private static Stream<Ending> endings() {
    return Endings.all(FULL);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("endings")
  void endsAsOnBareMetalAndLeavesNothing(Ending ending) {
    EndingJob plain = ending.compared() ? EndingJob.plain(lab, ending) : null;
    EndingJob job = EndingJob.hpcrun(lab, ending);
    if (ending.acts()) {
      seesTheRunningJob();
    }
    ending.actOn(job);
    BigDecimal acted = new BigDecimal(lab.alice().run("date", "+%s.%N").output().strip());
    CompletableFuture<Remains> watch =
        CompletableFuture.supplyAsync(
            () -> Remains.watch(lab, "alice", NODES, WATCH_SECONDS), threads);
    if (plain != null) {
      plain.awaitRanks("up");
      ending.actOn(plain);
    }
    boolean ended = job.endsWithin(PATIENCE);
    if (!ended) {
      job.scancel();
    }
    Outcome outcome = job.outcome();
    Remains remains = watch.join();
    BigDecimal seconds =
        remains
            .goneAt()
            .subtract(job.endTime().max(acted))
            .max(BigDecimal.ZERO)
            .setScale(1, RoundingMode.HALF_UP);
    String state = job.field("JobState");
    String onBareMetal = plain == null ? "" : endOf(plain);
    table.row(
        ending,
        ended ? state + ", " + outcome.exitCode() : "does not end",
        seen(outcome),
        seconds,
        remains.left().isEmpty() ? "nothing" : String.join("<br>", remains.left()),
        onBareMetal);
    SoftAssertions all = new SoftAssertions();
    all.assertThat(ended).as("%s ends by itself", ending).isTrue();
    all.assertThat(state).isEqualTo(ending.state());
    all.assertThat(outcome.exitCode()).isIn(ending.exitCodes());
    String said = outcome.output() + outcome.error();
    ending.says().forEach(text -> all.assertThat(said).contains(text));
    all.assertThat(said).as("no source text of hpcrun's").doesNotContain("${hpcrun_", "\"$hpcrun_");
    all.assertThat(remains.left()).as("left after %s", ending).isEmpty();
    all.assertThat(seconds.intValue())
        .as("seconds until nothing was left")
        .isLessThan(ending.slurmTakes() + WITHIN_SECONDS);
    if (plain != null && ending.exitCodes().size() == 1) {
      all.assertThat(onBareMetal).startsWith(state + ", " + outcome.exitCode());
    }
    all.check(() -> ending.lookAfterwards(job));
    all.assertAll();
  }

  /** Otherwise that nothing is seen later would show nothing. */
  private void seesTheRunningJob() {
    String now = Remains.now(lab, "alice", NODES).toString();
    NODES.forEach(
        node ->
            assertThat(now)
                .contains(node + ": process ", node + ": mount ", node + ": file /tmp/hpcrun."));
  }

  private String endOf(EndingJob plain) {
    String end = "does not end";
    if (plain.endsWithin(Duration.ofSeconds(10))) {
      end = plain.field("JobState") + ", " + plain.shellExitCode();
    }
    List<String> left = Remains.now(lab, "bob", NODES);
    return end + (left.isEmpty() ? "" : "; " + String.join("<br>", left));
  }

  /** hpcrun's last word, else Slurm's. */
  private static String seen(Outcome outcome) {
    List<String> lines =
        Stream.concat(outcome.lines().stream(), outcome.errorLines().stream()).toList();
    return Stream.of("hpcrun: ", "error:", "Killed")
        .flatMap(text -> lines.reversed().stream().filter(line -> line.contains(text)).limit(1))
        .findFirst()
        .orElse("");
  }

  /** A lock is held by nothing of a launch that shares the image's file. */
  @Test
  void seesLocks() {
    lab.as("alice", "c2")
        .bash("setsid -f flock \"$1\" sleep 300 </dev/null >/dev/null 2>&1", "/tmp/locked")
        .succeeded();
    Jobs.await(
        "a lock", () -> Remains.now(lab, "alice", List.of("c2")).toString().contains("lock FLOCK"));
  }

  @AfterEach
  void tidy() {
    for (String user : List.of("alice", "bob")) {
      lab.as("root", LabCluster.LOGIN_NODE).run("scancel", "--user=" + user).succeeded();
    }
    NODES.forEach(
        node ->
            lab.as("root", node)
                .bash(
                    "pkill -KILL -u alice; pkill -KILL -u bob;"
                        + " rm -rf /tmp/hpcrun.* /tmp/spmix_appdir_* /tmp/locked"));
  }

  @AfterAll
  void print() {
    LOG.info("how jobs end\n{}", table);
    try (lab) {
      new Jobs(lab.alice()).awaitIdleNodes();
    }
  }
}
