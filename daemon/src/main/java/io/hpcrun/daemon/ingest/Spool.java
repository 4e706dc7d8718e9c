package io.hpcrun.daemon.ingest;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The directory in which nodes leave records: anybody may put a file in, and nobody can list it. A
 * file is taken by renaming it into {@code .taken}, where only the daemon has access, so that what
 * is checked is what is read. What is no record goes to {@code .quarantine}. Thread-safe.
 */
public final class Spool {
  /** Names that begin so are no records: nodes write under such ones, then rename. */
  private static final String HIDDEN = ".";

  /** The daemon's own, and what file systems keep in a directory by themselves. */
  private static final Set<String> NOBODYS =
      Set.of(".taken", ".quarantine", "lost+found", ".snapshot");

  private static final String OF_NFS = ".nfs";

  private static final int CHUNK = 1 << 16;

  private final Path directory;
  private final Path taken;
  private final Path quarantine;
  private final long sizeLimit;
  private final FileOwner.Lookup owners;
  private final String run = "%016x".formatted(new SecureRandom().nextLong());
  private final AtomicLong sequence = new AtomicLong();

  private Spool(Path directory, long sizeLimit, FileOwner.Lookup owners) {
    this.directory = directory;
    this.sizeLimit = sizeLimit;
    this.owners = owners;
    taken = directory.resolve(".taken");
    quarantine = directory.resolve(".quarantine");
  }

  /**
   * A file that was taken.
   *
   * @param path where it lies
   * @param size its size, in bytes
   * @param modified when it was last written
   * @param owner whom it belongs to
   */
  record Taken(Path path, int size, FileTime modified, FileOwner owner) {}

  /**
   * Opens the spool and makes the daemon's directories in it.
   *
   * @param directory the spool, which is there already
   * @param sizeLimit the largest record, in bytes
   * @param owners tells whom files belong to
   * @throws Failure with exit code 2 when it is no directory that the daemon can use
   */
  public static Spool open(Path directory, int sizeLimit, FileOwner.Lookup owners) {
    Spool spool = new Spool(directory, sizeLimit, owners);
    try {
      if (!Files.isDirectory(directory)) {
        throw Failure.usage(
            "the spool " + directory + " is no directory",
            "make it, with the daemon's user as its owner and mode 3733");
      }
      makePrivate(spool.taken);
      makePrivate(spool.quarantine);
      return spool;
    } catch (IOException unusable) {
      throw Failure.usage(
          "the spool " + directory + " cannot be used: " + reason(unusable),
          "make the daemon's user the owner of what is named, or remove that; the spool has mode"
              + " 3733");
    }
  }

  private static String reason(IOException unusable) {
    return unusable instanceof AccessDeniedException denied
        ? "permission denied at " + denied.getFile()
        : unusable.getMessage();
  }

  /** Anybody can put a name into the spool, so one that is there already is looked at. */
  private static void makePrivate(Path directory) throws IOException {
    Set<PosixFilePermission> ownerOnly = PosixFilePermissions.fromString("rwx------");
    try {
      Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(ownerOnly));
    } catch (FileAlreadyExistsException there) {
      if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
          || FileOwner.uid(directory) != FileOwner.uid(Path.of("/proc/self").toRealPath())) {
        throw new IOException(directory + " was made by somebody else; remove it", there);
      }
    }
    Files.setPosixFilePermissions(directory, ownerOnly);
  }

  /** The directory. */
  public Path directory() {
    return directory;
  }

  /**
   * Files that were taken before and are there still: a crash left them, or a store that failed.
   */
  DirectoryStream<Path> leftOver() throws IOException {
    return Files.newDirectoryStream(taken);
  }

  /** Files that wait to be taken, and partial ones. Read one after the other, never all at once. */
  DirectoryStream<Path> waiting() throws IOException {
    return Files.newDirectoryStream(
        directory,
        file -> {
          String name = file.getFileName().toString();
          return !NOBODYS.contains(name) && !name.startsWith(OF_NFS);
        });
  }

  /** Whether a file is one that a node still writes, or nobody will ever ask for. */
  static boolean isPartial(Path file) {
    return file.getFileName().toString().startsWith(HIDDEN);
  }

  /**
   * Takes a file, under a name that no other file has or will have.
   *
   * @return where it lies now; empty if it is gone
   * @throws UnfitException when it is a directory that cannot be taken, as another user's cannot;
   *     it has another name now, under which it is left alone
   * @throws IOException when it cannot be taken now
   */
  Optional<Path> take(Path file) throws IOException, UnfitException {
    if (file.startsWith(taken)) {
      return Optional.of(file);
    }
    Path to = taken.resolve(unique(file));
    try {
      Files.move(file, to, StandardCopyOption.ATOMIC_MOVE);
      return Optional.of(to);
    } catch (NoSuchFileException gone) {
      return Optional.empty(); // its owner has removed it
    } catch (FileSystemException refused) {
      if (!Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
        throw refused;
      }
      if (removeIfEmpty(file)) {
        return Optional.empty();
      }
      Path hidden = directory.resolve(".directory." + unique(file));
      Files.move(file, hidden, StandardCopyOption.ATOMIC_MOVE);
      throw new UnfitException(
          "it is a directory of uid %d, and only that user or root can remove it"
              .formatted(FileOwner.uid(hidden)),
          hidden);
    }
  }

  private static boolean removeIfEmpty(Path directory) throws IOException {
    try {
      Files.delete(directory);
      return true;
    } catch (NoSuchFileException gone) {
      return true;
    } catch (DirectoryNotEmptyException full) {
      return false;
    }
  }

  private String unique(Path file) {
    String hint = file.getFileName().toString().replaceAll("[^A-Za-z0-9._-]", "_");
    return "%s.%012x.%s"
        .formatted(
            run, sequence.incrementAndGet(), hint.substring(0, Math.min(100, hint.length())));
  }

  /**
   * Looks at a taken file.
   *
   * @throws UnfitException when it is no regular file or too large
   */
  Taken look(Path file) throws IOException, UnfitException {
    BasicFileAttributes attributes =
        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (attributes.isDirectory()) {
      throw new UnfitException("it is a directory");
    }
    if (!attributes.isRegularFile()) {
      throw new UnfitException("it is no regular file");
    }
    if (attributes.size() > sizeLimit) {
      throw new UnfitException(
          "it has %d bytes, and %d are the most".formatted(attributes.size(), sizeLimit));
    }
    return new Taken(file, (int) attributes.size(), attributes.lastModifiedTime(), owners.of(file));
  }

  /**
   * Reads a taken file, as much as it held when it was looked at.
   *
   * @throws UnfitException when the daemon may not read it
   */
  byte[] read(Taken file) throws IOException, UnfitException {
    ByteBuffer content = ByteBuffer.allocate(file.size());
    try (FileChannel channel =
        FileChannel.open(file.path(), Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
      int read = 0;
      while (read >= 0 && content.position() < content.capacity()) {
        // In pieces: the channel keeps memory of its own as large as the largest one.
        content.limit(Math.min(content.capacity(), content.position() + CHUNK));
        read = channel.read(content);
      }
    } catch (AccessDeniedException denied) {
      throw new UnfitException("the daemon may not read it", denied);
    }
    return content.position() == content.capacity()
        ? content.array()
        : Arrays.copyOf(content.array(), content.position());
  }

  /**
   * Puts a taken file where the administrator can look at it.
   *
   * @return its name there; empty if it was an empty directory, which is gone
   */
  Optional<Path> setAside(Path file) throws IOException {
    if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS) && removeIfEmpty(file)) {
      return Optional.empty();
    }
    Path to = quarantine.resolve(file.getFileName());
    Files.move(file, to, StandardCopyOption.ATOMIC_MOVE);
    return Optional.of(to);
  }

  /**
   * Removes what was set aside and is too old, or more than is kept.
   *
   * @return how many files went
   */
  int prune(Instant now) throws IOException {
    return new Quarantine(quarantine, Quarantine.Limits.USUAL).prune(now);
  }

  /** Removes a file that is in the store. */
  void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }
}
