package io.hpcrun.daemon.ingest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what nodes began to write and never will end: their job was killed. A file must look old
 * for a while by another clock too, so that a clock that jumps takes nothing from a node that still
 * writes. Not thread-safe.
 */
final class AbandonedFiles {
  private static final Logger LOG = LoggerFactory.getLogger(AbandonedFiles.class);

  /** How many files are watched at once; others wait for their turn. */
  private static final int WATCHED = 10_000;

  private final Duration age;
  private final Duration patience;
  private final InstantSource clock;
  private final LongSupplier monotonic;
  private Map<String, Long> before = new HashMap<>();
  private Map<String, Long> now = new HashMap<>();

  /**
   * Begins to watch.
   *
   * @param age how long ago a file must have been written, by the usual clock
   * @param patience how long it must have looked so, by the monotonic clock
   * @param monotonic nanoseconds, as of {@link System#nanoTime}
   */
  AbandonedFiles(Duration age, Duration patience, InstantSource clock, LongSupplier monotonic) {
    this.age = age;
    this.patience = patience;
    this.clock = clock;
    this.monotonic = monotonic;
  }

  /** Another look at all files begins. */
  void beginPass() {
    before = now;
    now = new HashMap<>();
  }

  /** Looks at a partial file, and removes it when it was abandoned. */
  void see(Path file) {
    try {
      // Not the time of the last change of its content, which its owner can set.
      FileTime changed =
          (FileTime) Files.getAttribute(file, "unix:ctime", LinkOption.NOFOLLOW_LINKS);
      if (changed.toInstant().isAfter(clock.instant().minus(age)) || now.size() >= WATCHED) {
        return;
      }
      String name = file.getFileName().toString();
      long since = before.getOrDefault(name, monotonic.getAsLong());
      if (monotonic.getAsLong() - since < patience.toNanos()) {
        now.put(name, since);
      } else {
        Files.deleteIfExists(file);
      }
    } catch (IOException notNow) {
      LOG.debug("{} cannot be looked at or removed, and is tried again: {}", file, notNow);
    }
  }
}
