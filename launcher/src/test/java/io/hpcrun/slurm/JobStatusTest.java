package io.hpcrun.slurm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JobStatusTest {
  @ParameterizedTest
  @CsvSource({
    "COMPLETED, 0, 0, 0",
    "FAILED, 7, 0, 7",
    "FAILED, 0, 9, 137",
    "CANCELLED, 0, 15, 143",
    "CANCELLED, 0, 0, 143",
    "TIMEOUT, 0, 0, 143",
    "OUT_OF_MEMORY, 0, 125, 143",
    "NODE_FAIL, 0, 1, 143",
  })
  void endsAsTheJobDid(String state, int exitCode, int signal, int expected) {
    JobStatus status = new JobStatus(state, "None", exitCode, signal, "", "");
    assertThat(status.ended()).isTrue();
    assertThat(status.shellExitCode()).isEqualTo(expected);
  }

  @Test
  void aScriptThatCouldNotBeStartedIsNoSignal() {
    assertThat(new JobStatus("FAILED", "RaisedSignal", 0, 53, "", "").notStarted()).isTrue();
    assertThat(new JobStatus("FAILED", "NonZeroExitCode", 53, 0, "", "").notStarted()).isFalse();
  }

  @Test
  void aJobThatIsCompletingHasNotEnded() {
    JobStatus status = new JobStatus("COMPLETING", "None", 0, 0, "", "");
    assertThat(status.ended()).isFalse();
    assertThat(status.pending()).isFalse();
  }
}
