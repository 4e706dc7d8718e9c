package io.hpcrun.daemon.store;

/** The store cannot do what was asked; {@link #kind} tells whose fault it is. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Whose fault it is. */
  public enum Kind {
    /** The store's: it is not there, or its disk is full. Later it may work. */
    STORE,
    /** The data's: trying again cannot help. */
    DATA,
    /** Nobody's: others are asked first. */
    BUSY,
    /** The question's: it takes too long to answer. */
    TOO_SLOW
  }

  private final Kind kind;

  StoreException(String found, Throwable cause, Kind kind) {
    super(found, cause);
    this.kind = kind;
  }

  /** Whose fault it is. */
  public Kind kind() {
    return kind;
  }

  /** Whether the data is at fault, so that trying again cannot help; else the store is. */
  public boolean isDataFault() {
    return kind == Kind.DATA;
  }
}
