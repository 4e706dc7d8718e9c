package io.hpcrun.daemon.images;

import io.hpcrun.daemon.api.Caller;
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
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images that all users share, no more than the quota holds: the least recently used go first,
 * but none that a job uses, or that was handed out within the hour. What is kept so for one user
 * has no more than half of the quota; who would have more is not handed out any. Thread-safe.
 */
public final class ImageStore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageStore.class);

  /** From an answer to the job that uses the image. */
  private static final Duration HANDED_OUT = Duration.ofHours(1);

  /** So many users may keep images at least, however much each of them wants. */
  private static final int USERS_AT_LEAST = 2;

  /** Slurm is not asked again for a pull that fills the disk, if just now nothing could go. */
  private static final Duration IN_VAIN = Duration.ofMinutes(1);

  private final ImageFiles files;
  private final long quota;
  private final ImagesInUse inUse;
  private final Clock clock;
  private final Map<String, StoredImage> images;
  private final UserShares shares;

  /** What was handed out before is not known by its users. */
  private final Instant opened;

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
    this.shares = new UserShares(quota / USERS_AT_LEAST);
    this.opened = clock.instant();
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
   * @throws PullFailure of kind NO_ROOM when the user would keep more than a share of the store
   */
  synchronized Optional<StoredImage> find(Resolved wanted, Caller user) {
    Optional<StoredImage> found =
        images.values().stream()
            .filter(image -> image.is(wanted))
            .filter(this::isWhole)
            .findFirst();
    found.ifPresent(image -> keep(image, user));
    return found.map(image -> name(image, wanted, user));
  }

  /**
   * Keeps an image for a user, for an hour.
   *
   * @throws PullFailure of kind NO_ROOM when the user would keep more than a share of the store, or
   *     when the image is gone
   */
  public synchronized void keep(StoredImage image, Caller user) {
    Instant now = clock.instant();
    shares.handOut(user.uid(), path(image), now.plus(HANDED_OUT));
    if (!shares.keptFor(user.uid(), rooms(), now).contains(path(image))) {
      shares.takeBack(user.uid(), path(image));
      throw new PullFailure(
          Kind.NO_ROOM,
          ("the image store has no room for more images of yours: those of your jobs, and those that"
                  + " you asked for within the hour, may have half of it, %d MiB")
              .formatted(quota / USERS_AT_LEAST >> 20),
          "use a copy of your own, or try again when jobs of yours have ended");
    }
  }

  /** Looks which images jobs use now. */
  public void lookAtJobs() {
    inUse.byUser().ifPresent(this::useByJobs);
  }

  private synchronized void useByJobs(Map<Long, Set<Path>> byUser) {
    shares.useByJobs(byUser);
  }

  private Map<Path, Long> rooms() {
    return images.values().stream().collect(Collectors.toMap(this::path, StoredImage::room));
  }

  /** Notes by which name an image was asked for, and that it is used now. */
  private StoredImage name(StoredImage image, Resolved wanted, Caller user) {
    StoredImage named = image.with(wanted, user.user());
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
   * Makes a finished file an image. It is kept for who asked first, as far as that user may.
   *
   * @param file a SIF file in a directory of {@link #newWork}
   * @param digest its SHA-256, in hexadecimal
   * @param wanted what it was pulled as
   * @param user who asked first
   * @throws PullFailure of kind NO_ROOM when the quota holds only images in use
   */
  StoredImage add(Path file, String digest, Resolved wanted, Caller user) {
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
  private Optional<StoredImage> again(String digest, Resolved wanted, Caller user) {
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

  private StoredImage handOut(StoredImage image, Resolved wanted, Caller user) {
    shares.handOut(user.uid(), path(image), clock.instant().plus(HANDED_OUT));
    return name(image, wanted, user);
  }

  private StoredImage publish(Path file, String digest, long onDisk, Resolved wanted, Caller user) {
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
                digest, size(file), onDisk, wanted, user.user(), clock.instant().getEpochSecond());
        files.publish(file, image, clock.instant());
        images.put(digest, image);
        shares.handOut(user.uid(), path(image), clock.instant().plus(HANDED_OUT));
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
    Optional<Map<Long, Set<Path>>> jobs = inUse.byUser();
    if (jobs.isEmpty()) {
      LOG.warn("no image is removed: which of them jobs use cannot be told");
      return false;
    }
    synchronized (this) {
      shares.useByJobs(jobs.get());
      Instant now = clock.instant();
      Set<Path> kept = shares.kept(rooms(), now);
      List<StoredImage> idle =
          images.values().stream()
              .filter(image -> !kept.contains(path(image)))
              .filter(image -> !isOfEarlierRun(used(image), now))
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

  /** Whether an earlier run of the daemon handed it out within the hour, nobody knows to whom. */
  private boolean isOfEarlierRun(Instant used, Instant now) {
    return used.isBefore(opened) && !used.isBefore(now.minus(HANDED_OUT));
  }

  @Override
  public void close() {
    files.close();
  }
}
