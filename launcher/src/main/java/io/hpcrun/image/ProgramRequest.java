package io.hpcrun.image;

import java.nio.file.Path;
import java.util.Map;

/**
 * A command, and what decides where it and its libraries are found besides the image.
 *
 * @param command the command as it was given
 * @param workingDirectory where it is started, an absolute path in the container
 * @param environment PATH and LD_LIBRARY_PATH, where they are set for the container
 * @param mounts directories and files of this machine in the container: where they are mounted, and
 *     what they are here
 */
public record ProgramRequest(
    String command,
    String workingDirectory,
    Map<String, String> environment,
    Map<String, Path> mounts) {

  /** Copies the maps. */
  public ProgramRequest {
    environment = Map.copyOf(environment);
    mounts = Map.copyOf(mounts);
  }

  /** The command's last path element. */
  String name() {
    return command.substring(command.lastIndexOf('/') + 1);
  }
}
