package io.hpcrun.spec;

import java.util.List;
import java.util.Optional;

/**
 * How the container is to look, in Apptainer's words.
 *
 * @param binds files and directories of the node to show, in order
 * @param environment variables to set for the application, in order; they win over the image's own
 * @param workingDirectory directory in the container to start in; empty: the job's own directory
 * @param home {@code --home}; empty: the user's home directory
 * @param noMount mounts to leave out ({@code --no-mount}), Apptainer's names
 * @param flags options without a value, in the order of {@link ContainerFlag}
 */
public record ContainerOptions(
    List<BindMount> binds,
    List<EnvironmentVariable> environment,
    Optional<ByteString> workingDirectory,
    Optional<ByteString> home,
    List<String> noMount,
    List<ContainerFlag> flags) {

  /** Copies the lists. */
  public ContainerOptions {
    binds = List.copyOf(binds);
    environment = List.copyOf(environment);
    noMount = List.copyOf(noMount);
    flags = List.copyOf(flags);
  }

  /** The same with other variables. */
  public ContainerOptions with(List<EnvironmentVariable> other) {
    return new ContainerOptions(binds, other, workingDirectory, home, noMount, flags);
  }
}
