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
 * @param choice what else it gets of the environment
 */
public record ContainerOptions(
    List<BindMount> binds,
    List<EnvironmentVariable> environment,
    Optional<ByteString> workingDirectory,
    Optional<ByteString> home,
    List<String> noMount,
    List<ContainerFlag> flags,
    EnvironmentChoice choice) {

  /** With the default environment. */
  public ContainerOptions(
      List<BindMount> binds,
      List<EnvironmentVariable> environment,
      Optional<ByteString> workingDirectory,
      Optional<ByteString> home,
      List<String> noMount,
      List<ContainerFlag> flags) {
    this(binds, environment, workingDirectory, home, noMount, flags, EnvironmentChoice.DEFAULT);
  }

  /** Copies the lists. */
  public ContainerOptions {
    binds = List.copyOf(binds);
    environment = List.copyOf(environment);
    noMount = List.copyOf(noMount);
    flags = List.copyOf(flags);
  }

  /** Whether the user sets this variable, by its value or by name. */
  public boolean sets(String name) {
    return choice.byName().contains(name)
        || environment.stream().anyMatch(variable -> variable.name().equals(name));
  }

  /** The same with other variables. */
  public ContainerOptions with(List<EnvironmentVariable> other) {
    return new ContainerOptions(binds, other, workingDirectory, home, noMount, flags, choice);
  }

  /** The same with other binds and variables. */
  public ContainerOptions with(List<BindMount> shown, List<EnvironmentVariable> set) {
    return new ContainerOptions(shown, set, workingDirectory, home, noMount, flags, choice);
  }
}
