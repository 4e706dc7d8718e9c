package io.hpcrun.pull;

import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** How a full disk says so. */
public final class NoRoom {
  private static final Pattern WORDS =
      Pattern.compile("(?i)no space left on device|disk quota exceeded");

  private NoRoom() {}

  /** Whether a message of the system, or of a program, means that. */
  static boolean says(String message) {
    return WORDS.matcher(message).find();
  }

  /** What is said of an image that is larger than one may be, in bytes. */
  static PullFailure tooLarge(long most) {
    return new PullFailure(
        Kind.NO_ROOM,
        "the image is larger than the " + (most >> 20) + " MiB that one image may have here",
        "ask the administrators for more (daemon.images.largest)");
  }

  /** What is said of an image with more files and directories than one may have. */
  static PullFailure tooManyFiles(long most) {
    return new PullFailure(
        Kind.NO_ROOM,
        "the image has more than the " + most + " files that one image may have here",
        "put small files into fewer large ones, or ask the administrators for more"
            + " (daemon.images.largest)");
  }

  /** What is said when a file of an image cannot be written. */
  public static PullFailure writing(Path file, IOException failed) {
    return new PullFailure(
        says(String.valueOf(failed.getMessage())) ? Kind.NO_ROOM : Kind.BROKEN,
        "the image cannot be written to " + file.getParent() + " (" + failed.getMessage() + ")",
        "make room there, or ask the administrators",
        failed);
  }
}
