package io.hpcrun.spec;

import java.util.Optional;

/**
 * What the user wants of MPI.
 *
 * @param plugin the plug-in of {@code srun --mpi} that wires the ranks; empty: hpcrun chooses
 * @param force whether what is known to fail is done all the same ({@code --force})
 * @param singletons whether each rank is meant to be an MPI job of its own ({@code --singletons})
 * @param guard whether ranks that turn out to be alone end the launch (not with {@code --no-guard})
 */
public record MpiChoice(Optional<String> plugin, boolean force, boolean singletons, boolean guard) {
  /** hpcrun chooses. */
  public static final MpiChoice AUTO = new MpiChoice(Optional.empty(), false, false, true);

  /** A plug-in, checked. */
  public static MpiChoice of(String plugin) {
    return new MpiChoice(Optional.of(plugin), false, false, true);
  }
}
