package io.hpcrun.process;

import io.hpcrun.failure.Failure;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.commons.exec.CommandLine;
import org.apache.commons.exec.DefaultExecutor;
import org.apache.commons.exec.LogOutputStream;
import org.apache.commons.exec.PumpStreamHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a program to its end with Commons Exec, whose defaults are not what is needed here: words
 * are never quoted, a non-zero exit is a result and no exception, the time limit also ends
 * grandchildren (its own watchdog ends the direct child only and then waits for whoever holds the
 * pipe), and output is bounded.
 */
public final class Programs {
  private static final Logger LOG = LoggerFactory.getLogger(Programs.class);

  /** More output than any answer of Slurm that hpcrun asks for; the rest is dropped. */
  private static final int OUTPUT_LIMIT = 16 << 20;

  /** env(1): the program was not found. */
  private static final int NOT_FOUND = 127;

  private Programs() {}

  /**
   * What a program left behind.
   *
   * @param exitCode its exit code; 128 + n when signal n ended it
   * @param output standard output, as UTF-8
   * @param error standard error, as UTF-8
   */
  public record Result(int exitCode, String output, String error) {}

  /**
   * Runs a program.
   *
   * @param command the program, looked up on the PATH, and its arguments
   * @param unset variables of the caller's environment that the program must not see
   * @param input what it reads on standard input
   * @param limit how long it may take; after that it and all its descendants are ended
   * @throws Failure with exit code 4 when the program is missing or took too long
   */
  public static Result run(List<String> command, Set<String> unset, byte[] input, Duration limit) {
    return run(command, unset, input, limit, new BoundedOutput());
  }

  /**
   * Runs a program that says much, and reads what it says line by line, as UTF-8.
   *
   * @throws Failure with exit code 4 when the program is missing or took too long
   */
  public static Result runForLines(List<String> command, Duration limit, Consumer<String> lines) {
    return run(
        command,
        Set.of(),
        new byte[0],
        limit,
        new LogOutputStream() {
          @Override
          protected void processLine(String line, int level) {
            lines.accept(line);
          }
        });
  }

  private static Result run(
      List<String> command, Set<String> unset, byte[] input, Duration limit, OutputStream output) {
    // In a session of its own: Ctrl-C at the terminal is for hpcrun to answer, not for sbatch.
    CommandLine commandLine = new CommandLine("setsid");
    commandLine.addArgument("env", false);
    CallerEnvironment.restore(unset).forEach(word -> commandLine.addArgument(word, false));
    command.forEach(word -> commandLine.addArgument(word, false));
    BoundedOutput error = new BoundedOutput();
    TreeExecutor executor = new TreeExecutor();
    executor.setExitValues(null);
    executor.setStreamHandler(
        new PumpStreamHandler(output, error, new ByteArrayInputStream(input)));
    FutureTask<Integer> exit = new FutureTask<>(() -> executor.execute(commandLine));
    Thread thread = Thread.ofPlatform().daemon().name("program").start(exit);
    long began = System.nanoTime();
    try {
      int code = exit.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      LOG.debug("{} ended with {} after {} us", command, code, (System.nanoTime() - began) / 1_000);
      if (code == NOT_FOUND && error.text().startsWith("env: ")) {
        throw Failure.slurm(
            "'" + command.getFirst() + "' is not on the PATH",
            command.getFirst().equals("unsquashfs")
                ? "install squashfs-tools on this machine"
                : "run hpcrun where Slurm's commands are installed, or load the site's Slurm module");
      }
      String text = output instanceof BoundedOutput bounded ? bounded.text() : "";
      return new Result(code, text, error.text());
    } catch (TimeoutException tooLong) {
      executor.endTree();
      throw Failure.slurm(
          command.getFirst() + " did not answer within " + limit.toSeconds() + " s",
          "try again, or ask the administrators whether Slurm works");
    } catch (ExecutionException failed) {
      throw Failure.internal(
          "'" + command.getFirst() + "' cannot be started: " + failed.getCause().getMessage(),
          "check that coreutils and util-linux are on the PATH, and the limits (ulimit -a)",
          failed.getCause());
    } catch (InterruptedException interrupted) {
      executor.endTree();
      thread.interrupt();
      Thread.currentThread().interrupt();
      throw Failure.internal("interrupted", "try again", interrupted);
    }
  }

  /** Keeps hold of the started process, to end it with everything it started. */
  private static final class TreeExecutor extends DefaultExecutor {
    private volatile Process process;

    @SuppressWarnings("deprecation") // the builder cannot make a subclass
    TreeExecutor() {}

    @Override
    protected Process launch(
        CommandLine command, Map<String, String> environment, java.nio.file.Path directory)
        throws IOException {
      process = super.launch(command, environment, directory);
      return process;
    }

    void endTree() {
      Process started = process;
      if (started != null) {
        List<ProcessHandle> descendants = started.descendants().toList();
        started.destroyForcibly();
        descendants.forEach(ProcessHandle::destroyForcibly);
      }
    }
  }

  private static final class BoundedOutput extends OutputStream {
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();

    @Override
    public synchronized void write(int b) {
      if (kept.size() < OUTPUT_LIMIT) {
        kept.write(b);
      }
    }

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      kept.write(bytes, offset, Math.min(length, OUTPUT_LIMIT - kept.size()));
    }

    synchronized String text() {
      return kept.toString(StandardCharsets.UTF_8);
    }
  }
}
