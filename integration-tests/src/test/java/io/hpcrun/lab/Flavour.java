package io.hpcrun.lab;

import java.util.List;
import java.util.Locale;

/** The clusters that {@code ./lab} can make. */
public enum Flavour {
  /** Slurm 24.11 with PMIx, which is its MpiDefault. */
  TRIXIE,
  /** A newer Slurm without PMIx, whose MpiDefault is none. */
  SID,
  /** Slurm 22.05, the oldest that hpcrun talks to, without Apptainer. */
  BOOKWORM;

  /** The flavours that can run images. */
  public static List<Flavour> withApptainer() {
    return List.of(TRIXIE, SID);
  }

  /** The name that {@code ./lab --slurm} takes. */
  public String option() {
    return name().toLowerCase(Locale.ROOT);
  }
}
