package io.hpcrun.cli;

import io.hpcrun.manifest.Manifest;
import io.hpcrun.manifest.ManifestFiles;
import io.hpcrun.manifest.ManifestMaker;
import io.hpcrun.manifest.ManifestMaker.Caller;
import io.hpcrun.manifest.ManifestMaker.Planned;
import io.hpcrun.timing.RecordDirectory;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.slf4j.LoggerFactory;

/**
 * Keeps the manifest of a launch, beside its submission: made while sbatch answers, written when
 * the job has a number. If that fails or takes long, one line says so and nothing else changes.
 */
final class Recording {
  /** How long a command waits for a file system that does not answer. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final BlockingQueue<String> id = new ArrayBlockingQueue<>(1);
  private final PrintStream err;
  private final Thread thread;
  private volatile String job = "";

  private Recording(Planned planned, Caller caller, PrintStream err) {
    this.err = err;
    this.thread =
        Thread.ofPlatform().daemon().name("manifest").unstarted(() -> record(planned, caller));
  }

  /** Begins; without {@link #submitted} nothing is written. */
  static Recording begin(Planned planned, Caller caller, PrintStream err) {
    Recording recording = new Recording(planned, caller, err);
    recording.thread.start();
    return recording;
  }

  /** What {@code sbatch --parsable} printed. */
  void submitted(String printed) {
    job = printed.split(";")[0];
    id.add(printed);
  }

  /** Waits until the manifest is there. */
  void await() {
    try {
      if (!thread.join(PATIENCE)) {
        say("it is not written after " + PATIENCE.toSeconds() + " s");
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private void record(Planned planned, Caller caller) {
    try {
      ManifestFiles files =
          new ManifestFiles(new RecordDirectory(planned.requested().spec().records()));
      Manifest manifest = ManifestMaker.make(files.masking(), planned, caller);
      String[] printed = id.take().split(";");
      Optional<String> cluster = printed.length > 1 ? Optional.of(printed[1]) : Optional.empty();
      files.write(manifest.ofJob(printed[0], cluster, Instant.now()));
    } catch (IOException failed) {
      say(reason(failed));
      LoggerFactory.getLogger(Recording.class).debug("no manifest", failed);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException defect) { // never the job's
      say(defect.toString());
      LoggerFactory.getLogger(Recording.class).error("no manifest", defect);
    }
  }

  /** The JDK's message is the path alone for the commonest of them. */
  private static String reason(IOException failed) {
    return failed instanceof FileSystemException file && file.getReason() == null
        ? file.getFile() + " cannot be made or written"
        : failed.getMessage();
  }

  private void say(String reason) {
    try {
      String number = job.isEmpty() ? id.take().split(";")[0] : job;
      err.println(
          "hpcrun: note: job %s has no manifest (%s): 'hpcrun replay' will not know it"
              .formatted(number, InspectCommand.printable(reason)));
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }
}
