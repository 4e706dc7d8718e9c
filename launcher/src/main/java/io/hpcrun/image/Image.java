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
 */
public record Image(
    Path path, Format format, Optional<String> architecture, Optional<String> id, long size) {

  /** The kinds of image that hpcrun runs. */
  public enum Format {
    /** A Singularity image file. */
    SIF,
    /** A directory that holds a root file system. */
    SANDBOX
  }
}
