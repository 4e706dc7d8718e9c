package io.hpcrun.daemon.ingest;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What came into the spool and is no record, kept for the administrator to look at: for some weeks,
 * and of much only the newest. When something came is told by its inode's last change, which was
 * its renaming: the time that its owner can set tells nothing. Not thread-safe.
 */
final class Quarantine {
  private static final Logger LOG = LoggerFactory.getLogger(Quarantine.class);

  /** Directories within one another that are removed; nobody needs more, and each is held open. */
  private static final int DEPTH = 16;

  /**
   * How much is kept.
   *
   * @param age for how long
   * @param files how many
   * @param bytes how many bytes
   */
  record Limits(Duration age, int files, long bytes) {
    /** 30 days, 10,000 files, 256 MiB. */
    static final Limits USUAL = new Limits(Duration.ofDays(30), 10_000, 256L << 20);
  }

  private final Path directory;
  private final Limits limits;

  private record Entry(Path name, Instant since, long size) {}

  Quarantine(Path directory, Limits limits) {
    this.directory = directory;
    this.limits = limits;
  }

  /**
   * Removes what is too old or too much, the oldest first.
   *
   * @return how many entries went
   */
  int prune(Instant now) throws IOException {
    PriorityQueue<Entry> newest = new PriorityQueue<>(Comparator.comparing(Entry::since));
    int removed = 0;
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      for (Path entry : entries) {
        look(entry).ifPresent(newest::add);
        if (newest.size() > limits.files()) {
          removed += remove(newest.poll());
        }
      }
    }
    List<Entry> kept = new ArrayList<>(newest);
    kept.sort(Comparator.comparing(Entry::since).reversed());
    long bytes = 0;
    for (Entry entry : kept) {
      if (bytes + entry.size() > limits.bytes()
          || entry.since().isBefore(now.minus(limits.age()))) {
        removed += remove(entry);
      } else {
        bytes += entry.size();
      }
    }
    return removed;
  }

  private static Optional<Entry> look(Path entry) throws IOException {
    try {
      Map<String, Object> attributes =
          Files.readAttributes(entry, "unix:ctime,size", LinkOption.NOFOLLOW_LINKS);
      return Optional.of(
          new Entry(
              entry.getFileName(),
              ((FileTime) attributes.get("ctime")).toInstant(),
              (Long) attributes.get("size")));
    } catch (NoSuchFileException gone) {
      return Optional.empty(); // the administrator has looked at it
    }
  }

  private int remove(Entry entry) {
    try (DirectoryStream<Path> here = Files.newDirectoryStream(directory)) {
      // Its owner may still change a directory: a name must mean the same while all is removed.
      remove((SecureDirectoryStream<Path>) here, entry.name(), DEPTH);
      return 1;
    } catch (NoSuchFileException gone) {
      return 1;
    } catch (IOException kept) {
      LOG.debug("{} in {} cannot be removed: {}", entry.name(), directory, kept);
      return 0;
    }
  }

  private static void remove(SecureDirectoryStream<Path> in, Path name, int depth)
      throws IOException {
    BasicFileAttributes attributes =
        in.getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
            .readAttributes();
    if (!attributes.isDirectory()) {
      in.deleteFile(name);
      return;
    }
    if (depth > 0) {
      try (SecureDirectoryStream<Path> inner =
          in.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
        for (Path each : inner) {
          remove(inner, each.getFileName(), depth - 1);
        }
      }
    }
    in.deleteDirectory(name);
  }
}
