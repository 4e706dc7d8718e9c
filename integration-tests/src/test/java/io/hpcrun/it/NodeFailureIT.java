package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabSettings;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Running;
import io.hpcrun.lab.Timing;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** One of four nodes dies while a job runs on all of them. */
@EnabledIfSystemProperty(named = "hpcrun.full", matches = "true")
class NodeFailureIT {
  private static final Logger LOG = LoggerFactory.getLogger(NodeFailureIT.class);
  private static final int NODES = 4;
  private static final int RANKS = 8;
  private static final String DEAD = "c3";
  private static final List<String> SURVIVORS = List.of("c1", "c2", "c4");
  private static final int ENDED_BY_SLURM = 128 + 15;
  private static final int WATCH_SECONDS = 120;

  /** Slurm's smallest sensible one; it notices a dead node half a minute later all the same. */
  private static final String SLURM_CONF = "SlurmdTimeout=10";

  private final LabCluster lab =
      LabCluster.apart(
          LabSettings.of(Flavour.TRIXIE).withComputeNodes(NODES).withSlurmConf(SLURM_CONF));
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private String job;
  private Outcome outcome;
  private Remains remains;
  private BigDecimal ended;

  @BeforeAll
  void killANodeOfARunningJob() {
    String up = "/home/alice/up.";
    Running running =
        new Running(
            alice,
            "hpcrun",
            "run",
            "--no-requeue",
            "-N",
            String.valueOf(NODES),
            "-n",
            String.valueOf(RANKS),
            "--ntasks-per-node=" + RANKS / NODES,
            lab.image("tiny"),
            "--",
            "sh",
            "-c",
            ": >\"$0$SLURM_PROCID\"; exec sleep 300",
            up);
    Jobs.await("all ranks", () -> alice.bash("ls \"$1\"*", up).lines().size() == RANKS);
    job = jobs.inQueue().getFirst();
    lab.kill(DEAD);
    CompletableFuture<Remains> watch =
        CompletableFuture.supplyAsync(
            () -> Remains.watch(lab, "alice", SURVIVORS, WATCH_SECONDS), threads);
    outcome = running.await();
    remains = watch.join();
    ended = new BigDecimal(new Jobs(alice.with("SLURM_TIME_FORMAT", "%s")).field(job, "EndTime"));
    LOG.info(
        "a node dies: {}, exit code {}, nothing left {} s after the end\n{}",
        jobs.field(job, "JobState"),
        outcome.exitCode(),
        remains.goneAt().subtract(ended),
        outcome);
  }

  @AfterAll
  void removeTheCluster() {
    lab.close();
  }

  @Test
  void tellsTheUserWhichNodeItWas() {
    assertThat(outcome.lines()).contains("srun: error: Node failure on c3");
    assertThat(outcome.error()).contains("job " + job + " was ended by Slurm: NODE_FAIL");
  }

  @Test
  void endsAsAJobThatSlurmEnded() {
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(ENDED_BY_SLURM);
  }

  @Test
  void keepsTheRecordsOfTheOthers() {
    JsonNode launch = Timing.of(alice, job).launch();
    // Slurm may kill the batch script while the ranks' srun waits for the dead node.
    assertThat(launch.at("/record/state").asString()).isIn("ended", "running");
    assertThat(launch.at("/nodes_measured").propertyNames())
        .containsExactlyInAnyOrderElementsOf(SURVIVORS);
    assertThat(launch.at("/stages/run/count").asInt()).isEqualTo(SURVIVORS.size() * RANKS / NODES);
  }

  @Test
  void saysThatANodeLeftNoRecord() {
    assertThat(alice.run("hpcrun", "timing", job).succeeded().lines())
        .filteredOn(line -> line.startsWith("note: "))
        .first()
        .asString()
        .startsWith("note: 3 of 4 nodes left a record");
  }

  @Test
  void leavesNothingOnTheOtherNodes() {
    assertThat(remains.left()).isEmpty();
    // Slurm itself reaches some nodes late, those that it talks to through the dead one.
    BigDecimal lastRank =
        new BigDecimal(
                alice
                    .bash(
                        "grep -ho '\"end_ns\":[0-9]*' ~/.local/state/hpcrun/records/$1/*.node.*"
                            + " | cut -d: -f2 | sort -n | tail -n 1",
                        job)
                    .succeeded()
                    .output()
                    .strip())
            .movePointLeft(9);
    assertThat(remains.goneAt().subtract(lastRank))
        .as("what went last: %s", remains.last())
        .isLessThan(BigDecimal.TEN);
  }
}
