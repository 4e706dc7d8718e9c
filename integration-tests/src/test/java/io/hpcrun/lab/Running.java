package io.hpcrun.lab;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A command on a node that runs while the test goes on, and can be sent signals. */
public final class Running {
  private static final long PATIENCE_SECONDS = 120;

  private final Login login;
  private final String state = "/home/alice/.running-" + UUID.randomUUID();
  private final CompletableFuture<Outcome> outcome;

  /** Starts a command of alice's; signals meet it as they would in the foreground of a terminal. */
  public Running(Login login, String... words) {
    this.login = login;
    List<String> command =
        new ArrayList<>(
            List.of(
                "bash",
                "-c",
                "echo $$ >\"$0.new\" && mv \"$0.new\" \"$0\" && exec \"$@\" 2>\"$0.err\"",
                state));
    command.addAll(Arrays.asList(words));
    this.outcome = CompletableFuture.supplyAsync(() -> login.run(command));
    new Jobs(login).awaitFile(state);
  }

  /** Sends a signal, such as {@code INT}. */
  public void signal(String name) {
    String pid = new String(login.read(state), java.nio.charset.StandardCharsets.UTF_8).strip();
    login.run("kill", "-" + name, pid).succeeded();
  }

  /** What it wrote to standard error so far. */
  public String errorSoFar() {
    return login.run("cat", state + ".err").output();
  }

  /** Waits until it has written a text to standard error. */
  public void awaitError(String text) {
    Jobs.await("'" + text + "' in " + state + ".err", () -> errorSoFar().contains(text));
  }

  /** Whether it still runs. */
  public boolean isRunning() {
    return !outcome.isDone();
  }

  /** Waits for its end. */
  public Outcome await() {
    try {
      Outcome ended = outcome.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      return new Outcome(ended.exitCode(), ended.out(), login.read(state + ".err"));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", interrupted);
    } catch (ExecutionException failed) {
      throw new AssertionError(failed.getCause());
    } catch (TimeoutException endless) {
      throw new AssertionError("it does not end; so far: " + errorSoFar(), endless);
    }
  }
}
