package io.hpcrun.daemon.images;

import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageDigest;
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

  /** Slurm is not asked again for a pull that fills the disk, if just now nothing could go. */
  private static final Duration IN_VAIN = Duration.ofMinutes(1);

  private final ImageFiles files;
  private final long quota;
  private final ImagesInUse inUse;
  private final Clock clock;
  private final Map<String, StoredImage> images;

  /** Held while room is made and taken, so that no two images take the same. */
  private final Object room = new Object();

  private Instant inVain = Instant.MIN;

  /**
   * Opens the store.
   *
   * @param directory on a file system that the nodes read
   * @param quota bytes that the images may have on the disk
   * @param inUse knows the images of jobs
   * @param clock tells when images are used
   * @throws io.hpcrun.failure.Failure with exit code 2 when the directory cannot be used
   */
  public ImageStore(Path directory, long quota, ImagesInUse inUse, Clock clock) {
    this(directory, quota, inUse, clock, new Disk());
  }

  ImageStore(Path directory, long quota, ImagesInUse inUse, Clock clock, Disk disk) {
    this.files = new ImageFiles(directory, disk);
    this.quota = quota;
    this.inUse = inUse;
    this.clock = clock;
    this.images = new LinkedHashMap<>(files.read());
  }

  /** Bytes that the images may have. */
  public long quota() {
    return quota;
  }

  /** Bytes that they have on the disk. */
  public synchronized long size() {
    return images.values().stream().mapToLong(StoredImage::room).sum();
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
    return files.used(image, clock.instant());
  }

  /**
   * Hands out the image of a source that is there already; from now on it stays for an hour.
   *
   * @param user who asks for it
   */
  synchronized Optional<StoredImage> find(Resolved wanted, String user) {
    Optional<StoredImage> found =
        images.values().stream()
            .filter(image -> image.is(wanted))
            .filter(this::isWhole)
            .findFirst();
    return found.map(image -> handOut(image, wanted, user));
  }

  private StoredImage handOut(StoredImage image, Resolved wanted, String user) {
    StoredImage named = image.with(wanted, user);
    if (named.equals(image)) {
      files.use(image, clock.instant());
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
        .ifPresent(each -> files.use(each, clock.instant()));
  }

  /** A new directory for a pull. */
  Path newWork() {
    return files.newWork();
  }

  /**
   * Has images make way on the disk for a pull under way, as far as they can.
   *
   * @param bytes that should be free; no more than has come for it stands for, since what is only
   *     announced need never come
   */
  void makeWay(long bytes) {
    try {
      long missing = bytes - files.free();
      if (missing > 0) {
        synchronized (room) {
          if (inVain.plus(IN_VAIN).isBefore(clock.instant())
              && !makeRoom(Math.max(0, size() - missing))) {
            inVain = clock.instant();
          }
        }
      }
    } catch (IOException unknown) {
      LOG.warn("the room for images cannot be told: {}", unknown.toString());
    }
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
    Optional<StoredImage> there = again(digest, wanted, user);
    if (there.isPresent()) {
      return there.get();
    }
    long onDisk = files.seal(file); // takes long, so before anybody has to wait for it
    StoredImage image = publish(file, digest, onDisk, wanted, user);
    files.settle(image);
    return image;
  }

  /** The same image, if it is there whole, maybe by another name. */
  private Optional<StoredImage> again(String digest, Resolved wanted, String user) {
    StoredImage before;
    synchronized (this) {
      before = images.get(digest);
    }
    if (before == null || !isWhole(before) || !isItself(before)) {
      return Optional.empty();
    }
    synchronized (this) {
      return Optional.ofNullable(images.get(digest)).map(image -> handOut(image, wanted, user));
    }
  }

  /** An image that nobody here has pulled may be any file that somebody put there. */
  private boolean isItself(StoredImage image) {
    if (!image.sources().isEmpty()) {
      return true;
    }
    try {
      return ImageDigest.compute(path(image)).equals(image.sha256());
    } catch (IOException | Failure unreadable) {
      LOG.warn("image {} cannot be read: {}", image.sha256(), unreadable.toString());
      return false;
    }
  }

  private StoredImage publish(Path file, String digest, long onDisk, Resolved wanted, String user) {
    synchronized (room) {
      if (onDisk > quota || !makeRoom(quota - onDisk)) {
        throw new PullFailure(
            Kind.NO_ROOM,
            "the image store has no room for %d MiB: it may hold %d MiB, and what is there is in use"
                .formatted(onDisk >> 20, quota >> 20),
            "try again when jobs have ended, in an hour at the earliest; or ask the administrators"
                + " for more (daemon.images.quota)");
      }
      synchronized (this) {
        StoredImage meanwhile = images.get(digest);
        if (meanwhile != null && !meanwhile.sources().isEmpty() && isWhole(meanwhile)) {
          return handOut(meanwhile, wanted, user);
        }
        StoredImage image =
            StoredImage.pulled(
                digest, size(file), onDisk, wanted, user, clock.instant().getEpochSecond());
        files.publish(file, image, clock.instant());
        images.put(digest, image);
        LOG.info("image {} of {} is there, {} bytes", digest, wanted.source().text(), onDisk);
        return image;
      }
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException gone) {
      throw io.hpcrun.pull.NoRoom.writing(file, gone);
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
      if (size() - idle.stream().mapToLong(StoredImage::room).sum() > most) {
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
          LOG.info("image {} is removed: {} bytes, used {}", image.sha256(), image.room(), last);
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
