package io.hpcrun.daemon.jobs;

import java.util.List;

/** The launches that are not known to be over, as the store has them. */
@FunctionalInterface
public interface OpenLaunches {
  /** All of them, in any order; asked for each time before Slurm is. */
  List<OpenLaunch> list();
}
