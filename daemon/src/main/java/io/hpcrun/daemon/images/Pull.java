package io.hpcrun.daemon.images;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a user's pull goes.
 *
 * @param id its name
 * @param source where the image comes from
 * @param architecture Go's name of the processors that it is for
 * @param state queued, resolving, pulling, converting, verifying, ready or failed
 * @param message the state as one sentence, for people
 * @param digest of the image's manifest, {@code sha256:...}, once it is resolved and where it has
 *     one
 * @param position how many pulls are before it, plus one; only while it is queued
 * @param progress how far the stage is, where that is known
 * @param path where the image is; once it is ready
 * @param sha256 of the SIF file, in hexadecimal; once it is ready
 * @param problem why it failed
 */
public record Pull(
    String id,
    String source,
    String architecture,
    String state,
    String message,
    Optional<String> digest,
    Optional<Integer> position,
    Optional<Progress> progress,
    Optional<Path> path,
    Optional<String> sha256,
    Optional<Problem> problem) {

  /**
   * How far a stage is.
   *
   * @param done bytes so far, where they are counted
   * @param total bytes in all, where that is known
   * @param seconds since the stage began
   */
  public record Progress(Optional<Long> done, Optional<Long> total, long seconds) {}

  /**
   * Why a pull failed.
   *
   * @param title what is wrong, for programs: {@code needs credentials}, {@code unknown image},
   *     {@code wrong architecture}, {@code no room} ...
   * @param detail what was found
   * @param remedy what to do
   */
  public record Problem(String title, String detail, String remedy) {}
}
