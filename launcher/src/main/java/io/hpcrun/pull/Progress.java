package io.hpcrun.pull;

/** Hears how a fetch goes on. */
@FunctionalInterface
public interface Progress {
  /** What is being done. */
  enum Stage {
    /** It comes over the network. */
    PULLING,
    /** Apptainer unpacks the layers and makes a SIF file of them. */
    CONVERTING,
    /** It is looked at: whole, for these processors, signed. */
    VERIFYING
  }

  /**
   * It goes on.
   *
   * @param stage what is being done
   * @param done bytes so far; 0 if that is not known
   */
  void at(Stage stage, long done);
}
