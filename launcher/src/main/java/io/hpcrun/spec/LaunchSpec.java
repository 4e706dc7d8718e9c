package io.hpcrun.spec;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A launch as it is wanted: complete and checked, before image and cluster are looked at.
 *
 * @param image absolute path of the image
 * @param command the application and its arguments, at least one word
 * @param slurm the sbatch options, in the order of {@link SlurmOption}
 * @param verbatim further sbatch options, passed through unread ({@code --sbatch})
 * @param container how the container is to look
 * @param mpi the process-management interface the user wants ({@code srun --mpi}); empty: hpcrun
 *     chooses
 * @param mode how ranks come into their container
 * @param staging where the nodes read the image from
 * @param records directory that takes the launch's records
 */
public record LaunchSpec(
    Path image,
    List<ByteString> command,
    List<SlurmSetting> slurm,
    List<String> verbatim,
    ContainerOptions container,
    Optional<String> mpi,
    Mode mode,
    Staging staging,
    Path records) {

  /** Copies the lists. */
  public LaunchSpec {
    command = List.copyOf(command);
    slurm = List.copyOf(slurm);
    verbatim = List.copyOf(verbatim);
  }

  /** The value of an sbatch option, if it was given. */
  public Optional<String> slurm(SlurmOption option) {
    return slurm.stream()
        .filter(setting -> setting.option() == option)
        .map(SlurmSetting::value)
        .findFirst();
  }
}
