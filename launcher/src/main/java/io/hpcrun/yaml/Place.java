package io.hpcrun.yaml;

import io.hpcrun.failure.Failure;

/**
 * Where something stands in a file.
 *
 * @param file the file, as the user knows it
 * @param line from 1 on
 * @param column from 1 on
 */
public record Place(String file, int line, int column) {

  /** A mistake here, with exit code 2. */
  public Failure wrong(String found, String remedy) {
    return Failure.usage(this + ": " + found, remedy);
  }

  @Override
  public String toString() {
    return file + ", line " + line + ", column " + column;
  }
}
