package io.hpcrun.spec;

/** Apptainer options that take no value and are passed on as they are. */
public enum ContainerFlag {
  /** The host's NVIDIA driver libraries and programs in the container. */
  NV("nv", "show the host's NVIDIA driver in the container"),
  /** The host's ROCm libraries in the container. */
  ROCM("rocm", "show the host's ROCm driver in the container"),
  /** A writable layer in memory that is lost at the end. */
  WRITABLE_TMPFS("writable-tmpfs", "a writable layer in memory over the image"),
  /** The user's home directory is not mounted. */
  NO_HOME("no-home", "do not mount the home directory");

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

  /** One line for the help text. */
  public String help() {
    return help;
  }
}
