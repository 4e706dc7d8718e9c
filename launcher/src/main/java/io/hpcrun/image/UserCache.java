package io.hpcrun.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * The user's cache directory: {@code $XDG_CACHE_HOME/hpcrun}, or {@code ~/.cache/hpcrun}. Files
 * appear in it whole or not at all.
 */
public record UserCache(Path directory) {
  private static final long LARGEST = 4 << 20;

  /** The cache of the user with these variables. */
  public UserCache(Map<String, String> environment) {
    this(base(environment.getOrDefault("XDG_CACHE_HOME", "")).resolve("hpcrun"));
  }

  private static Path base(String given) {
    return given.startsWith("/")
        ? Path.of(given)
        : Path.of(System.getProperty("user.home"), ".cache");
  }

  /** Copies a program to a place in the cache. */
  public void copyProgram(Path program, Path place) throws IOException {
    try (InputStream in = Files.newInputStream(program)) {
      put(in, place, "r-x------");
    }
  }

  /**
   * What was remembered at a place; empty if it is not there, or is nothing that hpcrun remembers.
   */
  public Optional<byte[]> recall(Path place) {
    try {
      return Files.isRegularFile(place) && Files.size(place) <= LARGEST
          ? Optional.of(Files.readAllBytes(place))
          : Optional.empty();
    } catch (IOException notReadable) {
      LoggerFactory.getLogger(UserCache.class).debug("{} cannot be read", place, notReadable);
      return Optional.empty();
    }
  }

  /** Remembers bytes at a place in the cache; if that is not possible, they are computed again. */
  public void remember(Path place, byte[] bytes) {
    try {
      put(new ByteArrayInputStream(bytes), place, "rw-------");
    } catch (IOException notWritable) {
      LoggerFactory.getLogger(UserCache.class).debug("{} is not remembered", place, notWritable);
    }
  }

  private static void put(InputStream in, Path place, String permissions) throws IOException {
    Files.createDirectories(place.getParent());
    Path temporary =
        Files.createTempFile(
            place.getParent(),
            "new",
            ".tmp",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    try {
      Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
      Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString(permissions));
      Files.move(temporary, place, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
