package io.hpcrun.spec;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A launch as it is wanted: complete and checked, before image and cluster are looked at.
 *
 * @param image absolute path of the image
 * @param kind a job of its own, a step of the job in which hpcrun runs, or a user's script
 * @param command the application and its arguments, at least one word; for a script, the program
 *     that all its launches start, if that is known
 * @param script the user's script, if that is what runs
 * @param slurm the options of sbatch, or of srun for a step, in the order of {@link SlurmOption}
 * @param verbatim further sbatch options, passed through unread ({@code --sbatch})
 * @param srun further options of the launch step, passed through unread ({@code --srun})
 * @param container how the container is to look
 * @param mpi what the user wants of MPI
 * @param fabric what the user wants of the network
 * @param mode how ranks come into their container
 * @param staging where the nodes read the image from
 * @param records directory that takes the launch's records
 * @param spool directory that takes them for the site's daemon, too, if there is one
 */
public record LaunchSpec(
    Path image,
    Kind kind,
    List<ByteString> command,
    Optional<UserScript> script,
    List<SlurmSetting> slurm,
    List<String> verbatim,
    List<String> srun,
    ContainerOptions container,
    MpiChoice mpi,
    FabricChoice fabric,
    Mode mode,
    Staging staging,
    Path records,
    Optional<Path> spool) {

  /** What a launch is to Slurm. */
  public enum Kind {
    /** A job with one launch. */
    JOB,
    /** A step of the job in which hpcrun is called. */
    STEP,
    /** A job that runs a user's script, which starts its launches. */
    SCRIPT
  }

  /** Copies the lists. */
  public LaunchSpec {
    command = List.copyOf(command);
    slurm = List.copyOf(slurm);
    verbatim = List.copyOf(verbatim);
    srun = List.copyOf(srun);
  }

  /** The same launch in a container that looks otherwise. */
  public LaunchSpec with(ContainerOptions other) {
    return new LaunchSpec(
        image, kind, command, script, slurm, verbatim, srun, other, mpi, fabric, mode, staging,
        records, spool);
  }

  /** The same launch of another image. */
  public LaunchSpec with(Path other) {
    return new LaunchSpec(
        other, kind, command, script, slurm, verbatim, srun, container, mpi, fabric, mode, staging,
        records, spool);
  }

  /** The same launch with the script that starts it. */
  public LaunchSpec with(UserScript other) {
    return new LaunchSpec(
        image,
        kind,
        command,
        Optional.of(other),
        slurm,
        verbatim,
        srun,
        container,
        mpi,
        fabric,
        mode,
        staging,
        records,
        spool);
  }

  /** The same launch of another command. */
  public LaunchSpec with(List<ByteString> other) {
    return new LaunchSpec(
        image, kind, other, script, slurm, verbatim, srun, container, mpi, fabric, mode, staging,
        records, spool);
  }

  /** The same launch with another value of one of sbatch's options. */
  public LaunchSpec with(SlurmSetting other) {
    List<SlurmSetting> all =
        Stream.concat(
                slurm.stream().filter(setting -> setting.option() != other.option()),
                Stream.of(other))
            .sorted(Comparator.comparing(SlurmSetting::option))
            .toList();
    return new LaunchSpec(
        image, kind, command, script, all, verbatim, srun, container, mpi, fabric, mode, staging,
        records, spool);
  }

  /** The value of an sbatch option, if it was given. */
  public Optional<String> slurm(SlurmOption option) {
    return slurm.stream()
        .filter(setting -> setting.option() == option)
        .map(SlurmSetting::value)
        .findFirst();
  }

  /** Whether the launch is a job array. */
  public boolean isArray() {
    return slurm(SlurmOption.ARRAY).isPresent()
        || verbatim.stream()
            .anyMatch(option -> option.startsWith("-a") || option.startsWith("--ar"));
  }
}
