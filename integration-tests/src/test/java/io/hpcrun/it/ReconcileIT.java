package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.jobs.JobReconciler;
import io.hpcrun.daemon.jobs.OpenLaunch;
import io.hpcrun.daemon.jobs.Rhythm;
import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabSettings;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.SlurmOnLab;
import io.hpcrun.lab.Timing;
import io.hpcrun.slurm.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Launches whose records do not tell their end, on a cluster with accounting. */
class ReconcileIT {
  private static final Duration SHORT = Duration.ofMillis(200);
  private static final String ENDLESS = ": >\"$0\"; exec sleep 300";

  private final LabCluster lab = LabCluster.apart(LabSettings.of(Flavour.TRIXIE).withAccounting());
  private final Login alice = lab.alice();
  private final Login root = lab.as("root", LabCluster.LOGIN_NODE);
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");
  private final Map<OpenLaunch, JobState> told = new ConcurrentHashMap<>();
  private OpenLaunch killed;
  private OpenLaunch requeued;
  private OpenLaunch onFailedNode;
  private OpenLaunch running;
  private OpenLaunch never;

  @BeforeAll
  void endLaunchesByForce() {
    killed = start("killed", "--sbatch=--nodelist=c1");
    requeued = start("requeued", "--sbatch=--nodelist=c1", "--requeue");
    running = start("running", "--sbatch=--nodelist=c1");
    onFailedNode = start("failed", "--sbatch=--nodelist=c2", "--no-requeue");
    never = OpenLaunch.of("lab", "99999.0.0", Instant.now()).orElseThrow();
    // As the kernel does where memory is short: a script that is cancelled still writes its record.
    lab.as("root", "c1")
        .run("pkill", "-KILL", "-f", "/job0*" + killed.job() + "/slurm_script")
        .succeeded();
    alice.run("scontrol", "requeue", requeued.job().toString()).succeeded();
    // As in a power cut, but Slurm can still look up the node's name and notices at once.
    lab.as("root", "c2")
        .bash("pkill -STOP slurmd && pkill -STOP slurmstepd && pkill -KILL -u alice")
        .succeeded();
    root.run("scontrol", "update", "nodename=c2", "state=down", "reason=test").succeeded();
    jobs.awaitEnd(List.of(killed.job().toString(), onFailedNode.job().toString()));
    List<OpenLaunch> open = List.of(killed, requeued, running, onFailedNode, never);
    // As another user than the one whose jobs they are.
    Login bob = lab.as("bob", LabCluster.LOGIN_NODE);
    try (JobReconciler reconciler =
        new JobReconciler(
            Set.of("lab"),
            SlurmOnLab.states(bob),
            () -> open,
            told::put,
            new Rhythm(SHORT, SHORT, SHORT))) {
      reconciler.start();
      Jobs.await("a state for each launch", () -> told.size() == open.size());
    }
  }

  /** Starts a launch and waits until its rank runs. */
  private OpenLaunch start(String name, String... options) {
    List<String> words = new java.util.ArrayList<>(List.of("-o", "/dev/null"));
    words.addAll(List.of(options));
    words.addAll(List.of(tiny, "--", "sh", "-c", ENDLESS, "/home/alice/" + name));
    String job = jobs.submit(words.toArray(String[]::new));
    jobs.awaitFile("/home/alice/" + name);
    JsonNode record = Timing.of(alice, job).launch().get("record");
    assertThat(record.get("state").asString()).isEqualTo("running");
    long began = record.get("script_ns").asLong();
    return OpenLaunch.of(
            record.get("cluster").asString(),
            record.get("launch").asString(),
            Instant.ofEpochSecond(0, began))
        .orElseThrow();
  }

  @AfterAll
  void removeTheCluster() {
    lab.close();
  }

  @Test
  void aLaunchOnANodeThatFailedIsOver() {
    assertThat(told.get(onFailedNode).state()).isEqualTo("NODE_FAIL");
    assertThat(recordedState(onFailedNode))
        .as("else there was nothing to find out")
        .isEqualTo("running");
    assertThat(told.get(onFailedNode).user()).isEqualTo("alice");
  }

  @Test
  void aLaunchThatWasKilledHasEnded() {
    assertThat(told.get(killed).ended()).as("%s", told.get(killed)).isTrue();
    assertThat(told.get(killed).state()).isNotEqualTo(JobState.LOST);
    assertThat(recordedState(killed)).as("else there was nothing to find out").isEqualTo("running");
  }

  @Test
  void aLaunchBeforeARequeueIsOver() {
    assertThat(told.get(requeued).state()).isEqualTo(JobState.REQUEUED);
    assertThat(told.get(requeued).times().end()).as("from accounting").isPresent();
  }

  @Test
  void aLaunchThatRunsRuns() {
    assertThat(told.get(running).state()).isEqualTo("RUNNING");
  }

  @Test
  void aLaunchThatSlurmDoesNotKnowIsLost() {
    assertThat(told.get(never).state()).isEqualTo(JobState.LOST);
  }

  @Test
  void timesComeFromAccountingWhereTheRecordLacksThem() {
    String job = jobs.submit("-o", "/dev/null", "--sbatch=--nodelist=c1", tiny, "--", "true");
    jobs.awaitEnd(job);
    JsonNode whole = Timing.of(alice, job).launch();
    forgetTimes(alice, job);
    JsonNode mended = Timing.of(alice, job).launch();
    assertThat(mended.at("/stages/queue")).isEqualTo(whole.at("/stages/queue"));
    assertThat(mended.at("/stages/queue/count").asInt()).isEqualTo(1);
    assertThat(mended.at("/stages/script")).isEqualTo(whole.at("/stages/script"));
  }

  @Test
  void withoutAccountingOnlyTheStagesAreMissing() {
    LabCluster plain = LabCluster.of(Flavour.TRIXIE);
    Jobs there = new Jobs(plain.alice());
    String job = there.submit("-o", "/dev/null", plain.image("tiny"), "--", "true");
    there.awaitEnd(job);
    forgetTimes(plain.alice(), job);
    JsonNode launch = Timing.of(plain.alice(), job).launch();
    assertThat(launch.at("/stages/queue").isMissingNode()).isTrue();
    assertThat(launch.at("/stages/run/count").asInt()).isEqualTo(1);
    OpenLaunch open = OpenLaunch.of("lab", job + ".0.0", Instant.now()).orElseThrow();
    assertThat(SlurmOnLab.states(plain.alice()).accounted("lab", List.of(open.job()))).isEmpty();
    assertThat(SlurmOnLab.states(plain.alice()).queued("lab", List.of(open.job())))
        .extracting(JobState::state)
        .containsExactly("COMPLETED");
  }

  private static void forgetTimes(Login login, String job) {
    login
        .bash(
            "sed -Ei 's/\"(submit|eligible|start)_s\":[0-9]+,?//g' "
                + "~/.local/state/hpcrun/records/$1/$1.0.0.job.jsonl",
            job)
        .succeeded();
  }

  private String recordedState(OpenLaunch launch) {
    return Timing.of(alice, launch.job().toString()).launch().at("/record/state").asString();
  }
}
