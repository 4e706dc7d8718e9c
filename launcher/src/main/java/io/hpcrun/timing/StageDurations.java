package io.hpcrun.timing;

import java.util.EnumMap;
import java.util.Map;

/** Durations of all stages, of one node, one launch or many. Not thread-safe. */
public final class StageDurations implements LaunchStages.Sink {
  private final Durations[] stages = new Durations[Stage.values().length];

  /** No durations yet. */
  public StageDurations() {}

  @Override
  public void add(Stage stage, long nanoseconds, String node, long rank, long uncertainty) {
    Durations durations = stages[stage.ordinal()];
    if (durations == null) {
      durations = new Durations();
      stages[stage.ordinal()] = durations;
    }
    durations.add(nanoseconds, node, rank, uncertainty);
  }

  /** Forgets everything, keeps the memory. */
  public void reset() {
    for (Durations durations : stages) {
      if (durations != null) {
        durations.reset();
      }
    }
  }

  /** The figures of the stages that were measured, in their order. */
  public Map<Stage, Durations.Summary> summaries() {
    Map<Stage, Durations.Summary> summaries = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      Durations durations = stages[stage.ordinal()];
      if (durations != null && !durations.isEmpty()) {
        summaries.put(stage, durations.summary());
      }
    }
    return summaries;
  }
}
