package io.hpcrun.daemon.images;

/** A user waits for as many pulls as one user may. */
public final class TooManyPulls extends RuntimeException {
  private static final long serialVersionUID = 1L;

  TooManyPulls(int most) {
    super("you wait for " + most + " pulls already, which is what one user may");
  }
}
