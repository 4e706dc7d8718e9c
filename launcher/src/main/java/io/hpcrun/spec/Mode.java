package io.hpcrun.spec;

import java.util.Locale;

/** How a node's ranks come into their container ({@code --mode}). */
public enum Mode {
  /** Join where that is possible on the node, else one container for each rank. */
  AUTO,
  /** The ranks of a node join one container; where they cannot, the launch is refused. */
  JOIN,
  /** Each rank starts a container with {@code apptainer exec}. */
  EXEC,
  /** Each rank runs {@code apptainer exec --sharens} (Apptainer 1.3 or newer). */
  SHARENS;

  /** The name in options, scripts and records. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
