package io.hpcrun.image;

import io.hpcrun.image.ImageProfile.Mpi;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A launch's command, as the files of its container tell of it.
 *
 * @param name the command as it was given; empty if there is none, as for a user's script
 * @param path where it is in the container; empty if it was not found
 * @param reach whether what it links to is all that it may run
 * @param mpi the MPI library that it is linked to; empty if there is none
 * @param missing libraries that it needs and that nothing in the container has
 */
public record Program(
    String name, Optional<String> path, Reach reach, Optional<Mpi> mpi, List<String> missing) {

  /** Whether what a program links to is all that it may run. */
  public enum Reach {
    /** It neither loads libraries by name nor starts programs. */
    CLOSED,
    /** It may load or start something else, as interpreters, shells and wrappers do. */
    OPEN,
    /** It could not be looked at. */
    UNKNOWN;

    /** The reach of this name; unknown for any other. */
    static Reach of(String name) {
      return name.equals(CLOSED.name()) ? CLOSED : name.equals(OPEN.name()) ? OPEN : UNKNOWN;
    }
  }

  private static final Set<String> LAUNCHERS =
      Set.of("mpirun", "mpiexec", "orterun", "prterun", "oshrun", "mpiexec.hydra");

  /** Copies the list. */
  public Program {
    missing = List.copyOf(missing);
  }

  /** A command of which nothing is known but its name. */
  public static Program unknown(String name) {
    return new Program(name, Optional.empty(), Reach.UNKNOWN, Optional.empty(), List.of());
  }

  /** Whether it starts MPI ranks by itself, as mpirun does. */
  public boolean isLauncher() {
    String base = name.substring(name.lastIndexOf('/') + 1);
    return LAUNCHERS.contains(base) || base.matches("(mpirun|mpiexec)[._-](openmpi|mpich|hydra)");
  }
}
