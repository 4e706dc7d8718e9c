package io.hpcrun.spec;

import java.util.List;

/** Apptainer options that take no value and are passed on as they are. */
public enum ContainerFlag {
  /** The host's NVIDIA driver libraries and programs in the container. */
  NV("nv", "show the host's NVIDIA driver in the container"),
  /** The host's ROCm libraries in the container. */
  ROCM("rocm", "show the host's ROCm driver in the container"),
  /**
   * Not the host's NVIDIA driver, also where the runtime's configuration or hpcrun would add it.
   */
  NO_NV("no-nv", "do not show the host's NVIDIA driver"),
  /** Not the host's ROCm libraries. */
  NO_ROCM("no-rocm", "do not show the host's ROCm driver"),
  /** A writable layer in memory that is lost at the end. */
  WRITABLE_TMPFS("writable-tmpfs", "a writable layer in memory over the image"),
  /** The user's home directory is not mounted. */
  NO_HOME("no-home", "do not mount the home directory"),
  /** Own, empty directories in the place of the host's home, /tmp and /dev. */
  CONTAIN("contain", "empty /tmp and home, no working directory, little of /dev");

  private final String option;
  private final String help;

  ContainerFlag(String option, String help) {
    this.option = option;
    this.help = help;
  }

  /** The long option's name, the same for hpcrun and Apptainer, without the dashes. */
  public String option() {
    return option;
  }

  /** The variables by which Apptainer and SingularityCE have the option, too. */
  public List<String> variables() {
    return List.of("APPTAINER_" + name(), "SINGULARITY_" + name());
  }

  /** One line for the help text. */
  public String help() {
    return help;
  }
}
