package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Running;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Signals to {@code hpcrun run}: Ctrl-C asks once, and what is cancelled leaves nothing behind. */
class InterruptIT {
  private static final int BY_SIGTERM = 128 + 15;
  private static final String SLEEP = "echo started; touch \"$0\"; exec sleep 600";

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  /** {@code hpcrun run} of a job that sleeps, once the application has started. */
  private Running runSleeper(String script) {
    String started = "/home/alice/started-" + System.nanoTime();
    Running running =
        new Running(alice, "hpcrun", "run", "-N", "2", tiny, "--", "sh", "-c", script, started);
    jobs.awaitFile(started);
    return running;
  }

  @Test
  void goesOnAfterOneInterrupt() {
    String release = "/home/alice/release-" + System.nanoTime();
    Running running =
        runSleeper(
            "touch \"$0\"; while ! test -e " + release + "; do sleep 0.1; done; echo end; exit 3");
    running.signal("INT");
    running.awaitError("Ctrl-C again cancels job");
    assertThat(jobs.inQueue()).hasSize(1);
    assertThat(running.isRunning()).isTrue();
    alice.run("touch", release).succeeded();
    Outcome outcome = running.await();
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(outcome.lines()).contains("end");
  }

  @Test
  void cancelsTheJobOnTheSecondInterrupt() {
    Running running = runSleeper(SLEEP);
    running.signal("INT");
    running.awaitError("Ctrl-C again cancels job");
    running.signal("INT");
    cancelled(running.await());
  }

  @Test
  void cancelsTheJobAtOnceOnTerminate() {
    Running running = runSleeper(SLEEP);
    running.signal("TERM");
    cancelled(running.await());
  }

  /** Also where the nodes are prepared yet: the batch script ends as the ranks would have. */
  @ParameterizedTest
  @ValueSource(strings = {"0", "0.1", "0.2", "0.3", "0.4", "0.6"})
  void aJobThatIsCancelledEarlyEndsTheSame(String pause) {
    Running running = new Running(alice, "hpcrun", "run", "-N", "2", tiny, "--", "sleep", "600");
    Jobs.await(
        "the running job",
        () -> alice.run("squeue", "-h", "-t", "RUNNING", "-u", "alice").lines().size() == 1);
    alice.bash("sleep \"$1\"; scancel -u alice", pause).succeeded();
    Outcome outcome = running.await();
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(BY_SIGTERM);
    assertThat(outcome.error()).contains("was ended by Slurm: CANCELLED");
    Jobs.await("the end of the job", () -> jobs.inQueue().isEmpty());
  }

  /** At a terminal, where the keys are read and the status line is seen. */
  @Test
  void cancelsJobThatWaitsInTheQueueOnTwoCtrlC() {
    String terminal = "/home/alice/terminal-" + System.nanoTime();
    Running running =
        new Running(
            alice,
            "bash",
            "-c",
            "mkfifo \"$0.keys\"; exec 3<>\"$0.keys\"; exec script -qefc \"$1\" \"$0\" <&3",
            terminal,
            "hpcrun run --begin=now+1hour " + tiny + " -- true");
    awaitText(terminal, "waits in the queue");
    press(terminal, "\003");
    awaitText(terminal, "Ctrl-C again cancels job");
    press(terminal, "\003");
    Outcome outcome = running.await();
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(BY_SIGTERM);
    assertThat(alice.run("cat", terminal).output()).contains("cancelling job", "CANCELLED");
    assertThat(jobs.inQueue()).isEmpty();
  }

  private void awaitText(String file, String text) {
    Jobs.await("'" + text + "' in " + file, () -> alice.run("cat", file).output().contains(text));
  }

  private void press(String terminal, String key) {
    alice.bash("printf %s \"$2\" >\"$1.keys\"", terminal, key).succeeded();
  }

  private void cancelled(Outcome outcome) {
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(BY_SIGTERM);
    assertThat(outcome.error()).contains("cancelling job").contains("CANCELLED");
    assertThat(outcome.lines()).contains("started");
    Jobs.await("the end of the job", () -> jobs.inQueue().isEmpty());
  }
}
