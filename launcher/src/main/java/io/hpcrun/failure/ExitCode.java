package io.hpcrun.failure;

/**
 * The exit codes of {@code hpcrun} itself. {@code hpcrun run} also ends with the application's own
 * code, and with 128 + n for an application ended by signal n.
 */
public enum ExitCode {
  /** The command did what was asked. */
  OK(0),
  /** hpcrun failed; a defect of hpcrun, or a machine that does not work. */
  INTERNAL(1),
  /** An option, a value or a file given by the user is wrong. */
  USAGE(2),
  /** Image, cluster and request do not fit together; nothing was submitted. */
  REFUSED(3),
  /** Slurm cannot be reached, or it refused the job. */
  SLURM(4),
  /** The image is missing or cannot be read. */
  IMAGE(5);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  /** The number that the process ends with. */
  public int code() {
    return code;
  }
}
