package io.hpcrun.pull;

import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Opens a file that every user of the machine may read. The daemon may read more than its users: a
 * file that one of them names must not be handed to all because the daemon can read it. So each
 * directory is opened from the one above it, no link is followed, and permissions are those of what
 * was opened.
 */
final class PublicFile {
  private PublicFile() {}

  /**
   * Opens the file.
   *
   * @throws PullFailure of kind FORBIDDEN when others could not read it
   */
  static InputStream open(Path path) {
    List<DirectoryStream<Path>> opened = new ArrayList<>();
    try {
      SecureDirectoryStream<Path> directory = secure(Files.newDirectoryStream(path.getRoot()));
      opened.add(directory);
      for (int i = 0; i < path.getNameCount() - 1; i++) {
        directory = directory.newDirectoryStream(path.getName(i), LinkOption.NOFOLLOW_LINKS);
        opened.add(directory);
        PosixFileAttributes attributes =
            directory.getFileAttributeView(PosixFileAttributeView.class).readAttributes();
        if (!attributes.permissions().contains(PosixFilePermission.OTHERS_EXECUTE)) {
          throw notPublic(path);
        }
      }
      PosixFileAttributes attributes =
          directory
              .getFileAttributeView(
                  path.getFileName(), PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
              .readAttributes();
      if (!attributes.isRegularFile()
          || !attributes.permissions().contains(PosixFilePermission.OTHERS_READ)) {
        throw notPublic(path);
      }
      return Channels.newInputStream(
          directory.newByteChannel(
              path.getFileName(), Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)));
    } catch (IOException failed) {
      throw unreadable(path, failed);
    } finally {
      opened.reversed().forEach(PublicFile::close);
    }
  }

  private static SecureDirectoryStream<Path> secure(DirectoryStream<Path> stream) {
    if (stream instanceof SecureDirectoryStream<Path> secure) {
      return secure;
    }
    close(stream);
    throw new IllegalStateException("this system's directories cannot be opened one by one");
  }

  private static void close(DirectoryStream<Path> stream) {
    try {
      stream.close();
    } catch (IOException gone) {
      org.slf4j.LoggerFactory.getLogger(PublicFile.class).debug("closed already", gone);
    }
  }

  private static PullFailure notPublic(Path path) {
    return new PullFailure(
        Kind.FORBIDDEN,
        "the file " + path + " is not one that every user may read",
        "use it as it is: hpcrun run "
            + path
            + "; or let others read it, and search its directories");
  }

  /** What is said of a file that cannot be opened. */
  static PullFailure unreadable(Path path, IOException failed) {
    if (failed instanceof NoSuchFileException) {
      return new PullFailure(Kind.UNKNOWN, "there is no file " + path, "check the path");
    }
    return failed instanceof AccessDeniedException
            || failed instanceof java.nio.file.NotDirectoryException
        ? notPublic(path)
        : new PullFailure(
            Kind.FORBIDDEN,
            "the file " + path + " cannot be read (" + failed.getMessage() + ")",
            "give the path of a file, without symbolic links",
            failed);
  }
}
