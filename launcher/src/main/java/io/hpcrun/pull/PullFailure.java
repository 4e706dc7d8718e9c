package io.hpcrun.pull;

/**
 * An image cannot be had from its source. The message says what was tried and found, as one
 * sentence without its full stop, and never holds credentials.
 */
public final class PullFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What a program can do something about. */
  public enum Kind {
    /** The source is not written as one. */
    MALFORMED("malformed source"),
    /** The site does not allow it. */
    FORBIDDEN("source not allowed"),
    /** It is not given to everybody; whoever has a login may fetch it. */
    NEEDS_CREDENTIALS("needs credentials"),
    /** There is nothing of this name. */
    UNKNOWN("unknown image"),
    /** It is there, but for other processors. */
    WRONG_ARCHITECTURE("wrong architecture"),
    /** What came is no image, or not what was announced. */
    BROKEN("broken image"),
    /** It is not signed as the site demands. */
    UNSIGNED("not signed"),
    /** Disk or quota are full. */
    NO_ROOM("no room"),
    /** The source does not answer, or says that it cannot. */
    UNREACHABLE("source unreachable"),
    /** It took longer than it may. */
    TOO_SLOW("too slow"),
    /** Nobody waits for it any more. */
    CANCELLED("cancelled");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    /** A few words that stay the same. */
    public String title() {
      return title;
    }
  }

  private final Kind kind;
  private final String remedy;

  /**
   * A failure.
   *
   * @param kind what it is to programs
   * @param found what was tried and found
   * @param remedy what to do, as one sentence without its full stop
   */
  public PullFailure(Kind kind, String found, String remedy) {
    super(found);
    this.kind = kind;
    this.remedy = remedy;
  }

  /** The same with what caused it, for debugging. */
  PullFailure(Kind kind, String found, String remedy, Throwable cause) {
    super(found, cause);
    this.kind = kind;
    this.remedy = remedy;
  }

  /** What it is to programs. */
  public Kind kind() {
    return kind;
  }

  /** What to do next. */
  public String remedy() {
    return remedy;
  }
}
