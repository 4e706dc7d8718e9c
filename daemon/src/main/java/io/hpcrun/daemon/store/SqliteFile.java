package io.hpcrun.daemon.store;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/** The file of a SQLite store: made with care for who can read it, and copied while in use. */
final class SqliteFile {
  /** SQLite's write-ahead log needs memory that processes share (sqlite.org/wal.html). */
  private static final Set<String> SHARED =
      Set.of("nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb2", "afs", "panfs");

  private final Path path;

  SqliteFile(String url) {
    path = Path.of(url.substring("jdbc:sqlite:".length()).replaceFirst("\\?.*", ""));
  }

  /**
   * Makes the file if it is not there: only its owner can read it.
   *
   * @throws Failure with exit code 2 when its directory is missing or no local one
   */
  void make() {
    try {
      String type = Files.getFileStore(path.getParent()).type();
      if (SHARED.contains(type)) {
        throw Failure.usage(
            "the store " + path + " would be on a file system of type " + type,
            "put it on a local disk, or use PostgreSQL");
      }
      create(path);
      prepare();
    } catch (FileAlreadyExistsException there) {
      return;
    } catch (IOException | SQLException failed) {
      throw Failure.usage(
          "the store " + path + " cannot be made: " + failed,
          "make its directory, and give it to the daemon's user");
    }
  }

  /** Deleted rows' pages can be given back to the file system only if that is said first. */
  private void prepare() throws SQLException {
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path);
        Statement statement = connection.createStatement()) {
      statement.execute("pragma auto_vacuum = incremental");
      statement.execute("vacuum");
    }
  }

  /**
   * Writes a copy while the store is in use.
   *
   * @param target the file, which appears whole; an older one is replaced
   */
  void backUp(Path target) {
    Path partial = target.resolveSibling(target.getFileName() + ".partial");
    try {
      Files.deleteIfExists(partial);
      create(partial);
      try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path);
          PreparedStatement vacuum = connection.prepareStatement("vacuum into ?")) {
        vacuum.setString(1, partial.toString());
        vacuum.execute();
      }
      try (FileChannel written = FileChannel.open(partial, StandardOpenOption.WRITE)) {
        written.force(true);
      }
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | SQLException failed) {
      throw Failure.usage(
          "the backup " + target + " cannot be written: " + failed,
          "name a file in a directory that the daemon's user can write");
    }
  }

  private static void create(Path file) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
  }
}
