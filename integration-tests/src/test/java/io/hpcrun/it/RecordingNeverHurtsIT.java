package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Running;
import io.hpcrun.lab.Timing;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What cannot be recorded is lost, said once, and changes nothing of the application's run. */
class RecordingNeverHurtsIT {
  private static final String SCRIPT = "echo rank $SLURM_PROCID; exit 7";

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  private Outcome run(Login login, String... options) {
    List<String> command = new ArrayList<>(List.of("hpcrun", "run", "-N", "2", "-n", "4"));
    command.addAll(List.of(options));
    command.addAll(List.of(tiny, "--", "sh", "-c", SCRIPT));
    return login.run(command);
  }

  private void onNodes(String script) {
    LabCluster.COMPUTE_NODES.forEach(node -> lab.as("root", node).bash(script).succeeded());
  }

  @BeforeAll
  void makeDirectoriesThatTakeNoRecords() {
    lab.as("root", LabCluster.LOGIN_NODE)
        .bash("install -d -m 755 /home/alice/owned-by-root && install -d -m 777 /home/alice/full")
        .succeeded();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/home/alice/owned-by-root", "/nonexistent/records", "/etc/passwd"})
  void runsTheApplicationWhereNoRecordCanBeMade(String records) {
    unharmed(run(alice.with("HPCRUN_RECORDS", records)), "timing of this launch is lost");
  }

  @Test
  void runsTheApplicationWhenTheRecordsFileSystemIsFull() {
    onNodes(
        "mount -t tmpfs -o size=64k tmpfs /home/alice/full && chmod 777 /home/alice/full"
            + " && ! dd if=/dev/zero of=/home/alice/full/fill bs=4k status=none 2>/dev/null");
    try {
      unharmed(
          run(alice.with("HPCRUN_RECORDS", "/home/alice/full")), "timing of this launch is lost");
    } finally {
      onNodes("umount /home/alice/full");
    }
  }

  @Test
  void runsTheApplicationWhenTheNodesTmpIsReadOnly() {
    onNodes("mount -t tmpfs -o ro,size=64k tmpfs /tmp");
    try {
      // Slurm's own PMIx plug-in starts no task without a /tmp it can write in.
      unharmed(run(alice, "--mpi=none"), "ranks are not timed");
    } finally {
      onNodes("umount /tmp");
    }
  }

  @Test
  void runsTheApplicationWhenTheNodesTmpIsFull() {
    onNodes(
        "mount -t tmpfs -o size=64k,mode=1777 tmpfs /tmp"
            + " && ! dd if=/dev/zero of=/tmp/fill bs=4k status=none 2>/dev/null");
    try {
      // With PMIx, whose server writes there, such a node is refused: FallbackIT.
      unharmed(run(alice, "--mpi=none"), "ranks are not timed");
    } finally {
      onNodes("umount /tmp");
    }
  }

  private static void unharmed(Outcome outcome, String lost) {
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(7);
    assertThat(outcome.lines()).contains("rank 0", "rank 1", "rank 2", "rank 3");
    assertThat((outcome.output() + outcome.error()).lines().filter(line -> line.contains(lost)))
        .as("%s", outcome)
        .hasSize(1);
  }

  @Test
  void keepsWhatIsKnownOfACancelledJob() {
    String started = "/home/alice/started-" + System.nanoTime();
    Running running =
        new Running(
            alice,
            "hpcrun",
            "run",
            "-N",
            "2",
            tiny,
            "--",
            "sh",
            "-c",
            "echo started; touch \"$0\"; exec sleep 600",
            started);
    jobs.awaitFile(started);
    String job = jobs.inQueue().getFirst();
    alice.run("scancel", job).succeeded();
    Outcome outcome = running.await();
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(128 + 15);
    assertThat(outcome.error()).contains("CANCELLED");
    assertThat(outcome.lines()).contains("started");
    jobs.awaitEnd(job);
    JsonNode launch = Timing.of(alice, job).launch();
    assertThat(launch.at("/record/state").asString()).isEqualTo("ended");
    assertThat(launch.at("/stages/spawn/count").asInt()).isEqualTo(2);
    nothingIsLeft();
  }

  @Test
  @EnabledIfSystemProperty(named = "hpcrun.full", matches = "true")
  void keepsWhatIsKnownOfAJobThatRanOutOfTime() {
    Outcome outcome = alice.run("hpcrun", "run", "-N", "2", "-t", "1", tiny, "--", "sleep", "300");
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(128 + 15);
    assertThat(outcome.error()).contains("TIMEOUT");
    assertThat(outcome.error()).contains("spawn");
    nothingIsLeft();
  }

  private void nothingIsLeft() {
    assertThat(lab.leftInTmp(LabCluster.COMPUTE_NODES)).isEmpty();
  }
}
