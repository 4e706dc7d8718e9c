package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabCommand;
import io.hpcrun.lab.LabSettings;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.SlurmOnLab;
import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import io.hpcrun.slurm.JobStates;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What squeue and sacct say of jobs that end in many ways, read by hpcrun, in each flavour's Slurm.
 */
@ParameterizedClass
@EnumSource(Flavour.class)
class AccountingIT {
  @Parameter private Flavour flavour;
  private LabCluster lab;
  private Login alice;
  private Login root;
  private Jobs jobs;
  private JobStates slurm;
  private String completed;
  private String failed;
  private String killed;
  private String cancelled;
  private String neverStarted;
  private String onFailedNode;
  private String requeued;
  private String array;
  private String heterogeneous;
  private String hostile;

  @BeforeParameterizedClassInvocation
  void runJobs() {
    try {
      lab = LabCluster.apart(LabSettings.of(flavour).withAccounting());
    } catch (LabCommand.LabFailed unavailable) {
      System.err.println("AccountingIT " + flavour + " is SKIPPED: " + unavailable.getMessage());
      Assumptions.abort("no lab of the flavour " + flavour + ": " + unavailable.getMessage());
    }
    alice = lab.alice();
    root = lab.as("root", LabCluster.LOGIN_NODE);
    jobs = new Jobs(alice);
    // Another user than the one whose jobs they are, as the daemon is.
    slurm = SlurmOnLab.states(lab.as("bob", LabCluster.LOGIN_NODE));
    completed = submit("true");
    failed = submit("exit 7");
    killed = submit("kill -9 $$");
    cancelled = submit("sleep 300");
    neverStarted = submit("true", "--hold");
    onFailedNode = submit("sleep 300", "--nodelist=c2", "--no-requeue");
    requeued = submit("sleep 300", "--nodelist=c1", "--requeue");
    array = submit("exit $SLURM_ARRAY_TASK_ID", "--array=0-2");
    heterogeneous =
        alice.run(sbatch("true", "--nodes=1", ":", "--nodes=1")).succeeded().output().strip();
    hostile = submit("true", "--job-name=a|b\nRUNNING|0:0|c", "--comment=d|e\nf|g");
    Stream.of(cancelled, onFailedNode, requeued).forEach(this::awaitRunning);
    alice.run("scancel", cancelled, neverStarted).succeeded();
    alice.run("scontrol", "requeue", requeued).succeeded();
    root.run("scontrol", "update", "nodename=c2", "state=down", "reason=test").succeeded();
    List<String> ending =
        List.of(
            completed,
            failed,
            killed,
            cancelled,
            neverStarted,
            onFailedNode,
            array,
            heterogeneous,
            hostile);
    jobs.awaitEnd(ending);
    // The array has three elements, and the heterogeneous job two components.
    Jobs.await(
        "accounting's word of all ends",
        () -> accounted(ending.toArray(String[]::new)).size() == ending.size() + 3);
  }

  private String submit(String script, String... options) {
    return alice.run(sbatch(script, options)).succeeded().output().strip();
  }

  private static List<String> sbatch(String script, String... options) {
    List<String> command = new ArrayList<>(List.of("sbatch", "--parsable", "--output=/dev/null"));
    command.addAll(List.of(options));
    command.add("--wrap=" + script);
    return command;
  }

  private void awaitRunning(String job) {
    Jobs.await("the start of " + job, () -> jobs.field(job, "JobState").equals("RUNNING"));
  }

  private static List<JobId> ids(String... texts) {
    return Stream.of(texts).map(text -> JobId.parse(text).orElseThrow()).toList();
  }

  private List<JobState> queued(String... texts) {
    return slurm.queued("lab", ids(texts));
  }

  private List<JobState> accounted(String... texts) {
    return slurm.accounted("lab", ids(texts)).orElseThrow().stream()
        .filter(JobState::ended)
        .toList();
  }

  @AfterParameterizedClassInvocation
  void removeTheCluster() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  void tellsHowJobsEndedInOneAnswer() {
    String[] asked = {completed, failed, killed, hostile};
    List<String> expected =
        List.of(
            completed + " COMPLETED 0:0",
            failed + " FAILED 7:0",
            killed + " FAILED 0:9",
            hostile + " COMPLETED 0:0");
    assertThat(accounted(asked))
        .extracting(AccountingIT::brief)
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(queued(asked))
        .extracting(AccountingIT::brief)
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  /** Their exit codes differ from version to version, and between squeue and sacct. */
  @Test
  void tellsWhichJobsDidNotEndByThemselves() {
    String[] asked = {cancelled, neverStarted, onFailedNode};
    assertThat(accounted(asked))
        .extracting(JobState::state)
        .containsExactlyInAnyOrder("CANCELLED", "CANCELLED", "NODE_FAIL");
    assertThat(queued(asked))
        .extracting(JobState::state)
        .containsExactlyInAnyOrder("CANCELLED", "CANCELLED", "NODE_FAIL");
    assertThat(accounted(onFailedNode).getFirst().nodes()).isEqualTo("c2");
  }

  private static String brief(JobState state) {
    return state.job() + " " + state.state() + " " + state.exitCode() + ":" + state.signal();
  }

  @Test
  void tellsTimesOwnerPartitionAndNodes() {
    for (JobState state : List.of(queued(completed).getFirst(), accounted(completed).getFirst())) {
      assertThat(state.user()).isEqualTo("alice");
      assertThat(state.partition()).isEqualTo("main");
      assertThat(state.nodes()).matches("c[12]");
      JobState.Times times = state.times();
      assertThat(times.eligible().orElseThrow())
          .isGreaterThanOrEqualTo(times.submit().orElseThrow());
      assertThat(times.start().orElseThrow())
          .isGreaterThanOrEqualTo(times.eligible().orElseThrow());
      assertThat(times.end().orElseThrow()).isGreaterThanOrEqualTo(times.start().orElseThrow());
    }
    assertThat(queued(completed).getFirst().times())
        .isEqualTo(accounted(completed).getFirst().times());
  }

  @Test
  void aJobThatNeverStartedHasNoStart() {
    for (JobState state :
        List.of(queued(neverStarted).getFirst(), accounted(neverStarted).getFirst())) {
      assertThat(state.times().start()).isEmpty();
      assertThat(state.nodes()).isEmpty();
    }
  }

  @Test
  void tellsEveryElementOfAnArray() {
    List<String> expected =
        List.of(array + "_0 COMPLETED 0:0", array + "_1 FAILED 1:0", array + "_2 FAILED 2:0");
    String[] elements = {array + "_0", array + "_1", array + "_2"};
    assertThat(accounted(elements))
        .extracting(AccountingIT::brief)
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(queued(elements))
        .extracting(AccountingIT::brief)
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(accounted(array + "_1"))
        .extracting(AccountingIT::brief)
        .containsExactly(expected.get(1));
  }

  @Test
  void tellsEveryComponentOfAHeterogeneousJob() {
    List<String> expected =
        List.of(heterogeneous + "+0 COMPLETED 0:0", heterogeneous + "+1 COMPLETED 0:0");
    assertThat(accounted(heterogeneous))
        .extracting(AccountingIT::brief)
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(queued(heterogeneous))
        .extracting(AccountingIT::brief)
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void tellsTheRunBeforeARequeue() {
    JobState now = queued(requeued).getFirst();
    assertThat(now.restarts()).hasValue(1);
    assertThat(now.ended()).isFalse();
    assertThat(accounted(requeued)).extracting(JobState::state).containsExactly(JobState.REQUEUED);
    assertThat(accounted(requeued).getFirst().times().end()).isPresent();
  }

  @Test
  void leavesOutJobsThatDoNotExist() {
    assertThat(queued("999999")).isEmpty();
    assertThat(accounted("999999")).isEmpty();
    assertThat(queued("999999", completed)).hasSize(1);
    assertThat(accounted("999999", completed)).hasSize(1);
  }
}
