package io.hpcrun.cli;

import io.hpcrun.image.UserCache;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * The program that takes ranks into their container (hpcrun-enter.c). It comes with the
 * distribution, whose directory need not be there on the nodes; jobs find a copy of it in the
 * user's cache, by a name that ends in its SHA-256. Without it, a shell does the same, some
 * milliseconds a rank slower.
 */
final class EnterProgram {
  private static final String NAMES = "hpcrun-enter-*";

  private final UserCache cache;

  EnterProgram(UserCache cache) {
    this.cache = cache;
  }

  /** Where jobs find it; empty if there is none for them. */
  Optional<Path> forJobs() {
    return installed()
        .map(
            program -> {
              Path copy = cache.directory().resolve(program.getFileName());
              keepCopy(program, copy);
              return copy;
            });
  }

  /** Its SHA-256, in hexadecimal; empty if it is not installed. */
  static Optional<String> digest() {
    return installed()
        .map(program -> program.getFileName().toString().substring(NAMES.length() - 1));
  }

  private static Optional<Path> installed() {
    String home = System.getProperty("hpcrun.home", "");
    if (home.isEmpty()) {
      return Optional.empty();
    }
    try (DirectoryStream<Path> found = Files.newDirectoryStream(Path.of(home, "libexec"), NAMES)) {
      Iterator<Path> programs = found.iterator();
      return programs.hasNext() ? Optional.of(programs.next()) : Optional.empty();
    } catch (IOException notThere) {
      LoggerFactory.getLogger(EnterProgram.class).debug("the shell takes the ranks in", notThere);
      return Optional.empty();
    }
  }

  /** If it cannot be copied, the nodes find out and the launch's record says so. */
  private void keepCopy(Path program, Path copy) {
    try {
      // A name means one content, so one of the right size is it; the nodes look at the digest.
      if (!Files.isRegularFile(copy)
          || !Files.isExecutable(copy)
          || Files.size(copy) != Files.size(program)) {
        cache.copyProgram(program, copy);
      }
    } catch (IOException noSpace) {
      LoggerFactory.getLogger(EnterProgram.class).debug("{} is not copied", program, noSpace);
    }
  }
}
