package io.hpcrun.image;

import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.EnvironmentVariable;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * An MPI library of this machine in the place of an image's: single files, shown in the container
 * in a directory of their own, and the MPI library also over the image's.
 *
 * @param library the file, as it was named
 * @param mpi what it is
 * @param abi whether programs that are linked to the image's MPI can use it
 * @param older releases of it and of the image's, if it is the older one of one family; else empty
 * @param mapped it under each path by which the container's programs may find it
 * @param libraries what comes with it: UCX, PMIx
 * @param binds the files
 * @param libraryPath LD_LIBRARY_PATH of the container with them
 * @param variables by which they find their plug-ins
 * @param missing files that need what is not on this machine, each with what it needs
 * @param tooNew files that need a newer C library than the image's, each with the symbol
 * @param lacking the image's Fortran and C++ parts of MPI that the host's MPI does not have
 * @param unknownFunctions functions of MPI that the command uses and the host's library does not
 *     have
 * @param leftOut plug-ins of the host's that cannot be loaded here, each with what it lacks
 */
public record HostMpi(
    Path library,
    Mpi mpi,
    boolean abi,
    String older,
    List<Mpi> mapped,
    List<Library> libraries,
    List<BindMount> binds,
    String libraryPath,
    List<EnvironmentVariable> variables,
    List<String> missing,
    List<String> tooNew,
    List<String> lacking,
    List<String> unknownFunctions,
    List<String> leftOut) {

  private static final Pattern NETWORK =
      Pattern.compile("libuct_ib|-rdmav\\d+|lib(verbs|cxi|psm\\d?|opx|efa)-fi");

  /** Copies the lists. */
  public HostMpi {
    mapped = List.copyOf(mapped);
    libraries = List.copyOf(libraries);
    binds = List.copyOf(binds);
    variables = List.copyOf(variables);
    missing = List.copyOf(missing);
    tooNew = List.copyOf(tooNew);
    lacking = List.copyOf(lacking);
    unknownFunctions = List.copyOf(unknownFunctions);
    leftOut = List.copyOf(leftOut);
  }

  /** Whether nothing is known against it. */
  public boolean isFit() {
    return abi
        && older.isEmpty()
        && missing.isEmpty()
        && tooNew.isEmpty()
        && unknownFunctions.isEmpty();
  }

  /** Plug-ins of networks among those that were left out. */
  public List<String> lostPlugins() {
    return leftOut.stream().filter(file -> NETWORK.matcher(file).find()).toList();
  }

  /** Whether it gives the container a library of this name. */
  public boolean provides(String name) {
    return binds.stream().anyMatch(bind -> bind.destination().toString().endsWith("/" + name));
  }
}
