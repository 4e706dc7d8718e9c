package io.hpcrun.pull;

import io.hpcrun.pull.Progress.Stage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.LoggerFactory;

/**
 * One image that Apptainer fetches, and makes a SIF file of. It is ended when nothing comes any
 * more, when more comes than an image may have, or when its layers unpack to much more than that: a
 * few megabytes of a layer may be terabytes, or millions of empty files.
 */
final class Conversion {
  /** Layers are packed; their files, and the image that is made of them, are beside them. */
  private static final int WORK_OF_IMAGE = 4;

  /**
   * An image may have a file for so many bytes of the largest one: a third of what those of a large
   * Python environment have, packed.
   */
  private static final long BYTES_OF_FILE = 8 << 10;

  /** Files that an image may have, however small images have to be. */
  private static final long FEW_FILES = 200_000;

  private static final long LOOK_NANOS = Duration.ofSeconds(2).toNanos();

  /** Looking at many files takes long: no more than a part of the time is spent on it. */
  private static final int PAUSE_FOR_LOOK = 20;

  private final Apptainer apptainer;
  private final Fetcher.Limits limits;
  private final Path work;
  private final TimeLimit time;
  private final long mostFiles;
  private final AtomicReference<Stage> stage = new AtomicReference<>(Stage.PULLING);
  private final Stillness still;
  private long nextLook = System.nanoTime();

  /** A conversion in a directory of its own. */
  Conversion(Apptainer apptainer, Fetcher.Limits limits, Path work, TimeLimit time) {
    this(apptainer, limits, work, time, mostFiles(limits.bytes()));
  }

  /** The same with another limit for files and directories. */
  Conversion(
      Apptainer apptainer, Fetcher.Limits limits, Path work, TimeLimit time, long mostFiles) {
    this.apptainer = apptainer;
    this.limits = limits;
    this.work = work;
    this.time = time;
    this.mostFiles = mostFiles;
    this.still = new Stillness(limits.still());
  }

  /**
   * Fetches and converts.
   *
   * @param source in Apptainer's words
   * @param plain whether the registry is spoken to without TLS
   * @throws PullFailure if it cannot be had
   */
  void run(String source, String architecture, boolean plain, Path file, Progress progress) {
    Guard.during(
        () ->
            apptainer.pull(
                source, architecture, file, work, plain, time, line -> heard(line, progress)),
        () -> look(source, progress));
  }

  /** Apptainer says when it has all layers. */
  void heard(String line, Progress progress) {
    if (line.contains("Extracting OCI image")) {
      stage.set(Stage.CONVERTING);
      progress.at(Stage.CONVERTING, 0);
    }
  }

  /** Why it must not go on, twice a second. */
  Optional<PullFailure> look(String source, Progress progress) {
    if (stage.get() == Stage.CONVERTING) {
      return unpacked();
    }
    long received = Apptainer.received(work);
    if (stage.get() == Stage.PULLING) {
      progress.at(Stage.PULLING, received);
    }
    return received > limits.bytes()
        ? Optional.of(NoRoom.tooLarge(limits.bytes()))
        : still.at(received, source);
  }

  /** Files and directories that an image may have where the largest one may have so many bytes. */
  static long mostFiles(long bytes) {
    return Math.max(FEW_FILES, bytes / BYTES_OF_FILE);
  }

  private Optional<PullFailure> unpacked() {
    long began = System.nanoTime();
    if (limits.bytes() == Long.MAX_VALUE || began - nextLook < 0) {
      return Optional.empty();
    }
    try {
      long bytes = DiskUse.of(work, time.left());
      if (bytes / WORK_OF_IMAGE > limits.bytes()) {
        return Optional.of(NoRoom.tooLarge(limits.bytes()));
      }
      return DiskUse.files(work, time.left()) > mostFiles
          ? Optional.of(NoRoom.tooManyFiles(mostFiles))
          : Optional.empty();
    } catch (IOException unknown) {
      LoggerFactory.getLogger(Conversion.class).warn("{}: {}", work, unknown.toString());
      return Optional.empty();
    } finally {
      long now = System.nanoTime();
      nextLook = now + Math.max(LOOK_NANOS, PAUSE_FOR_LOOK * (now - began));
    }
  }
}
