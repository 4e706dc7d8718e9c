package io.hpcrun.yaml;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;

/** Files that say for others what their jobs do. */
public final class TrustedFile {
  /** Of a directory: only owners remove and rename what is in it (inode(7), S_ISVTX). */
  private static final int STICKY = 01000;

  private TrustedFile() {}

  /**
   * The file or directory itself.
   *
   * @throws Failure with exit code 2 if everybody can write it, everybody can put another one in
   *     its place, or it is not there
   */
  public static Path of(Path file) {
    try {
      if (Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file)) {
        throw Failure.usage(
            file + " is neither a file nor a directory", "write the text into a file");
      }
      if (isWritable(file)) {
        throw Failure.usage(
            file + " can be written by everybody, so it is not used", "chmod o-w " + file);
      }
      checkDirectory(file, file.toAbsolutePath().getParent());
      checkDirectory(file, file.toRealPath().getParent()); // a link's file
      return file;
    } catch (NoSuchFileException missing) {
      throw Failure.usage("there is no file " + file, "check the name");
    } catch (IOException unreadable) {
      throw Failure.usage(file + " cannot be read: " + cause(unreadable), "check its permissions");
    }
  }

  private static void checkDirectory(Path file, Path directory) throws IOException {
    if (directory != null
        && isWritable(directory)
        && ((int) Files.getAttribute(directory, "unix:mode") & STICKY) == 0) {
      throw Failure.usage(
          "%s is not used: everybody can put another file in its place, as everybody can write %s"
              .formatted(file, directory),
          "chmod o-w " + directory);
    }
  }

  private static boolean isWritable(Path file) throws IOException {
    return Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_WRITE);
  }

  /** Why a file cannot be read, without its name. */
  public static String cause(IOException failure) {
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    return failure instanceof FileSystemException named && named.getReason() != null
        ? named.getReason()
        : failure.getMessage();
  }
}
