package io.hpcrun.pull;

import java.util.Optional;

/**
 * A source at one moment, pinned as far as it can be.
 *
 * @param source where it comes from
 * @param architecture Go's name of the processors that it is for, such as {@code amd64}
 * @param pin what stands for its content: the digest of its manifest ({@code sha256:...}), or the
 *     entity tag of a web server; empty where nothing does, so that it must be fetched to be known
 * @param bytes what is to be transferred; 0 if that is not known
 * @param blob digest of the one blob that is the SIF file, for {@code oras://}
 */
public record Resolved(
    ImageSource source,
    String architecture,
    Optional<String> pin,
    long bytes,
    Optional<String> blob) {

  /** Requests with the same key want the same image. */
  public String key() {
    return architecture + " " + pin.orElse(source.text());
  }
}
