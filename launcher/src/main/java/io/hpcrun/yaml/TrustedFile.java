package io.hpcrun.yaml;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;

/** Files that say for others what their jobs do. */
public final class TrustedFile {
  private TrustedFile() {}

  /**
   * The file or directory itself.
   *
   * @throws Failure with exit code 2 if everybody can write it, or it is not there
   */
  public static Path of(Path file) {
    try {
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_WRITE)) {
        throw Failure.usage(
            file + " can be written by everybody, so it is not used", "chmod o-w " + file);
      }
      return file;
    } catch (IOException unreadable) {
      throw Failure.usage(
          file + " cannot be read: " + unreadable.getMessage(), "check its permissions");
    }
  }
}
