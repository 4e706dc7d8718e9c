package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.manifest.ManifestMaker.Planned;
import io.hpcrun.request.Requests;
import io.hpcrun.slurm.Submissions;
import io.hpcrun.spec.ArrayIndices;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Submits the elements of a sweep as jobs: a few sbatch at once, not faster than the file allows.
 * It stops at the first that fails, and at Ctrl-C; then it says which are not submitted.
 */
final class SweepSubmission {
  /** sbatch waits for slurmctld most of its time; more at once would only press on that. */
  private static final int AT_ONCE = 2;

  /** 128 and SIGINT, as shells say it. */
  private static final int INTERRUPTED = 130;

  private final Asked.Jobs jobs;
  private final List<String> words;
  private final Launcher launcher;
  private final Console console;
  private final boolean parsable;

  /** The job id of each element so far, once sbatch has said it; empty if it refused. */
  private final List<CompletableFuture<Optional<String>>> submissions = new ArrayList<>();

  private final BlockingQueue<Submissions> free = new LinkedBlockingQueue<>();
  private final Semaphore stop = new Semaphore(0);
  private int printed;
  private volatile boolean stopped;
  private volatile Failure failure;

  SweepSubmission(
      Asked.Jobs jobs, List<String> words, Launcher launcher, Console console, boolean parsable) {
    this.jobs = jobs;
    this.words = words;
    this.launcher = launcher;
    this.console = console;
    this.parsable = parsable;
  }

  /**
   * Submits all.
   *
   * @return what the command is to end with
   * @throws Failure of the first element that could not be submitted
   */
  int submit() {
    Interrupts.install()
        .listen(
            new Interrupts.Listener() {
              @Override
              public void asked() {
                cancel();
              }

              @Override
              public void cancel() {
                stopped = true;
                stop.release();
              }
            });
    try (ExecutorService workers =
        Executors.newFixedThreadPool(AT_ONCE, Thread.ofPlatform().daemon().factory())) {
      for (int i = 0; i < AT_ONCE; i++) {
        free.add(new Submissions());
      }
      submit(workers);
    }
    free.forEach(Submissions::close);
    printSubmitted();
    console.out().flush();
    return end();
  }

  private int end() {
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < jobs.elements().size(); i++) {
      if (i >= submissions.size() || submissions.get(i).join().isEmpty()) {
        missing.add(jobs.elements().get(i));
      }
    }
    if (missing.isEmpty()) {
      return ExitCode.OK.code();
    }
    String others =
        "%d of %d jobs are submitted; the same command with --array=%s submits the others"
            .formatted(
                jobs.elements().size() - missing.size(),
                jobs.elements().size(),
                ArrayIndices.text(missing));
    if (failure != null) {
      throw failure.amended("", "; " + others);
    }
    console.err().println("hpcrun: stopped: " + others);
    return INTERRUPTED;
  }

  private void submit(ExecutorService workers) {
    long began = System.nanoTime();
    for (int i = 0; i < jobs.elements().size(); i++) {
      Submissions sbatch = awaitTurn(i, began);
      if (stopped || failure != null) {
        free.add(sbatch);
        return;
      }
      try {
        Requests.Requested requested = jobs.job().apply(jobs.elements().get(i));
        Planned planned = launcher.plan(requested.with(limited(requested.spec(), i)));
        CompletableFuture<Optional<String>> submission = new CompletableFuture<>();
        submissions.add(submission);
        int element = jobs.elements().get(i);
        workers.execute(() -> submit(planned, submission, element, sbatch));
      } catch (Failure refused) {
        fail(refused, jobs.elements().get(i));
        free.add(sbatch);
      }
      printSubmitted();
    }
  }

  private void submit(
      Planned planned,
      CompletableFuture<Optional<String>> submission,
      int element,
      Submissions sbatch) {
    Optional<String> id = Optional.empty();
    try {
      List<String> typed = new ArrayList<>(words);
      typed.add(1, "--array=" + element);
      Launcher.Submitted submitted = launcher.submit(planned, typed, true, sbatch::submit);
      id = Optional.of(submitted.id());
      submitted.recording().await(); // what waits to be written would fill the memory
    } catch (Failure refused) {
      fail(refused, element);
    } catch (RuntimeException defect) {
      fail(Failure.internal("a defect of hpcrun: " + defect, "report it", defect), element);
    } finally {
      submission.complete(id);
      free.add(sbatch);
    }
  }

  private synchronized void fail(Failure why, int element) {
    if (failure == null) {
      failure =
          why.amended("element %d (%s): ".formatted(element, jobs.sweep().shown(element)), "");
    }
  }

  /** Until fewer are on their way, and the time of this one has come. */
  private Submissions awaitTurn(int i, long began) {
    try {
      long due = jobs.sweep().rate().map(rate -> TimeUnit.SECONDS.toNanos(i) / rate).orElse(0L);
      long left = began + due - System.nanoTime();
      if (left > 0) {
        stop.tryAcquire(left, TimeUnit.NANOSECONDS);
      }
      return free.take();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw Failure.internal("interrupted", "try again", interrupted);
    }
  }

  /** A job begins when the one so many before it is over: then no more run at once. */
  private LaunchSpec limited(LaunchSpec spec, int i) {
    Optional<String> id =
        jobs.sweep()
            .atOnce()
            .filter(most -> most <= i)
            .flatMap(most -> submissions.get(i - most).join());
    if (id.isEmpty()) {
      return spec;
    }
    String after = "afterany:" + id.get().split(";")[0];
    Optional<String> given = spec.slurm(SlurmOption.DEPENDENCY);
    if (given.filter(list -> list.contains("?")).isPresent()) {
      throw Failure.usage(
          "--dependency=%s holds a '?', and 'at-once' adds what must hold, too"
              .formatted(given.get()),
          "leave one of them out");
    }
    return spec.with(
        new SlurmSetting(
            SlurmOption.DEPENDENCY, given.map(list -> list + "," + after).orElse(after)));
  }

  /** The jobs that are submitted, in the order of the elements. */
  private void printSubmitted() {
    while (printed < submissions.size() && submissions.get(printed).isDone()) {
      int element = jobs.elements().get(printed);
      submissions
          .get(printed++)
          .join()
          .ifPresent(
              id ->
                  console
                      .out()
                      .println(
                          parsable
                              ? id
                              : "Submitted job %s: element %d, %s"
                                  .formatted(
                                      id.replaceFirst(";", " to cluster "),
                                      element,
                                      InspectCommand.printable(jobs.sweep().shown(element)))));
    }
  }
}
