package io.hpcrun.daemon.api;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Calls that may wait in native code or in a file system, such as for a directory service or a
 * server that hangs, in a few threads of their own. A virtual thread that waited there would keep
 * its carrier, of which there are as many as processors: a few of them, and nobody is answered any
 * more. Thread-safe.
 */
final class Blocking {
  private final ExecutorService threads;
  private final Duration patience;
  private final String what;

  /**
   * No call yet.
   *
   * @param what what is waited for, for people
   * @param threads calls at a time; others wait
   * @param patience how long an answer is waited for
   */
  Blocking(String what, int threads, Duration patience) {
    this.what = what;
    this.patience = patience;
    this.threads =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("blocking-", 0).factory());
  }

  /**
   * Calls, and waits for the answer.
   *
   * @throws Problem.Unanswerable with status 503 when there is none in time
   */
  <T> T call(Callable<T> call) {
    Future<T> answer = threads.submit(call);
    try {
      return answer.get(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException slow) {
      answer.cancel(true);
      throw Problem.unavailable(
          "%s did not answer within %d s".formatted(what, patience.toSeconds()), "try again later");
    } catch (InterruptedException interrupted) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw Problem.unavailable("nobody waits for the answer any more", "try again later");
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case RuntimeException known -> throw known;
        case Error error -> throw error;
        default -> throw new IllegalStateException(failed.getCause());
      }
    }
  }

  /** The same for what answers a request. */
  Endpoint.Action around(Endpoint.Action action) {
    return call -> call(() -> action.answer(call));
  }
}
