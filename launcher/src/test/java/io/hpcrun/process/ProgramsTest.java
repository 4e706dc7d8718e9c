package io.hpcrun.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ProgramsTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  @TempDir private Path directory;

  @Test
  void givesInputAndReturnsOutputErrorAndExitCode() {
    Programs.Result result = run("cat; echo oops >&2; exit 7");
    assertThat(result).isEqualTo(new Programs.Result(7, "input", "oops\n"));
  }

  @Test
  void wordsAreNotQuotedOrSplit() {
    List<String> words = List.of("a b", "it's", "\"q\"", "'q'", "", "$HOME", "-n", "a\nb");
    List<String> command = new java.util.ArrayList<>(List.of("printf", "[%s]"));
    command.addAll(words);
    Programs.Result result = Programs.run(command, Set.of(), new byte[0], LONG);
    assertThat(result.output()).isEqualTo("[" + String.join("][", words) + "]");
  }

  @Test
  @Timeout(30)
  void theTimeLimitEndsGrandchildrenToo() throws Exception {
    Path pid = directory.resolve("pid");
    String script = "sleep 987 & echo $! >" + pid + "; sleep 988; true";
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(
            () ->
                Programs.run(
                    List.of("sh", "-c", script), Set.of(), new byte[0], Duration.ofSeconds(1)))
        .withMessage("sh did not answer within 1 s");
    long grandchild = Long.parseLong(Files.readString(pid).strip());
    // It was sent its signal; on a busy machine the end comes a moment later.
    while (ProcessHandle.of(grandchild).map(ProcessHandle::isAlive).orElse(false)
        && !isZombie(grandchild)) {
      Thread.sleep(10);
    }
  }

  @Test
  void aMissingProgramIsAFailureOfSlurmsCommands() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> Programs.run(List.of("no-such-program"), Set.of(), new byte[0], LONG))
        .withMessage("'no-such-program' is not on the PATH")
        .matches(failure -> failure.exitCode() == ExitCode.SLURM);
  }

  @Test
  void programsDoNotHearTheTerminalsSignals() {
    Programs.Result session =
        Programs.run(List.of("sh", "-c", "ps -o sid= -p $$; echo $$"), Set.of(), new byte[0], LONG);
    String[] ids = session.output().strip().split("\\s+");
    assertThat(ids[0]).isEqualTo(ids[1]);
  }

  @Test
  void variablesCanBeTakenAway() {
    assertThat(System.getenv()).containsKey("PATH").containsKey("HOME");
    Programs.Result result =
        Programs.run(List.of("sh", "-c", "echo ${HOME-unset}"), Set.of("HOME"), new byte[0], LONG);
    assertThat(result.output()).isEqualTo("unset\n");
  }

  @Test
  void secretsAreInNoCommandLine() {
    Programs.Result result =
        Programs.run(
            List.of(
                "sh", "-c", "printf %s \"$TOKEN|$HOME\"; cat /proc/$$/cmdline /proc/$PPID/cmdline"),
            new Programs.Changes(
                Set.of("HOME"),
                Map.of(),
                Map.of("TOKEN", "s3cret $(id)\n\u00e9"),
                Optional.empty()),
            new byte[0],
            LONG);
    assertThat(result.output()).startsWith("s3cret $(id)\n\u00e9|");
    assertThat(result.output().substring(10)).doesNotContain("s3cret");
  }

  @Test
  void theCallersVariablesAreThoseBeforeTheStartScript() {
    assertThat(
            CallerEnvironment.of(
                Map.of(
                    "LC_ALL", "C.UTF-8",
                    "HPCRUN_OUTER_KEPT", "1",
                    "HPCRUN_OUTER_JAVA_TOOL_OPTIONS", "-Xmx1g",
                    "A", "b")))
        .isEqualTo(Map.of("JAVA_TOOL_OPTIONS", "-Xmx1g", "A", "b"));
    assertThat(CallerEnvironment.of(Map.of("LC_ALL", "x"))).isEqualTo(Map.of("LC_ALL", "x"));
  }

  @Test
  void whatIsSaidOnTheWayIsHeardLineByLine() {
    List<String> heard = new java.util.concurrent.CopyOnWriteArrayList<>();
    Programs.Result result =
        Programs.runWatched(
            List.of("sh", "-c", "echo out; printf 'a\\nb c\\n' >&2; cat; echo \"$A\" >&2; exit 7"),
            Set.of(),
            Map.of("A", "it's $(id)"),
            LONG,
            heard::add);
    assertThat(result).isEqualTo(new Programs.Result(7, "out\n", "a\nb c\nit's $(id)\n"));
    assertThat(heard).containsExactly("a", "b c", "it's $(id)");
  }

  @Test
  void aMissingProgramIsSaidWhenItIsWatchedToo() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(
            () ->
                Programs.runWatched(
                    List.of("no-such-program"), Set.of(), Map.of(), LONG, line -> {}))
        .withMessage("'no-such-program' is not on the PATH");
  }

  @Test
  @Timeout(30)
  void whatIsWatchedEndsWithItsThread() throws Exception {
    Path pid = directory.resolve("pid");
    Thread self = Thread.currentThread();
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(
            () ->
                Programs.runWatched(
                    List.of("sh", "-c", "sleep 987 & echo $! >" + pid + "; echo go >&2; sleep 988"),
                    Set.of(),
                    Map.of(),
                    LONG,
                    line -> self.interrupt()))
        .withMessage("interrupted");
    assertThat(Thread.interrupted()).isTrue();
    awaitEnd(Long.parseLong(Files.readString(pid).strip()));
  }

  /** kill -9 leaves no time to end anything: the kernel closes the pipe. */
  @Test
  @Timeout(60)
  void whatIsWatchedEndsWhenThisProcessIsKilled() throws Exception {
    Path pid = directory.resolve("pid");
    Process other =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Watching.class.getName(),
                pid.toString())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    other.getInputStream().read();
    other.destroyForcibly().waitFor();
    awaitEnd(Long.parseLong(Files.readString(pid).strip()));
  }

  /** Runs a program that does not end by itself, and says so. */
  static final class Watching {
    private Watching() {}

    public static void main(String[] words) {
      Programs.runWatched(
          List.of("sh", "-c", "sleep 987 & echo $! >" + words[0] + "; echo go >&2; sleep 988"),
          Set.of(),
          Map.of(),
          LONG,
          System.out::println);
    }
  }

  private static void awaitEnd(long process) throws Exception {
    while (ProcessHandle.of(process).map(ProcessHandle::isAlive).orElse(false)
        && !isZombie(process)) {
      Thread.sleep(10);
    }
  }

  private static boolean isZombie(long pid) throws Exception {
    Path stat = Path.of("/proc/" + pid + "/stat");
    return Files.exists(stat) && Files.readString(stat).contains(") Z ");
  }

  private static Programs.Result run(String script) {
    return Programs.run(
        List.of("sh", "-c", script), Set.of(), "input".getBytes(StandardCharsets.UTF_8), LONG);
  }
}
