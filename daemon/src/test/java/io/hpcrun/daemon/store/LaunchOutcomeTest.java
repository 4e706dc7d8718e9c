package io.hpcrun.daemon.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchOutcomeTest {
  private static Optional<LaunchOutcome> of(LaunchState state, OptionalLong exit, String slurm) {
    return LaunchOutcome.of(state, exit, Optional.ofNullable(slurm));
  }

  /** Slurm's states of a job that is over (squeue(1), JOB STATE CODES), and hpcrun's own. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "REVOKED",
        "TIMEOUT",
        "REQUEUED",
        "lost"
      })
  void everyEndThatSlurmNamesIsAnOutcomeOfThatName(String state) {
    assertThat(JobState.of(new JobId(1, JobId.NONE, JobId.NONE), state).ended()).isTrue();
    assertThat(of(LaunchState.RUNNING, OptionalLong.empty(), state).orElseThrow().label())
        .isEqualTo(state.toLowerCase(java.util.Locale.ROOT));
    assertThat(of(LaunchState.UNKNOWN, OptionalLong.empty(), state)).isPresent();
  }

  @ParameterizedTest
  @CsvSource({
    "RUNNING, , RUNNING",
    "RUNNING, , PENDING",
    "RUNNING, , ",
    "UNKNOWN, , ",
    "RUNNING, , REFUSED",
    "RUNNING, , anything"
  })
  void aLaunchThatMayGoOnHasNone(LaunchState state, Long exit, String slurm) {
    assertThat(of(state, OptionalLong.empty(), slurm)).isEmpty();
  }

  @Test
  void aRecordsOwnWordCountsMoreThanSlurms() {
    assertThat(of(LaunchState.ENDED, OptionalLong.of(0), "CANCELLED"))
        .contains(LaunchOutcome.COMPLETED);
    assertThat(of(LaunchState.ENDED, OptionalLong.of(137), null)).contains(LaunchOutcome.FAILED);
    assertThat(of(LaunchState.ENDED, OptionalLong.empty(), null)).contains(LaunchOutcome.OTHER);
    assertThat(of(LaunchState.REFUSED, OptionalLong.of(3), null)).contains(LaunchOutcome.REFUSED);
  }
}
