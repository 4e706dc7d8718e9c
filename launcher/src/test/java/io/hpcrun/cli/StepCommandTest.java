package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

class StepCommandTest {
  private static final Map<String, String> OUTSIDE = Map.of("HOME", "/home/u");
  private static final Map<String, String> INSIDE = Map.of("HOME", "/home/u", "SLURM_JOB_ID", "12");

  @Test
  void aStepNeedsAJob() {
    refuses(StepCommand::exec, OUTSIDE, "SLURM_JOB_ID is not set", "i.sif", "app");
  }

  @Test
  void aStepTakesNoOptionsOfJobs() {
    refuses(
        StepCommand::exec, INSIDE, "does not know the option --array", "--array=1-2", "i.sif", "a");
    refuses(StepCommand::exec, INSIDE, "does not know the option -p", "-p", "x", "i.sif", "a");
  }

  @Test
  void aShellTakesNoCommand() {
    refuses(StepCommand::shell, OUTSIDE, "there is no image");
    refuses(StepCommand::shell, OUTSIDE, "takes no command", "i.sif", "ls");
  }

  @Test
  void aShellInAJobAsksForNoOther() {
    refuses(StepCommand::shell, INSIDE, "--time is for a new job", "-t", "10", "i.sif");
  }

  private static void refuses(
      BiFunction<List<String>, Console, Integer> command,
      Map<String, String> environment,
      String message,
      String... words) {
    Console console = new Console(System.out, System.err, Path.of("/work"), environment);
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> command.apply(List.of(words), console))
        .withMessageContaining(message)
        .matches(failure -> failure.exitCode() == ExitCode.USAGE);
  }
}
