package io.hpcrun.request;

import java.util.List;

/**
 * What one place says of a launch: the site file, a partition, a module, a template, a job file,
 * the lines of a script, the command line.
 *
 * @param settings the options, in the order in which they stand there
 * @param off names of options of which nothing that places before this one say is to count
 */
public record Layer(List<Setting> settings, List<String> off) {
  /** Says nothing. */
  public static final Layer EMPTY = new Layer(List.of(), List.of());

  /** Copies the lists. */
  public Layer {
    settings = List.copyOf(settings);
    off = List.copyOf(off);
  }

  /** Without sbatch's options, which are not for a step of a job. */
  Layer ofSteps() {
    return new Layer(
        settings.stream().filter(setting -> !OptionTable.isOfJobs(setting.name())).toList(), off);
  }

  /** A layer that takes nothing away. */
  public Layer(List<Setting> settings) {
    this(settings, List.of());
  }
}
