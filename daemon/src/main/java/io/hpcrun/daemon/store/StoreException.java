package io.hpcrun.daemon.store;

/** The store cannot do what was asked: it is not there, its disk is full, or data is not for it. */
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean dataFault;

  StoreException(String found, Throwable cause, boolean dataFault) {
    super(found, cause);
    this.dataFault = dataFault;
  }

  /** Whether the data is at fault, so that trying again cannot help; else the store is. */
  public boolean isDataFault() {
    return dataFault;
  }
}
