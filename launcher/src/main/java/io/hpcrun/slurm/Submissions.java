package io.hpcrun.slurm;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/**
 * Submits many scripts, one after the other, by one shell that calls sbatch for each: to start a
 * program from a shell costs a third of what it costs from Java.
 */
public final class Submissions implements AutoCloseable {
  private static final String LOOP =
      """
      set -f
      while read -r hpcrun_words; do
        (
          for hpcrun_word in $hpcrun_words; do
            case $hpcrun_word in
              *=*)
                printf -v hpcrun_value %b "${hpcrun_word#*=}"
                export "${hpcrun_word%%=*}=$hpcrun_value"
                ;;
              *) unset -v "$hpcrun_word" ;;
            esac
          done
          exec sbatch --parsable <"$1/script" 2>"$1/said"
        )
        printf '=%d\\n' "$?"
      done
      """;

  /** Begins the line with sbatch's exit code. */
  private static final String END = "=";

  /** No line holds this. */
  private static final String OVER = "\0";

  /** The shell cannot start sbatch. */
  private static final int NOT_FOUND = 127;

  private static final Duration LIFE = Duration.ofDays(7);

  private final Path directory;
  private final LinkedBlockingQueue<Optional<String>> questions = new LinkedBlockingQueue<>();
  private final LinkedBlockingQueue<String> answers = new LinkedBlockingQueue<>();
  private final Thread shell;

  /** Starts the shell. */
  public Submissions() {
    try {
      directory = Files.createTempDirectory("hpcrun-submit");
    } catch (IOException full) {
      throw Failure.internal(
          "no directory for job scripts can be made: " + full.getMessage(),
          "make room in " + System.getProperty("java.io.tmpdir"),
          full);
    }
    shell = Thread.ofPlatform().daemon().name("submissions").start(this::run);
  }

  private void run() {
    try {
      Programs.converse(
          List.of("bash", "-p", "-c", LOOP, "hpcrun", directory.toString()),
          this::next,
          answers::add,
          LIFE);
    } catch (Failure ended) {
      LoggerFactory.getLogger(Submissions.class).debug("the shell ended", ended);
    }
    answers.add(OVER);
  }

  private Optional<String> next() {
    try {
      return questions.take();
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /**
   * Submits a script. One thread at a time may call this.
   *
   * @param script the batch script
   * @param changes variables that sbatch must not see because they would override the script, and
   *     secrets that it gets; nothing else may change here
   * @return {@code JOBID}, or {@code JOBID;CLUSTER}, as {@code sbatch --parsable} prints it
   * @throws Failure with exit code 4 and sbatch's own words when it refuses, or does not answer
   */
  public String submit(byte[] script, Programs.Changes changes) {
    try {
      // Where ext4 sees a file cut short and written again it waits for the disk (auto_da_alloc).
      Files.deleteIfExists(directory.resolve("script"));
      Files.write(directory.resolve("script"), script);
      questions.add(Optional.of(words(changes)));
      StringBuilder output = new StringBuilder();
      String line = answer();
      for (; !line.startsWith(END); line = answer()) {
        output.append(line).append('\n');
      }
      int code = Integer.parseInt(line.substring(END.length()));
      if (code == NOT_FOUND) {
        throw SlurmCommands.missing("sbatch");
      }
      String said =
          new String(Files.readAllBytes(directory.resolve("said")), StandardCharsets.UTF_8);
      return SlurmCommands.submitted(code, output.toString(), said);
    } catch (IOException full) {
      throw Failure.internal(
          "a job script cannot be written to " + directory + ": " + full.getMessage(),
          "make room there",
          full);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw Failure.internal("interrupted", "try again", interrupted);
    }
  }

  /** Names of variables to unset, and NAME=VALUE in printf's way (bash(1), {@code %b}). */
  private static String words(Programs.Changes changes) {
    StringBuilder words = new StringBuilder(String.join(" ", changes.unset()));
    changes
        .secrets()
        .forEach(
            (name, value) -> {
              words.append(' ').append(name).append('=');
              for (byte each : value.getBytes(StandardCharsets.UTF_8)) {
                words.append("\\0%03o".formatted(each & 0xff));
              }
            });
    return words.toString();
  }

  private String answer() throws InterruptedException {
    String line = answers.poll(SlurmCommands.LIMIT.toSeconds(), TimeUnit.SECONDS);
    if (line == null) {
      throw Failure.slurm(
          "sbatch did not answer within " + SlurmCommands.LIMIT.toSeconds() + " s",
          "try again, or ask the administrators whether Slurm works");
    }
    if (line.equals(OVER)) {
      throw Failure.slurm("the shell that calls sbatch has ended", "try again");
    }
    return line;
  }

  /** Ends the shell. */
  @Override
  public void close() {
    questions.add(Optional.empty());
    try {
      shell.join(SlurmCommands.LIMIT);
      shell.interrupt();
      for (String name : List.of("script", "said")) {
        Files.deleteIfExists(directory.resolve(name));
      }
      Files.deleteIfExists(directory);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (IOException left) {
      LoggerFactory.getLogger(Submissions.class).debug("{} is left", directory, left);
    }
  }
}
