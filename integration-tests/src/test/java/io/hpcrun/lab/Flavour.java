package io.hpcrun.lab;

import java.util.Locale;

/** The clusters that {@code ./lab} can make. */
public enum Flavour {
  /** Slurm 24.11 with PMIx, which is its MpiDefault. */
  TRIXIE,
  /** A newer Slurm without PMIx, whose MpiDefault is none. */
  SID;

  /** The name that {@code ./lab --slurm} takes. */
  public String option() {
    return name().toLowerCase(Locale.ROOT);
  }
}
