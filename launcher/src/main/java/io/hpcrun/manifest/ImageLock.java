package io.hpcrun.manifest;

import io.hpcrun.image.Image;
import io.hpcrun.image.ImageState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * An image as it was at one moment.
 *
 * @param given how the user named it: a path, or {@code docker://…} and the like
 * @param path the file or directory
 * @param format SIF file or sandbox directory
 * @param sha256 of the file in hexadecimal, if it was known: an image is not read whole for this
 * @param id the SIF file's UUID
 * @param state SHA-256 of what tells one state from another: a SIF file's header with the table of
 *     its parts; a sandbox's directories and package databases
 * @param size bytes of the SIF file; 0 for a sandbox
 * @param modified when the file was changed last
 */
public record ImageLock(
    String given,
    Path path,
    Image.Format format,
    Optional<String> sha256,
    Optional<String> id,
    Optional<String> state,
    long size,
    Instant modified) {

  /** Whether two images are the same one. */
  public enum Likeness {
    SAME,
    OTHER,
    /** Nothing that is known of both tells. */
    UNKNOWN
  }

  /** The image as it is now. */
  public static ImageLock of(String given, Image image, Optional<String> sha256) {
    Instant modified = Instant.EPOCH;
    Optional<String> state = image.header();
    try {
      modified =
          Files.readAttributes(image.path(), BasicFileAttributes.class)
              .lastModifiedTime()
              .toInstant();
      state = Optional.of(ImageState.of(image));
    } catch (IOException gone) {
      // Since it was looked at: what was seen then is kept.
      LoggerFactory.getLogger(ImageLock.class).debug("{} is gone", image.path(), gone);
    }
    return new ImageLock(
        given, image.path(), image.format(), sha256, image.id(), state, image.size(), modified);
  }

  /** Whether the other has the same content. */
  public Likeness compare(ImageLock other) {
    if (format != other.format || size != other.size) {
      return Likeness.OTHER;
    }
    if (sha256.isPresent() && other.sha256.isPresent()) {
      return likeness(sha256.equals(other.sha256));
    }
    return state.isPresent() && other.state.isPresent()
        ? likeness(state.equals(other.state))
        : Likeness.UNKNOWN;
  }

  private static Likeness likeness(boolean same) {
    return same ? Likeness.SAME : Likeness.OTHER;
  }
}
