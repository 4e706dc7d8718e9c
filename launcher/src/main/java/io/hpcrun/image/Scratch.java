package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * A directory of this process's own for files of an image. It is made when it is asked for, and
 * goes at the end of the process at the latest, also when a signal ends it. What a process left
 * that was killed goes when the same user needs such a directory a day later.
 */
final class Scratch implements AutoCloseable {
  private static final String PREFIX = "hpcrun-image";

  /** As {@link Files#createTempDirectory} names it, and people do not. */
  private static final Pattern NAME = Pattern.compile(PREFIX + "\\d{15,}");

  private static final Duration KEPT = Duration.ofDays(1);
  private static final int TRIES = 300;
  private static final Duration BETWEEN_TRIES = Duration.ofMillis(10);

  private final Path parent;
  private Path directory;
  private Thread hook;
  private boolean ended;

  /** One in the directory for temporary files. */
  Scratch() {
    this(Path.of(System.getProperty("java.io.tmpdir")));
  }

  Scratch(Path parent) {
    this.parent = parent;
  }

  /**
   * The directory, which only this user can read.
   *
   * @throws Failure with exit code 1 when the process ends, so the directory is gone or is not made
   */
  synchronized Path directory() throws IOException {
    check();
    if (directory == null) {
      hook = Thread.ofPlatform().unstarted(this::removeAtTheEnd);
      try {
        Runtime.getRuntime().addShutdownHook(hook);
      } catch (IllegalStateException ending) {
        throw interrupted(ending);
      }
      directory = Files.createTempDirectory(parent, PREFIX);
      removeOld(Files.getOwner(directory));
    }
    return directory;
  }

  private void removeOld(UserPrincipal user) {
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(
            parent, each -> NAME.matcher(each.getFileName().toString()).matches())) {
      found.forEach(each -> removeIfOld(each, user));
    } catch (IOException | DirectoryIteratorException unreadable) {
      LoggerFactory.getLogger(Scratch.class).debug("{} cannot be read", parent, unreadable);
    }
  }

  private static void removeIfOld(Path path, UserPrincipal user) {
    try {
      PosixFileAttributes attributes =
          Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (attributes.isDirectory()
          && attributes.owner().equals(user)
          && attributes.lastModifiedTime().toInstant().isBefore(Instant.now().minus(KEPT))) {
        UnpackedFiles.remove(path);
      }
    } catch (IOException failed) {
      LoggerFactory.getLogger(Scratch.class).debug("{} is not removed", path, failed);
    }
  }

  /** Refuses to go on with what the end of the process removes. */
  synchronized void check() {
    if (ended) {
      throw interrupted(null);
    }
  }

  private static Failure interrupted(Throwable cause) {
    return Failure.internal("interrupted", "try again", cause);
  }

  /**
   * A program may still be writing there, and setting the modes of directories: it cannot once the
   * directory is gone.
   */
  synchronized void removeAtTheEnd() {
    if (directory == null) {
      return;
    }
    ended = true;
    try {
      for (int tries = 1; ; tries++) {
        try {
          UnpackedFiles.remove(directory);
          return;
        } catch (FileSystemException meanwhile) {
          if (tries == TRIES) {
            throw meanwhile;
          }
          Thread.sleep(BETWEEN_TRIES);
        }
      }
    } catch (IOException | InterruptedException failed) {
      LoggerFactory.getLogger(Scratch.class).debug("{} is not removed", directory, failed);
    }
  }

  /**
   * Removes the directory.
   *
   * @throws Failure with exit code 1 when the end of the process removed it: what was read of it
   *     may not be all
   */
  @Override
  public synchronized void close() throws IOException {
    check();
    if (directory == null) {
      return;
    }
    UnpackedFiles.remove(directory);
    directory = null;
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException ending) {
      return; // the hook finds nothing to remove
    }
  }
}
