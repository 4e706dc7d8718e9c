package io.hpcrun.daemon.store;

import java.util.List;

/**
 * Hears of each thing once, when it is in the store, though records may be read more than once.
 * What was stored just before a crash is not told.
 */
public interface LaunchListener {
  /** Hears nothing. */
  LaunchListener NONE =
      new LaunchListener() {
        @Override
        public void ended(LaunchOutcome outcome) {}

        @Override
        public void timed(Timed launch) {}
      };

  /** A launch is over, by its own record or by Slurm's word. */
  void ended(LaunchOutcome outcome);

  /**
   * Times have come of a launch whose ranks have ended and at least one of whose nodes has told.
   *
   * @param id its number in the store
   * @param first whether nothing was told of it before: its own times, and those of all nodes whose
   *     records are there, are new
   * @param nodes otherwise the nodes whose records are new
   * @param whole whether no node's record is missing any more
   */
  record Timed(long id, boolean first, List<String> nodes, boolean whole) {}

  /** Times of a launch have come. */
  void timed(Timed launch);
}
