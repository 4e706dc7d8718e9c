package io.hpcrun.cli;

import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobStatus;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.timing.RecordDirectory;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Waits for a job, copies its output, and ends with its exit code. slurmctld is asked seldom: the
 * launch's own record, written when the script ends, tells when it is worth asking.
 */
final class JobFollower {
  private static final long LOOK_EVERY_MS = 100;
  private static final long ASK_FIRST_MS = 500;
  private static final long ASK_AT_MOST_MS = 10_000;
  private static final int ASK_AGAIN = 20;
  private static final JobStatus UNKNOWN = new JobStatus("UNKNOWN", "None", 0, 0, "", "");

  private final SlurmClient slurm;
  private final String job;
  private final Path records;
  private final Terminal terminal;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean appends;
  private final List<OutputFollower> outputs = new ArrayList<>();
  private int unanswered;
  private int restarts;
  private boolean ran;
  private volatile boolean cancelled;
  private final Semaphore wake = new Semaphore(0);

  JobFollower(
      SlurmClient slurm,
      String job,
      RecordDirectory records,
      Terminal terminal,
      PrintStream out,
      PrintStream err,
      boolean appends) {
    this.slurm = slurm;
    this.job = job;
    this.records = records.path().resolve(job);
    this.terminal = terminal;
    this.out = out;
    this.err = err;
    this.appends = appends;
  }

  /** Follows the job to its end; returns what the command is to end with. */
  int follow(Interrupts interrupts) {
    interrupts.listen(
        new Interrupts.Listener() {
          @Override
          public void asked() {
            terminal.say("Ctrl-C again cancels job " + job + "; otherwise it goes on");
          }

          @Override
          public void cancel() {
            cancelNow();
          }
        });
    try {
      JobStatus last = waitForEnd();
      drain();
      terminal.clear();
      if (last.notStarted()) {
        throw Failure.slurm(
            "Slurm could not start job " + job + " on its node",
            "check that its directory (-D) and the directories of its output files (-o, -e) exist"
                + " there and may be written by you");
      }
      if (!last.state().equals("COMPLETED") && !last.state().equals("FAILED")) {
        terminal.say("job " + job + " was ended by Slurm: " + last.state() + reason(last.reason()));
      } else {
        outputs.forEach(output -> output.unreadable().ifPresent(this::sayUnreadable));
      }
      return last.shellExitCode();
    } catch (IOException unreadable) {
      throw Failure.usage(
          "the output of job " + job + " cannot be copied: " + unreadable.getMessage(),
          "the job goes on; see 'scontrol show job " + job + "' for its output file");
    }
  }

  private void sayUnreadable(Path file) {
    terminal.say("the output of job " + job + " is in " + file + ", which cannot be read here");
  }

  private JobStatus waitForEnd() throws IOException {
    long began = System.nanoTime();
    long interval = ASK_FIRST_MS;
    long nextAsk = began;
    FileTime seenRecord = null;
    JobStatus last = null;
    while (true) {
      FileTime record = recordTime();
      boolean changed = record != null && !record.equals(seenRecord);
      if (changed) {
        seenRecord = record;
        interval = LOOK_EVERY_MS;
      }
      if (changed || System.nanoTime() >= nextAsk) {
        Optional<JobStatus> status = ask(last);
        if (status.isEmpty()) {
          if (last == null) {
            throw Failure.slurm("Slurm does not know job " + job, "look with 'squeue' and 'sacct'");
          }
          return last;
        }
        last = status.get();
        findOutputs(last);
        if (last.ended()) {
          return last;
        }
        if (ran && last.pending()) { // Slurm put it back into the queue
          restarts++;
        }
        ran = !last.pending();
        nextAsk = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(interval);
        interval = Math.min(ASK_AT_MOST_MS, interval * 3 / 2);
      }
      showStatus(last, began);
      if (!last.pending()) {
        copyOutputs();
      }
      try {
        wake.tryAcquire(LOOK_EVERY_MS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw Failure.internal("interrupted while job " + job + " ran", "it goes on", interrupted);
      }
      if (cancelled) {
        nextAsk = System.nanoTime();
      }
    }
  }

  /**
   * The job's state. The job is in Slurm's hands: a question that fails is asked again, and only
   * after many is following given up.
   */
  private Optional<JobStatus> ask(JobStatus last) {
    try {
      Optional<JobStatus> status = slurm.job(job);
      unanswered = 0;
      return status;
    } catch (Failure noAnswer) {
      if (++unanswered == 1) {
        terminal.say(noAnswer.getMessage() + "; job " + job + " is submitted, trying again");
      }
      if (unanswered > ASK_AGAIN) {
        throw Failure.slurm(
            "Slurm does not tell what became of job " + job + ", which is submitted",
            "follow it with 'squeue -j " + job + "' and 'hpcrun timing " + job + "'");
      }
      return Optional.of(last == null ? UNKNOWN : last);
    }
  }

  private void showStatus(JobStatus status, long began) {
    if (status.pending()) {
      long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began);
      terminal.status(
          "job %s waits in the queue for %d s%s".formatted(job, seconds, reason(status.reason())));
    } else {
      terminal.clear();
    }
  }

  private static String reason(String reason) {
    return reason.equals("None") ? "" : " (" + reason + ")";
  }

  private FileTime recordTime() {
    try {
      return Files.getLastModifiedTime(records.resolve(job + "." + restarts + ".0.job.jsonl"));
    } catch (IOException notYet) {
      return null;
    }
  }

  private void findOutputs(JobStatus status) throws IOException {
    if (outputs.isEmpty() && !status.output().isEmpty()) {
      outputs.add(new OutputFollower(Path.of(status.output()), out, appends));
      if (!status.error().isEmpty() && !status.error().equals(status.output())) {
        outputs.add(new OutputFollower(Path.of(status.error()), err, appends));
      }
    }
  }

  private boolean copyOutputs() throws IOException {
    boolean any = false;
    for (OutputFollower output : outputs) {
      any |= output.copyNew();
    }
    return any;
  }

  /** The last output may reach this machine a little after the job's end. */
  private void drain() throws IOException {
    do {
      try {
        Thread.sleep(LOOK_EVERY_MS / 2);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        return;
      }
    } while (copyOutputs());
  }

  private void cancelNow() {
    cancelled = true;
    terminal.say("cancelling job " + job);
    try {
      slurm.cancel(job);
    } catch (Failure failed) {
      terminal.say(failed.getMessage() + "\n  " + failed.remedy());
    }
    wake.release();
  }
}
