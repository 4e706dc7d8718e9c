package io.hpcrun.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/** The user's cache directory: {@code $XDG_CACHE_HOME/hpcrun}, or {@code ~/.cache/hpcrun}. */
record UserCache(Path directory) {
  UserCache(Map<String, String> environment) {
    this(base(environment.getOrDefault("XDG_CACHE_HOME", "")).resolve("hpcrun"));
  }

  private static Path base(String given) {
    return given.startsWith("/")
        ? Path.of(given)
        : Path.of(System.getProperty("user.home"), ".cache");
  }

  /** Copies a file into the cache, where it appears whole or not at all. */
  void copy(Path file, Path place) throws IOException {
    Files.createDirectories(directory);
    Path temporary =
        Files.createTempFile(
            directory,
            "copy",
            ".tmp",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try (InputStream in = Files.newInputStream(file)) {
      Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
      Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("r-x------"));
      Files.move(temporary, place, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
