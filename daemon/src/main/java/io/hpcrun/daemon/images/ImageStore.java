package io.hpcrun.daemon.images;

import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.PullFailure.Kind;
import io.hpcrun.pull.Resolved;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that all users share, no more than the quota holds: the least recently used go first,
 * but none that a job uses, or that was handed out within the hour. Thread-safe.
 */
public final class ImageStore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageStore.class);

  /** From an answer to the job that uses the image. */
  private static final Duration HANDED_OUT = Duration.ofHours(1);

  /** Layers are packed; the files that Apptainer unpacks, and those it makes, are beside them. */
  private static final int ROOM_FOR_WORK = 4;

  private final ImageFiles files;
  private final long quota;
  private final ImagesInUse inUse;
  private final Clock clock;
  private final Map<String, StoredImage> images;

  /**
   * Opens the store.
   *
   * @param directory on a file system that the nodes read
   * @param quota bytes that the images may have
   * @param inUse knows the images of jobs
   * @param clock tells when images are used
   * @throws io.hpcrun.failure.Failure with exit code 2 when the directory cannot be used
   */
  public ImageStore(Path directory, long quota, ImagesInUse inUse, Clock clock) {
    this.files = new ImageFiles(directory);
    this.quota = quota;
    this.inUse = inUse;
    this.clock = clock;
    this.images = new LinkedHashMap<>(files.read());
  }

  /** Bytes that the images may have. */
  public long quota() {
    return quota;
  }

  /** Bytes that they have. */
  public synchronized long size() {
    return images.values().stream().mapToLong(StoredImage::size).sum();
  }

  /** All images. */
  public synchronized List<StoredImage> all() {
    return List.copyOf(images.values());
  }

  /** Where an image is. */
  public Path path(StoredImage image) {
    return files.path(image.sha256());
  }

  /** When an image was used last. */
  public Instant used(StoredImage image) {
    return files.used(image.sha256());
  }

  /** Hands out the image of a source that is there already; from now on it stays for an hour. */
  synchronized Optional<StoredImage> find(Resolved wanted) {
    if (wanted.pin().isEmpty()) {
      return Optional.empty();
    }
    Optional<StoredImage> found =
        images.values().stream()
            .filter(image -> image.architecture().equals(wanted.architecture()))
            .filter(image -> image.pins().contains(wanted.pin().get()))
            .filter(this::isWhole)
            .findFirst();
    return found.map(image -> handOut(image, wanted));
  }

  private StoredImage handOut(StoredImage image, Resolved wanted) {
    StoredImage named =
        image.with(wanted.source().text(), wanted.pin().orElse("sha256:" + image.sha256()));
    if (named.equals(image)) {
      files.use(image.sha256(), clock.instant());
      return image;
    }
    try {
      files.write(named, clock.instant());
      images.put(named.sha256(), named);
    } catch (IOException failed) {
      LOG.warn("the source of image {} is not noted: {}", image.sha256(), failed.toString());
    }
    return named;
  }

  /** Somebody may have removed or cut the file. */
  private boolean isWhole(StoredImage image) {
    try {
      return Files.size(path(image)) == image.size();
    } catch (IOException gone) {
      LOG.warn("image {} is gone: {}", image.sha256(), gone.toString());
      return false;
    }
  }

  /** Notes that a job will use an image, if this path is one of the store's. */
  public synchronized void use(Path image) {
    images.values().stream()
        .filter(each -> path(each).equals(image))
        .findFirst()
        .ifPresent(each -> files.use(each.sha256(), clock.instant()));
  }

  /** A new directory for a pull, with room for it as far as images can make way. */
  Path newWork(long bytes) {
    try {
      long missing = bytes * ROOM_FOR_WORK - files.free();
      if (missing > 0) {
        makeRoom(Math.max(0, size() - missing));
      }
    } catch (IOException unknown) {
      LOG.warn("the room for images cannot be told: {}", unknown.toString());
    }
    return files.newWork();
  }

  /** Ends a pull: its directory goes. */
  void remove(Path work) {
    ImageFiles.remove(work);
  }

  /**
   * Makes a finished file an image, and hands it out.
   *
   * @param file a SIF file in a directory of {@link #newWork}
   * @param digest its SHA-256, in hexadecimal
   * @param wanted what it was pulled as
   * @param user who asked first
   * @throws PullFailure of kind NO_ROOM when the quota holds only images in use
   */
  StoredImage add(Path file, String digest, Resolved wanted, String user) {
    long size;
    try {
      size = Files.size(file);
    } catch (IOException gone) {
      throw io.hpcrun.pull.NoRoom.writing(file, gone);
    }
    if (size > quota || !makeRoom(quota - size)) {
      throw new PullFailure(
          Kind.NO_ROOM,
          "the image store has no room for %d MiB: it may hold %d MiB, and what is there is in use"
              .formatted(size >> 20, quota >> 20),
          "try again when jobs have ended, in an hour at the earliest; or ask the administrators for"
              + " more (daemon.images.quota_bytes)");
    }
    synchronized (this) {
      StoredImage before = images.get(digest);
      if (before != null && isWhole(before)) {
        return handOut(before, wanted);
      }
      StoredImage image =
          new StoredImage(
              digest,
              wanted.architecture(),
              size,
              List.of(wanted.source().text()),
              Set.of(wanted.pin().orElse("sha256:" + digest)),
              clock.instant().getEpochSecond(),
              user);
      files.publish(file, image, clock.instant());
      images.put(digest, image);
      LOG.info("image {} of {} is there, {} bytes", digest, wanted.source().text(), size);
      return image;
    }
  }

  /** Removes images until they have no more than so many bytes; false if too many are in use. */
  private boolean makeRoom(long most) {
    if (size() <= most) {
      return true;
    }
    Optional<Set<Path>> used = inUse.paths();
    if (used.isEmpty()) {
      LOG.warn("no image is removed: which of them jobs use cannot be told");
      return false;
    }
    synchronized (this) {
      Instant since = clock.instant().minus(HANDED_OUT);
      List<StoredImage> idle =
          images.values().stream()
              .filter(image -> !used.get().contains(path(image)))
              .filter(image -> used(image).isBefore(since))
              .sorted(Comparator.comparing(this::used))
              .toList();
      if (size() - idle.stream().mapToLong(StoredImage::size).sum() > most) {
        return false; // nothing is gained by removing some
      }
      for (StoredImage image : idle) {
        if (size() <= most) {
          break;
        }
        try {
          Instant last = used(image);
          files.removeImage(image.sha256());
          images.remove(image.sha256());
          LOG.info("image {} is removed: {} bytes, used {}", image.sha256(), image.size(), last);
        } catch (IOException failed) {
          LOG.warn("image {} cannot be removed: {}", image.sha256(), failed.toString());
        }
      }
      return size() <= most;
    }
  }

  @Override
  public void close() {
    files.close();
  }
}
