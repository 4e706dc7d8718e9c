package io.hpcrun.packing;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What a job needs in all, and what else is said of it that decides where it can start.
 *
 * @param resources what it needs
 * @param source where that is said
 * @param partitions those that may be used; none: any
 * @param preferred the partition that is used if the job can start there; empty: Slurm's default
 * @param ntasks the number of ranks
 * @param cpusPerTask cores of each rank
 * @param seconds how long it may run
 * @param constraint features that its nodes must have, in sbatch's words; empty if none
 * @param account the account; empty if it is not said
 * @param qos the QOS; empty if it is not said
 * @param reserved whether a reservation is said
 * @param threads whether it is said how the threads of cores are used
 */
public record Wish(
    Resources resources,
    String source,
    List<String> partitions,
    Optional<String> preferred,
    OptionalLong ntasks,
    OptionalLong cpusPerTask,
    OptionalLong seconds,
    String constraint,
    Optional<String> account,
    Optional<String> qos,
    boolean reserved,
    boolean threads) {

  /** Copies the list. */
  public Wish {
    partitions = List.copyOf(partitions);
  }

  /** Of which nothing else is said. */
  public static Wish of(Resources resources, String source) {
    return new Wish(
        resources,
        source,
        List.of(),
        Optional.empty(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        "",
        Optional.empty(),
        Optional.empty(),
        false,
        false);
  }

  /**
   * Whether nodes with these features do, as far as that can be told: names that are all wanted
   * ({@code a&b}), or of which one is ({@code a|b}); what else sbatch allows is left to Slurm.
   */
  boolean isMetBy(List<String> features) {
    if (constraint.matches("[\\w.-]+([&,][\\w.-]+)*")) {
      return features.containsAll(List.of(constraint.split("[&,]")));
    }
    return !constraint.matches("[\\w.-]+(\\|[\\w.-]+)+")
        || Stream.of(constraint.split("\\|")).anyMatch(features::contains);
  }
}
