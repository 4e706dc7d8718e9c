package io.hpcrun.spec;

import java.util.List;

/**
 * What the ranks are to get of the environment besides the variables that are set for them. Values
 * of secrets are never here: this is sent to hpcrund, and rendered as a script.
 *
 * @param byName variables that are set for the ranks with values that only the job's environment
 *     holds ({@code --env NAME}, and secrets), in order
 * @param clean whether only what belongs to Slurm, MPI, GPUs, network and site passes ({@code
 *     --clean-env})
 * @param rules rules of the site, which come before the built-in ones
 */
public record EnvironmentChoice(List<String> byName, boolean clean, List<EnvironmentRule> rules) {
  /** The built-in rules, and nothing by name. */
  public static final EnvironmentChoice DEFAULT =
      new EnvironmentChoice(List.of(), false, List.of());

  /** Copies the lists. */
  public EnvironmentChoice {
    byName = List.copyOf(byName);
    rules = List.copyOf(rules);
  }
}
