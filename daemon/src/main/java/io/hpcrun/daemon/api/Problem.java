package io.hpcrun.daemon.api;

/**
 * A request that cannot be answered as asked (RFC 9457, without a type).
 *
 * @param status HTTP's number
 * @param title what is wrong, for programs: a few words that stay the same
 * @param detail what was found
 * @param remedy what to do
 */
public record Problem(int status, String title, String detail, String remedy) {
  /** The media type. */
  static final String TYPE = "application/problem+json";

  /** Ends the handling of a request with this problem. */
  public Unanswerable asException() {
    return new Unanswerable(this);
  }

  /** Something in the request is wrong. */
  public static Unanswerable badRequest(String detail, String remedy) {
    return new Problem(400, "bad request", detail, remedy).asException();
  }

  /** It is not there, or not the caller's: nobody learns which. */
  public static Unanswerable notFound(String what) {
    return new Problem(404, "not found", what + " is not known here", "check its name")
        .asException();
  }

  /** It cannot be told now. */
  public static Unanswerable unavailable(String detail, String remedy) {
    return new Problem(503, "unavailable", detail, remedy).asException();
  }

  /** Carries a problem to where answers are written. */
  public static final class Unanswerable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    Unanswerable(Problem problem) {
      super(problem.detail());
      this.problem = problem;
    }

    /** What is answered. */
    public Problem problem() {
      return problem;
    }
  }
}
