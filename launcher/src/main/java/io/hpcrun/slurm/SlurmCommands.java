package io.hpcrun.slurm;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Runs Slurm's commands so that they answer as expected, with a time limit on each. */
final class SlurmCommands {
  /** Longer than Slurm's own MessageTimeout (10 s) with its retries. */
  static final Duration LIMIT = Duration.ofSeconds(60);

  private static final byte[] NO_INPUT = {};

  /** Variables that change what Slurm's commands answer, and how that looks. */
  private static final Set<String> FORMATS =
      Set.of(
          "SLURM_TIME_FORMAT",
          "SINFO_FORMAT",
          "SINFO_PARTITION",
          "SQUEUE_ACCOUNT",
          "SQUEUE_ARRAY",
          "SQUEUE_FEDERATION",
          "SQUEUE_FORMAT",
          "SQUEUE_FORMAT2",
          "SQUEUE_LICENSES",
          "SQUEUE_NAMES",
          "SQUEUE_PARTITION",
          "SQUEUE_QOS",
          "SQUEUE_STATES",
          "SQUEUE_USERS",
          "SACCT_FEDERATION",
          "SACCT_FORMAT",
          "SCONTROL_ALL");

  private SlurmCommands() {}

  /** Runs a command; a failure with exit code 4 when it is missing or takes too long. */
  static Programs.Result run(List<String> command) {
    return Programs.run(command, FORMATS, NO_INPUT, LIMIT);
  }

  /**
   * Runs a command; empty when it is missing, a failure with exit code 4 when it takes too long.
   */
  static Optional<Programs.Result> runIfInstalled(List<String> command) {
    return Programs.runIfInstalled(command, FORMATS, NO_INPUT, LIMIT);
  }

  /** Runs a command that has to succeed. */
  static Programs.Result ask(List<String> command) {
    Programs.Result result = run(command);
    if (result.exitCode() != 0) {
      throw unanswered(String.join(" ", command), result);
    }
    return result;
  }

  static Failure unanswered(String command, Programs.Result result) {
    return Failure.slurm(
        "Slurm did not answer '" + command + "': " + messages(result.error()),
        "check with 'sinfo' whether the cluster is up; nothing was changed");
  }

  /** The id that {@code sbatch --parsable} printed. */
  static String submitted(int exitCode, String output, String error) {
    String id = output.strip();
    if (exitCode != 0 || id.isEmpty()) {
      throw Failure.slurm(
          "sbatch refused the job: " + messages(error),
          "change the option that it names; 'hpcrun submit --dry-run' shows the script");
    }
    return id;
  }

  static Failure missing(String program) {
    return Failure.slurm(
        "'" + program + "' is not on the PATH",
        "run hpcrun where Slurm's commands are installed, or load the site's Slurm module");
  }

  /** Slurm's messages in one line, without the "sbatch: error:" before each. */
  static String messages(String error) {
    return error
        .lines()
        .map(line -> line.replaceFirst("^[a-z]+: (error|fatal): ", ""))
        .map(line -> line.replaceFirst("^[a-z]+: ", ""))
        .filter(line -> !line.isBlank())
        .distinct()
        .collect(Collectors.joining("; "));
  }
}
