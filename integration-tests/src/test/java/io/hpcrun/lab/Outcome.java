package io.hpcrun.lab;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a command on a node left behind, byte for byte.
 *
 * @param exitCode its exit code
 * @param out standard output
 * @param err standard error
 */
public record Outcome(int exitCode, byte[] out, byte[] err) {

  /** Standard output as text. */
  public String output() {
    return new String(out, StandardCharsets.UTF_8);
  }

  /** Standard error as text. */
  public String error() {
    return new String(err, StandardCharsets.UTF_8);
  }

  /** The lines of standard output. */
  public List<String> lines() {
    return output().lines().toList();
  }

  /** The lines of standard error. */
  public List<String> errorLines() {
    return error().lines().toList();
  }

  /** This outcome, after a check that the command ended with 0; its output otherwise says why. */
  public Outcome succeeded() {
    if (exitCode != 0) {
      throw new AssertionError("the command should have succeeded: " + this);
    }
    return this;
  }

  @Override
  public String toString() {
    return "exit code %d%n-- stdout%n%s%n-- stderr%n%s".formatted(exitCode, output(), error());
  }
}
