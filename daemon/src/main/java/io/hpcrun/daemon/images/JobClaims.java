package io.hpcrun.daemon.images;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Which image a submitted job will use, as the command that submitted it says: records come only
 * when a job begins, and it may wait for days. An empty file for each claim, {@code
 * SHA256.UID.JOB}, so that a claim is there as a whole or not at all.
 */
public final class JobClaims {
  private static final Pattern NAME = Pattern.compile("([0-9a-f]{64})\\.(\\d{1,10})\\.(\\d{1,10})");

  private final Path directory;

  /**
   * A claim.
   *
   * @param sha256 the image
   * @param uid who says so
   * @param job the job's or the array's number
   */
  public record Claim(String sha256, long uid, long job) {
    private static Optional<Claim> of(String name) {
      Matcher matcher = NAME.matcher(name);
      return matcher.matches()
          ? Optional.of(
              new Claim(
                  matcher.group(1),
                  Long.parseLong(matcher.group(2)),
                  Long.parseLong(matcher.group(3))))
          : Optional.empty();
    }

    private String name() {
      return sha256 + "." + uid + "." + job;
    }
  }

  /**
   * Opens the claims on the images of a store.
   *
   * @throws Failure with exit code 2 when the directory cannot be used
   */
  public JobClaims(Path images) {
    this.directory = images.resolve(".jobs");
    try {
      Files.createDirectories(directory);
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    } catch (IOException failed) {
      throw Failure.usage(
          "hpcrund cannot keep images in " + images + ": " + failed,
          "make daemon.images.directory one that hpcrund's user may write to, and nobody else");
    }
  }

  /** Notes a claim. */
  public void add(Claim claim) throws IOException {
    try {
      Files.createFile(directory.resolve(claim.name()));
    } catch (FileAlreadyExistsException known) {
      org.slf4j.LoggerFactory.getLogger(JobClaims.class).debug("known already", known);
    }
  }

  /** Forgets a claim. */
  public void remove(Claim claim) throws IOException {
    Files.deleteIfExists(directory.resolve(claim.name()));
  }

  /** All claims. */
  public List<Claim> all() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.flatMap(file -> Claim.of(file.getFileName().toString()).stream()).toList();
    }
  }
}
