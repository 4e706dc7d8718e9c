package io.hpcrun.spec;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the user wants of MPI.
 *
 * @param plugin the plug-in of {@code srun --mpi} that wires the ranks; empty: hpcrun chooses
 * @param force whether what is known to fail is done all the same ({@code --force})
 * @param singletons whether each rank is meant to be an MPI job of its own ({@code --singletons})
 * @param guard whether ranks that turn out to be alone end the launch (not with {@code --no-guard})
 * @param model whose MPI library the ranks use
 * @param hosts the MPI libraries of the nodes that may be used; files
 */
public record MpiChoice(
    Optional<String> plugin,
    boolean force,
    boolean singletons,
    boolean guard,
    Model model,
    List<Path> hosts) {
  /** Names the MPI libraries of the nodes where the command line does not. */
  public static final String HOSTS_VARIABLE = "HPCRUN_HOST_MPI";

  /** hpcrun chooses. */
  public static final MpiChoice AUTO =
      new MpiChoice(Optional.empty(), false, false, true, Model.AUTO, List.of());

  /** Whose MPI library the ranks use. */
  public enum Model {
    /** The image's; the nodes' only where nothing of Slurm's wires the image's. */
    AUTO,
    /** The image's. */
    CONTAINER,
    /** The nodes', in the image's place. */
    HOST;

    /** The word on the command line. */
    public String label() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** Copies the list. */
  public MpiChoice {
    hosts = List.copyOf(hosts);
  }

  /** A plug-in, checked. */
  public static MpiChoice of(String plugin) {
    return new MpiChoice(Optional.of(plugin), false, false, true, Model.AUTO, List.of());
  }
}
