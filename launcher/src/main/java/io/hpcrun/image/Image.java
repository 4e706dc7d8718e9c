package io.hpcrun.image;

import java.nio.file.Path;
import java.util.Optional;

/**
 * An image as its file shows it.
 *
 * @param path absolute path
 * @param format SIF file or sandbox directory
 * @param architecture Go's name of the architecture ({@code amd64}, {@code arm64} …) as SIF files
 *     have it; empty for a sandbox
 * @param id the SIF file's own UUID; empty for a sandbox
 * @param size bytes of the SIF file; 0 for a sandbox
 * @param header SHA-256 of the SIF file's first 32 KiB, in hexadecimal: its header and the table of
 *     its parts, which no other build shares; empty for a sandbox
 * @param fileSystem type of the file system that holds it, as /proc/mounts has it
 * @param built when the SIF file was made, in epoch seconds; empty if it does not say
 * @param signed whether it holds a signature, whosever
 */
public record Image(
    Path path,
    Format format,
    Optional<String> architecture,
    Optional<String> id,
    long size,
    Optional<String> header,
    String fileSystem,
    Optional<Long> built,
    boolean signed) {

  /** One that does not say when it was made, and is not signed. */
  public Image(
      Path path,
      Format format,
      Optional<String> architecture,
      Optional<String> id,
      long size,
      Optional<String> header,
      String fileSystem) {
    this(path, format, architecture, id, size, header, fileSystem, Optional.empty(), false);
  }

  /** The kinds of image that hpcrun runs. */
  public enum Format {
    /** A Singularity image file. */
    SIF,
    /** A directory that holds a root file system. */
    SANDBOX
  }
}
