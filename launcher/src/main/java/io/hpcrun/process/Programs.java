package io.hpcrun.process;

import io.hpcrun.failure.Failure;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
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

  /** env(1) and bash: the program was not found. */
  private static final int NOT_FOUND = 127;

  private static final Pattern NOT_THERE =
      Pattern.compile("^(env: |hpcrun: line \\d+: [^ ]+: command not found)");

  private static final int LONGEST_LINE = 4096;

  /**
   * Runs a program, and ends the whole session when standard input ends: the kernel closes it when
   * the process at its other end is gone, however that was killed.
   */
  private static final String WATCHED =
      """
      exec 3<&0 </dev/null
      "$@" 3<&- &
      program=$!
      { read -r _ <&3; kill -s KILL 0; } >/dev/null 2>&1 &
      exec 3<&-
      wait "$program"
      code=$?
      exec 2>/dev/null # a shell may say that what it killed was killed
      kill -s KILL "$!"
      exit "$code"
      """;

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
   * How the surroundings of a program differ from the caller's.
   *
   * @param unset variables that it must not see
   * @param set variables that it gets; others can see their values while it starts (ps)
   * @param secrets variables that it gets and that are in no command line
   * @param directory its working directory; empty for the caller's
   */
  public record Changes(
      Set<String> unset,
      Map<String, String> set,
      Map<String, String> secrets,
      Optional<Path> directory) {
    /** None. */
    public static final Changes NONE = without(Set.of());

    /** Copies set and maps. */
    public Changes {
      unset = Set.copyOf(unset);
      set = Map.copyOf(set);
      secrets = Map.copyOf(secrets);
    }

    /** Without these variables only. */
    static Changes without(Set<String> unset) {
      return new Changes(unset, Map.of(), Map.of(), Optional.empty());
    }

    /** Values of secrets are for the program only. */
    @Override
    public String toString() {
      return "without %s, with %s and %s".formatted(unset, set, secrets.keySet());
    }
  }

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
    return run(command, Changes.without(unset), input, limit);
  }

  /** The same in other surroundings. */
  public static Result run(List<String> command, Changes changes, byte[] input, Duration limit) {
    return run(command, changes, input, limit, new BoundedOutput())
        .orElseThrow(() -> missing(command.getFirst()));
  }

  /**
   * Runs a program that may be missing.
   *
   * @return empty when the program is not on the PATH, nor the one that it starts if it is env(1)
   * @throws Failure with exit code 4 when it took too long
   */
  public static Optional<Result> runIfInstalled(
      List<String> command, Set<String> unset, byte[] input, Duration limit) {
    return run(command, Changes.without(unset), input, limit, new BoundedOutput());
  }

  /**
   * Runs a program that says much, and reads what it says line by line, as UTF-8.
   *
   * @throws Failure with exit code 4 when the program is missing or took too long
   */
  public static Result runForLines(List<String> command, Duration limit, Consumer<String> lines) {
    return run(
            command,
            Changes.NONE,
            new byte[0],
            limit,
            new LogOutputStream() {
              @Override
              protected void processLine(String line, int level) {
                lines.accept(line);
              }
            })
        .orElseThrow(() -> missing(command.getFirst()));
  }

  /**
   * Runs a program that takes long and tells on standard error how it goes. It ends, with all that
   * it started, when the thread is interrupted, and when this process is killed.
   *
   * @param set variables that the program gets beside the caller's
   * @param messages hears each line of standard error
   * @throws Failure with exit code 4 when the program is missing or took too long, 1 when the
   *     thread was interrupted
   */
  public static Result runWatched(
      List<String> command,
      Set<String> unset,
      Map<String, String> set,
      Duration limit,
      Consumer<String> messages) {
    List<String> words = new ArrayList<>();
    set.forEach((name, value) -> words.add(name + "=" + value));
    words.addAll(List.of("bash", "-p", "-c", WATCHED, "hpcrun"));
    words.addAll(command);
    TreeExecutor executor = new TreeExecutor();
    BoundedOutput error =
        new BoundedOutput() {
          private final StringBuilder line = new StringBuilder();

          @Override
          public synchronized void write(byte[] bytes, int offset, int length) {
            super.write(bytes, offset, length);
            for (char c : new String(bytes, offset, length, StandardCharsets.UTF_8).toCharArray()) {
              if (c == '\n' || c == '\r') {
                messages.accept(line.toString());
                line.setLength(0);
              } else if (line.length() < LONGEST_LINE) {
                line.append(c);
              }
            }
          }
        };
    return run(
            command.getFirst(),
            words,
            Changes.without(unset),
            executor.untilItsEnd(),
            limit,
            new BoundedOutput(),
            error,
            executor)
        .orElseThrow(() -> missing(command.getFirst()));
  }

  /**
   * Runs a program that reads lines and answers each, until there are no more.
   *
   * @param lines waits for the next line; empty: there is none, and the program's input ends
   * @param answers hears each line that the program prints, as UTF-8
   * @param limit how long all may take; after that the program and all its descendants are ended
   * @throws Failure with exit code 4 when the program is missing or took too long, 1 when the
   *     thread was interrupted
   */
  public static Result converse(
      List<String> command,
      Supplier<Optional<String>> lines,
      Consumer<String> answers,
      Duration limit) {
    TreeExecutor executor = new TreeExecutor();
    return run(
            command.getFirst(),
            command,
            Changes.NONE,
            executor.input(lines),
            limit,
            new LogOutputStream() {
              @Override
              protected void processLine(String line, int level) {
                answers.accept(line);
              }
            },
            new BoundedOutput(),
            executor)
        .orElseThrow(() -> missing(command.getFirst()));
  }

  private static Failure missing(String program) {
    return Failure.slurm(
        "'" + program + "' is not on the PATH",
        switch (program) {
          case "unsquashfs" -> "install squashfs-tools on this machine";
          case "apptainer" -> "install Apptainer on this machine, or load the site's module";
          default ->
              "run hpcrun where Slurm's commands are installed, or load the site's Slurm module";
        });
  }

  /** Empty when there is no such program. */
  private static Optional<Result> run(
      List<String> command, Changes changes, byte[] input, Duration limit, OutputStream output) {
    return run(
        command.getFirst(),
        command,
        changes,
        new ByteArrayInputStream(input),
        limit,
        output,
        new BoundedOutput(),
        new TreeExecutor(changes.secrets()));
  }

  private static Optional<Result> run(
      String program,
      List<String> words,
      Changes changes,
      InputStream input,
      Duration limit,
      OutputStream output,
      BoundedOutput error,
      TreeExecutor executor) {
    // In a session of its own: Ctrl-C at the terminal is for hpcrun to answer, not for sbatch.
    CommandLine commandLine = new CommandLine("setsid");
    commandLine.addArgument("env", false);
    CallerEnvironment.restore(changes).forEach(word -> commandLine.addArgument(word, false));
    words.forEach(word -> commandLine.addArgument(word, false));
    executor.setExitValues(null);
    executor.setStreamHandler(new PumpStreamHandler(output, error, input));
    FutureTask<Integer> exit = new FutureTask<>(() -> executor.execute(commandLine));
    Thread thread = Thread.ofPlatform().daemon().name("program").start(exit);
    long began = System.nanoTime();
    try {
      int code = exit.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      LOG.debug("{} ended with {} after {} us", program, code, (System.nanoTime() - began) / 1_000);
      if (code == NOT_FOUND && NOT_THERE.matcher(error.text()).find()) {
        return Optional.empty();
      }
      String text = output instanceof BoundedOutput bounded ? bounded.text() : "";
      return Optional.of(new Result(code, text, error.text()));
    } catch (TimeoutException tooLong) {
      executor.endTree();
      throw Failure.slurm(
          program + " did not answer within " + limit.toSeconds() + " s",
          "try again, or ask the administrators whether Slurm works");
    } catch (ExecutionException failed) {
      throw Failure.internal(
          "'" + program + "' cannot be started: " + failed.getCause().getMessage(),
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
    private final Map<String, String> secrets;
    private volatile Process process;

    TreeExecutor() {
      this(Map.of());
    }

    @SuppressWarnings("deprecation") // the builder cannot make a subclass
    TreeExecutor(Map<String, String> secrets) {
      this.secrets = secrets;
    }

    @Override
    protected Process launch(CommandLine command, Map<String, String> environment, Path directory)
        throws IOException {
      if (secrets.isEmpty()) {
        process = super.launch(command, environment, directory);
      } else {
        // Commons Exec would take a whole environment, as texts; so what is not UTF-8 would change.
        ProcessBuilder builder = new ProcessBuilder(command.toStrings());
        builder.environment().putAll(secrets);
        process = builder.start();
      }
      return process;
    }

    /** An input without a byte, which ends when the process does. */
    InputStream untilItsEnd() {
      return new InputStream() {
        @Override
        public int read() throws IOException {
          try {
            process.waitFor();
            return -1;
          } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IOException(stopped);
          }
        }
      };
    }

    /**
     * Lines as they come; what was written before goes to the process while the next is awaited.
     */
    InputStream input(Supplier<Optional<String>> lines) {
      return new InputStream() {
        private byte[] line = {};
        private int from;

        @Override
        public int read() throws IOException {
          byte[] one = new byte[1];
          return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
          if (from == line.length) {
            process.getOutputStream().flush();
            Optional<String> next = lines.get();
            if (next.isEmpty()) {
              return -1;
            }
            line = (next.get() + "\n").getBytes(StandardCharsets.UTF_8);
            from = 0;
          }
          int count = Math.min(length, line.length - from);
          System.arraycopy(line, from, bytes, offset, count);
          from += count;
          return count;
        }
      };
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

  private static class BoundedOutput extends OutputStream {
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
