package io.hpcrun.daemon.images;

import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageReader;
import io.hpcrun.image.UnpackedFiles;
import io.hpcrun.pull.NoRoom;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/**
 * The store's directory. {@code sha256/DIGEST.sif} are the images, whole and for all to read;
 * {@code .index/DIGEST.json} says of each where it came from, and its modification time is when it
 * was used last; {@code .work/} holds what is not finished, and nothing when no daemon runs. Files
 * appear by a rename once they are on the disk. The index lies beside the images, and not in a
 * database, so that both are always of one state: a directory that was copied or put back from a
 * backup is complete, and an image without an entry, or an entry without an image, is all that can
 * be wrong.
 */
final class ImageFiles implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageFiles.class);
  private static final String SUFFIX = ".sif";
  private static final String ENTRY = ".json";
  private static final String NAME = "[0-9a-f]{64}";

  private final Disk disk;
  private final Path images;
  private final Path index;
  private final Path work;
  private final FileChannel channel;
  private final FileLock lock;

  /**
   * Opens the store, and takes away what a daemon that was killed left unfinished.
   *
   * @throws Failure with exit code 2 when the directory cannot be used, or another daemon uses it
   */
  ImageFiles(Path directory, Disk disk) {
    this.disk = disk;
    this.images = directory.resolve("sha256");
    this.index = directory.resolve(".index");
    this.work = directory.resolve(".work");
    try {
      makeDirectory(directory, "rwxr-xr-x");
      makeDirectory(images, "rwxr-xr-x");
      makeDirectory(index, "rwx------");
      makeDirectory(work, "rwx------");
      this.channel =
          FileChannel.open(
              directory.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      this.lock = lock(directory);
      sweep();
    } catch (IOException failed) {
      throw Failure.usage(
          "hpcrund cannot keep images in " + directory + ": " + failed,
          "make daemon.images.directory one that hpcrund's user may write to, and nobody else");
    }
  }

  private static void makeDirectory(Path directory, String permissions) throws IOException {
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(permissions));
  }

  private FileLock lock(Path directory) throws IOException {
    try {
      FileLock mine = channel.tryLock();
      if (mine != null) {
        return mine;
      }
    } catch (OverlappingFileLockException thisProcess) {
      LOG.debug("locked by this process", thisProcess);
    }
    channel.close();
    throw Failure.usage(
        "another hpcrund keeps its images in " + directory,
        "stop it, or give this one another daemon.images.directory");
  }

  private void sweep() throws IOException {
    try (Stream<Path> left = Files.list(work)) {
      for (Path each : left.toList()) {
        LOG.info("removing what was left of a pull: {}", each.getFileName());
        remove(each);
      }
    }
    try (Stream<Path> entries = Files.list(index)) {
      for (Path each : entries.filter(file -> !isEntry(file)).toList()) {
        Files.delete(each);
      }
    }
  }

  private static boolean isEntry(Path file) {
    return file.getFileName().toString().matches(NAME + "\\.json");
  }

  /** The entries of all images; an image without one gets one that knows no source. */
  Map<String, StoredImage> read() {
    Map<String, StoredImage> found = new TreeMap<>();
    try (Stream<Path> files = Files.list(images)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.matches(NAME + "\\.sif")) {
          String digest = name.substring(0, name.length() - SUFFIX.length());
          found.put(digest, entry(digest, file));
        }
      }
      try (Stream<Path> entries = Files.list(index)) {
        for (Path entry : entries.toList()) {
          if (!found.containsKey(entry.getFileName().toString().replace(ENTRY, ""))) {
            Files.delete(entry);
          }
        }
      }
      return found;
    } catch (IOException failed) {
      throw Failure.usage(
          "hpcrund cannot read the images in " + images + ": " + failed,
          "check the file system, and daemon.images.directory");
    }
  }

  private StoredImage entry(String digest, Path file) throws IOException {
    try {
      StoredImage entry =
          io.hpcrun.daemon.api.Json.MAPPER.readValue(
              Files.readAllBytes(index.resolve(digest + ENTRY)), StoredImage.class);
      if (digest.equals(entry.sha256())) {
        return entry;
      }
      LOG.warn("the entry of image {} is another one's", digest);
    } catch (NoSuchFileException | JacksonException | NullPointerException broken) {
      LOG.warn("where image {} came from is not known any more: {}", digest, broken.toString());
    }
    StoredImage unknown = unknown(digest, file);
    write(unknown, Instant.now());
    return unknown;
  }

  /** What an image without an entry says of itself; whoever asks for it next says the rest. */
  private StoredImage unknown(String digest, Path file) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    String architecture = "";
    try {
      architecture = ImageReader.read(file).architecture().orElse("");
    } catch (Failure noImage) {
      LOG.warn("{}: {}", digest, noImage.getMessage());
    }
    return new StoredImage(
        digest,
        architecture,
        attributes.size(),
        disk.use(file),
        List.of(),
        Map.of(),
        List.of(),
        attributes.lastModifiedTime().toInstant().getEpochSecond(),
        "");
  }

  /** Where an image is. */
  Path path(String digest) {
    return images.resolve(digest + SUFFIX);
  }

  /** A new directory for a pull. */
  Path newWork() {
    try {
      return Files.createTempDirectory(work, "pull");
    } catch (IOException failed) {
      throw NoRoom.writing(work.resolve("pull"), failed);
    }
  }

  /**
   * Makes a finished file one that all may read, and has it written to the disk, which takes a
   * while if it is large.
   *
   * @return bytes that it has on the disk
   */
  long seal(Path file) {
    try {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
      disk.force(file);
      return disk.use(file);
    } catch (IOException failed) {
      throw NoRoom.writing(file, failed);
    }
  }

  /**
   * Makes a sealed file an image that all can see. Its entry comes before it: without one it would
   * be fetched again after a crash, and an entry without an image is nothing.
   */
  void publish(Path file, StoredImage image, Instant now) {
    try {
      write(image, now);
      Files.move(file, path(image.sha256()), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      withdraw(image.sha256());
      throw NoRoom.writing(path(image.sha256()), failed);
    }
  }

  /** Waits until the disk knows an image that was published: after a crash it would be gone. */
  void settle(StoredImage image) {
    try {
      disk.force(images);
      disk.force(index.resolve(image.sha256() + ENTRY));
      disk.force(index);
    } catch (IOException failed) {
      LOG.warn("image {} may be gone after a crash: {}", image.sha256(), failed.toString());
    }
  }

  /** An image of which nobody was told takes room. */
  private void withdraw(String digest) {
    try {
      removeImage(digest);
    } catch (IOException failed) {
      LOG.warn("image {} cannot be removed: {}", digest, failed.toString());
    }
  }

  /**
   * Writes an image's entry; the image is used now. Nothing waits for the disk: an entry that is
   * lost is made anew.
   */
  void write(StoredImage image, Instant now) throws IOException {
    Path temporary = Files.createTempFile(work, "entry", ENTRY);
    try {
      Files.write(temporary, io.hpcrun.daemon.api.Json.MAPPER.writeValueAsBytes(image));
      Files.setLastModifiedTime(temporary, FileTime.from(now));
      Files.move(temporary, index.resolve(image.sha256() + ENTRY), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      Files.deleteIfExists(temporary);
      throw failed;
    }
  }

  /** Notes that an image is used now; an entry that somebody removed is made anew. */
  void use(StoredImage image, Instant now) {
    try {
      Path entry = index.resolve(image.sha256() + ENTRY);
      if (Files.exists(entry)) {
        Files.setLastModifiedTime(entry, FileTime.from(now));
      } else {
        write(image, now);
      }
    } catch (IOException failed) {
      LOG.warn("the use of image {} cannot be noted: {}", image.sha256(), failed.toString());
    }
  }

  /** When an image was used last; now, if that is not known, so that it is not removed for that. */
  Instant used(StoredImage image, Instant now) {
    try {
      return Files.getLastModifiedTime(index.resolve(image.sha256() + ENTRY)).toInstant();
    } catch (IOException failed) {
      LOG.warn(
          "when image {} was used is not known any more: {}", image.sha256(), failed.toString());
      use(image, now);
      return now;
    }
  }

  /** Removes an image: the file first, since an entry alone hurts nobody. */
  void removeImage(String digest) throws IOException {
    Files.deleteIfExists(path(digest));
    Files.deleteIfExists(index.resolve(digest + ENTRY));
  }

  /** Free bytes of the file system. */
  long free() throws IOException {
    return disk.free(images);
  }

  /** Removes a file or a directory with all that is in it. */
  static void remove(Path root) {
    try {
      UnpackedFiles.remove(root);
    } catch (IOException failed) {
      LOG.warn("{} cannot be removed: {}", root, failed.toString());
    }
  }

  @Override
  public void close() {
    try {
      lock.release();
      channel.close();
    } catch (IOException failed) {
      LOG.warn("the lock of the images is not released: {}", failed.toString());
    }
  }
}
