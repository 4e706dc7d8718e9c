package io.hpcrun.slurm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The answers in {@code src/test/resources/slurm} are what Slurm of that version printed in the
 * lab.
 */
class JobStateClientTest {
  /** What all versions say of jobs that ended, for those in the files. */
  private static final List<String> ENDS =
      List.of(
          "1 COMPLETED 0:0",
          "2 FAILED 7:0",
          "3 FAILED 0:9",
          "8_0 COMPLETED 0:0",
          "8_1 FAILED 1:0",
          "8_2 FAILED 2:0",
          "9+0 COMPLETED 0:0",
          "9+1 COMPLETED 0:0",
          "11 COMPLETED 0:0");

  private final List<List<String>> commands = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void readsHowJobsEnded(String version) {
    assertThat(queued(version)).extracting(JobStateClientTest::brief).containsAll(ENDS);
    assertThat(accounted(version)).extracting(JobStateClientTest::brief).containsAll(ENDS);
    assertThat(queued(version)).filteredOn(JobState::ended).hasSize(ENDS.size() + 3);
    assertThat(accounted(version)).filteredOn(JobState::ended).hasSize(ENDS.size() + 4);
  }

  private static String brief(JobState state) {
    return state.job() + " " + state.state() + " " + state.exitCode() + ":" + state.signal();
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void squeueAndSacctAgreeOnTheTimesOfJobsThatEnded(String version) {
    List<JobState> accounted = accounted(version);
    for (JobState state : queued(version)) {
      if (state.ended()) {
        JobState other = one(accounted, state.job().toString());
        assertThat(state.times()).as("%s", state).isEqualTo(other.times());
        assertThat(state.nodes()).isEqualTo(other.nodes());
        assertThat(state.user()).isEqualTo(other.user()).isEqualTo("alice");
        assertThat(state.partition()).isEqualTo(other.partition()).isEqualTo("main");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void aJobThatWasCancelledBeforeItsStartHasNone(String version) {
    for (List<JobState> states : List.of(queued(version), accounted(version))) {
      JobState state = one(states, "5");
      assertThat(state.state()).isEqualTo("CANCELLED");
      assertThat(state.times().submit()).isPresent();
      assertThat(state.times().eligible()).isEmpty();
      assertThat(state.times().start()).isEmpty();
      assertThat(state.times().end()).isPresent();
      assertThat(state.nodes()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void estimatesAreNoTimes(String version) {
    JobState requeued = one(queued(version), "7");
    assertThat(requeued.state()).isEqualTo("PENDING");
    assertThat(requeued.restarts()).hasValue(1);
    assertThat(requeued.times().start()).isEmpty();
    JobState running = one(queued(version), "12_5");
    assertThat(running.state()).isEqualTo("RUNNING");
    assertThat(running.restarts()).hasValue(0);
    assertThat(running.times().start()).isPresent();
    assertThat(running.times().end()).isEmpty();
    assertThat(running.ended()).isFalse();
  }

  @Test
  void theEndOfAJobThatRunsIsAnEstimate() {
    // With a time limit; the jobs of the files have none.
    JobState state =
        JobStateText.ofSqueue("12|RUNNING|0|main|alice|100|100|200|800|c1|0\n").getFirst();
    assertThat(state.times().start()).isEqualTo(OptionalLong.of(200));
    assertThat(state.times().end()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void accountingTellsEveryRunOfARequeuedJob(String version) {
    assertThat(accounted(version))
        .filteredOn(state -> state.job().number() == 7)
        .extracting(JobState::state)
        .containsExactly("REQUEUED", "PENDING");
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void tellsNodeFailures(String version) {
    assertThat(one(queued(version), "6").state()).isEqualTo("NODE_FAIL");
    assertThat(one(accounted(version), "6").state()).isEqualTo("NODE_FAIL");
    assertThat(one(accounted(version), "6").ended()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void leavesOutElementsThatHaveNotStarted(String version) {
    assertThat(queued(version))
        .filteredOn(state -> state.job().number() == 12)
        .extracting(state -> state.job().toString())
        .containsExactly("12_5");
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void aJobThatTheControllerDoesNotKnowIsAnAnswer(String version) {
    assertThat(failing(version, "squeue-unknown-job.err").queued("", ids("99999"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void aSilentControllerIsNone(String version) {
    JobStateClient client = failing(version, "squeue-silent.err");
    assertThatThrownBy(() -> client.queued("", ids("1", "2")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("Unable to contact slurm controller");
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void disabledAccountingIsAnAnswer(String version) {
    assertThat(failing(version, "sacct-disabled.err").accounted("", ids("1"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"22.05", "24.11", "26.05"})
  void silentAccountingIsNone(String version) {
    JobStateClient client = failing(version, "sacct-silent.err");
    assertThatThrownBy(() -> client.accounted("", ids("1")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("Connection refused");
  }

  @Test
  void aMissingSacctIsAnAnswer() {
    assertThat(new JobStateClient(command -> Optional.empty()).accounted("", ids("1"))).isEmpty();
    assertThatThrownBy(() -> new JobStateClient(command -> Optional.empty()).queued("", ids("1")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("squeue");
  }

  @Test
  void asksForManyJobsInFewCommandsOfBoundedLength() {
    List<JobId> jobs =
        IntStream.range(0, 2500).mapToObj(i -> new JobId(4_294_901_760L, i, JobId.NONE)).toList();
    client(new Programs.Result(0, "", "")).queued("", jobs);
    assertThat(commands).hasSize(3);
    assertThat(commands.stream().flatMap(List::stream)).allMatch(word -> word.length() < 30_000);
    assertThat(String.join(",", commands.stream().map(List::getLast).toList()))
        .contains("4294901760_0,", "4294901760_2499");
  }

  @Test
  void asksNothingForNoJobs() {
    assertThat(client(new Programs.Result(1, "", "")).queued("lab", List.of())).isEmpty();
    assertThat(client(new Programs.Result(1, "", "")).accounted("lab", List.of()))
        .hasValue(List.of());
    assertThat(commands).isEmpty();
  }

  @Test
  void namesAnotherClusterThanItsOwn() {
    JobStateClient client = client(new Programs.Result(0, "ClusterName             = lab\n", ""));
    client.queued("lab", ids("1"));
    assertThat(commands.getLast()).noneMatch(word -> word.startsWith("--clusters"));
    client.queued("other", ids("1"));
    assertThat(commands.getLast()).contains("--clusters=other");
    assertThat(commands).filteredOn(command -> command.contains("scontrol")).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "|",
        "12|RUNNING",
        "12|RUNNING|0:0|main|alice|1|1|1|1|c1|extra|fields",
        "x|COMPLETED|0:0|main|alice|1|1|1|1|c1",
        "CLUSTER: other",
        "99999999999999999999|COMPLETED|0:0|main|alice|1|1|1|1|c1"
      })
  void leavesOutLinesThatAreNoJobs(String line) {
    assertThat(JobStateText.ofSacct(line)).isEmpty();
    assertThat(JobStateText.ofSqueue(line)).isEmpty();
  }

  @Test
  void strangeValuesOfFieldsAreUnknown() {
    JobState state = JobStateText.ofSqueue("12||-|||N/A|0|x|99999999999999999999||?\n").getFirst();
    assertThat(state)
        .isEqualTo(
            new JobState(
                new JobId(12, JobId.NONE, JobId.NONE),
                "",
                0,
                0,
                OptionalInt.empty(),
                "",
                "",
                "",
                JobState.Times.UNKNOWN));
    assertThat(state.ended()).isFalse();
  }

  @Test
  void aRequeuedJobInTheQueueStillCompletes() {
    JobState state = JobStateText.ofSqueue("12|REQUEUED|0:0|main|alice|1|1|1|1|c1|1\n").getFirst();
    assertThat(state.state()).isEqualTo("COMPLETING");
    assertThat(state.ended()).isFalse();
  }

  private JobStateClient client(Programs.Result answer) {
    return new JobStateClient(
        command -> {
          commands.add(command);
          return Optional.of(answer);
        });
  }

  private JobStateClient failing(String version, String file) {
    return client(new Programs.Result(1, "", read(version + "/" + file)));
  }

  private List<JobState> queued(String version) {
    return client(new Programs.Result(0, read(version + "/squeue.txt"), "")).queued("", ids("1"));
  }

  private List<JobState> accounted(String version) {
    return client(new Programs.Result(0, read(version + "/sacct.txt"), ""))
        .accounted("", ids("1"))
        .orElseThrow();
  }

  private static JobState one(List<JobState> states, String job) {
    return states.stream()
        .filter(state -> state.job().toString().equals(job))
        .findFirst()
        .orElseThrow();
  }

  private static List<JobId> ids(String... texts) {
    return Stream.of(texts).map(text -> JobId.parse(text).orElseThrow()).toList();
  }

  private static String read(String file) {
    try (InputStream stream = JobStateClientTest.class.getResourceAsStream("/slurm/" + file)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      throw new java.io.UncheckedIOException(unreadable);
    }
  }
}
