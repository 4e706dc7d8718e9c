package io.hpcrun.failure;

/**
 * A failure that a user can understand and act on: what was tried, what was found, what to do. The
 * message is complete as it stands; a stack trace is shown only on request.
 */
public final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ExitCode exitCode;
  private final String remedy;

  private Failure(ExitCode exitCode, String found, String remedy, Throwable cause) {
    super(found, cause);
    this.exitCode = exitCode;
    this.remedy = remedy;
  }

  /**
   * A wrong option, value or file of the user.
   *
   * @param found what was tried and what was found, naming the option or the file
   * @param remedy what to do about it
   */
  public static Failure usage(String found, String remedy) {
    return new Failure(ExitCode.USAGE, found, remedy, null);
  }

  /** Image, cluster and request do not fit together. */
  public static Failure refused(String found, String remedy) {
    return new Failure(ExitCode.REFUSED, found, remedy, null);
  }

  /** Slurm cannot be reached or refused the job. */
  public static Failure slurm(String found, String remedy) {
    return new Failure(ExitCode.SLURM, found, remedy, null);
  }

  /** The image is missing or cannot be read. */
  public static Failure image(String found, String remedy) {
    return new Failure(ExitCode.IMAGE, found, remedy, null);
  }

  /** The machine or hpcrun itself does not work. */
  public static Failure internal(String found, String remedy, Throwable cause) {
    return new Failure(ExitCode.INTERNAL, found, remedy, cause);
  }

  /** The same failure, with more said before what was found and after what to do. */
  public Failure amended(String before, String after) {
    return new Failure(exitCode, before + getMessage(), remedy + after, this);
  }

  /** The exit code of the command that met this failure. */
  public ExitCode exitCode() {
    return exitCode;
  }

  /** What to do next, as one sentence without its full stop. */
  public String remedy() {
    return remedy;
  }
}
