package io.hpcrun.slurm;

import java.util.Set;

/**
 * A job as {@code scontrol show job} tells it.
 *
 * @param state Slurm's name of the state, such as {@code PENDING}
 * @param reason why it waits or failed, such as {@code Resources}
 * @param exitCode exit code of the batch script
 * @param signal signal that ended the batch script, 0 for none
 * @param output file of standard output
 * @param error file of standard error
 */
public record JobStatus(
    String state, String reason, int exitCode, int signal, String output, String error) {
  /** States of a job that will not run again. */
  static final Set<String> ENDED =
      Set.of(
          "BOOT_FAIL",
          "CANCELLED",
          "COMPLETED",
          "DEADLINE",
          "FAILED",
          "NODE_FAIL",
          "OUT_OF_MEMORY",
          "PREEMPTED",
          "REVOKED",
          "TIMEOUT");

  /**
   * States in which squeue tells an estimated start or none: of a job that waits, perhaps again.
   */
  static final Set<String> WAITING =
      Set.of("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT");

  /** ExitCode 0:53 stands for a batch script that slurmd could not start. */
  private static final int NOT_STARTED = 53;

  /** Exit code for a job that Slurm ended without telling a signal: as if by SIGTERM. */
  private static final int ENDED_BY_SLURM = 128 + 15;

  /** Whether the job will not run again. */
  public boolean ended() {
    return ENDED.contains(state);
  }

  /** Whether Slurm could not even start the job's script. */
  public boolean notStarted() {
    return state.equals("FAILED") && signal == NOT_STARTED;
  }

  /** Whether the job waits for its start. */
  public boolean pending() {
    return state.equals("PENDING") || state.equals("CONFIGURING") || state.startsWith("REQUEUE");
  }

  /** What {@code hpcrun run} ends with: the application's code, or 128 + n for signal n. */
  public int shellExitCode() {
    if (state.equals("COMPLETED") || state.equals("FAILED")) {
      return signal == 0 ? exitCode : 128 + signal;
    }
    if (state.equals("NODE_FAIL")) {
      return ENDED_BY_SLURM; // Slurm's exit code 0:1 tells of no signal
    }
    if (signal > 0 && signal < 65) {
      return 128 + signal;
    }
    return exitCode != 0 ? exitCode : ENDED_BY_SLURM;
  }
}
