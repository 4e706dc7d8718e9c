package io.hpcrun.lab;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.BooleanSupplier;

/** A user's jobs, as Slurm's own commands tell of them. */
public final class Jobs {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final long LOOK_EVERY_MS = 200;

  private final Login login;

  /** The jobs of this login's user. */
  public Jobs(Login login) {
    this.login = login;
  }

  /** Submits with {@code hpcrun submit --parsable}; the job's id. */
  public String submit(String... words) {
    return submit(login, words);
  }

  /** Submits from a login with another environment; the job's id. */
  public String submit(Login from, String... words) {
    List<String> command = new ArrayList<>(List.of("hpcrun", "submit", "--parsable"));
    command.addAll(Arrays.asList(words));
    return from.run(command).succeeded().output().strip();
  }

  /** Jobs that wait, run or are about to end. */
  public List<String> inQueue() {
    return login.run("squeue", "--me", "--noheader", "--format=%i").succeeded().lines();
  }

  /** All jobs that Slurm still knows, in whatever state. */
  public List<String> known() {
    return login
        .run("squeue", "--me", "--noheader", "--states=all", "--format=%i")
        .succeeded()
        .lines();
  }

  /** A field of {@code scontrol show job}, such as {@code JobState}; the first of that name. */
  public String field(String job, String field) {
    for (String line : login.run("scontrol", "show", "job", job).succeeded().lines()) {
      for (String word : line.strip().split(" ")) {
        if (word.startsWith(field + "=")) {
          return word.substring(field.length() + 1);
        }
      }
    }
    throw new AssertionError("job " + job + " has no field " + field);
  }

  /** Waits until the jobs have ended. */
  public void awaitEnd(Collection<String> jobs) {
    String list = String.join(",", jobs);
    await(
        "the end of the jobs " + list,
        () ->
            login
                .run("squeue", "--noheader", "--jobs=" + list, "--format=%i")
                .succeeded()
                .output()
                .isEmpty());
  }

  /** Waits until the job has ended. */
  public void awaitEnd(String job) {
    awaitEnd(List.of(job));
  }

  /** Waits until a file is there, on the file system that all nodes share. */
  public void awaitFile(String path) {
    await("the file " + path, () -> login.run("test", "-e", path).exitCode() == 0);
  }

  /** Waits until no node of the main partition runs or completes a job. */
  public void awaitIdleNodes() {
    await(
        "idle nodes",
        () ->
            login
                .run("sinfo", "--noheader", "--Node", "--partition=main", "--format=%T")
                .succeeded()
                .lines()
                .stream()
                .allMatch("idle"::equals));
  }

  /** Waits for a condition that has to come, for as long as a slow machine may need. */
  public static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited " + PATIENCE.toSeconds() + " s in vain for " + what);
      }
      try {
        Thread.sleep(LOOK_EVERY_MS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted while waiting for " + what, interrupted);
      }
    }
  }
}
