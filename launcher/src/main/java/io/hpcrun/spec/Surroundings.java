package io.hpcrun.spec;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a site's rules can look at besides the launch itself.
 *
 * @param user login name
 * @param source the image as it was named; empty if that is not known
 * @param modules the site's modules that were asked for
 * @param at when the launch was asked for, in epoch seconds
 * @param variables those of the user's shell that Slurm or the container runtime reads, and that
 *     rules know
 */
public record Surroundings(
    String user,
    Optional<String> source,
    List<String> modules,
    long at,
    Map<String, String> variables) {

  /** Nothing is known. */
  public static final Surroundings UNKNOWN =
      new Surroundings("", Optional.empty(), List.of(), 0, Map.of());

  private static final Set<String> OF_JOBS =
      Set.of(
          "SLURM_JOB_PARTITION",
          "SLURM_JOB_ACCOUNT",
          "SLURM_JOB_QOS",
          "SLURM_JOB_NUM_NODES",
          "SLURM_NTASKS");

  private static final Pattern OF_CONTAINERS =
      Pattern.compile(
          "(APPTAINER|SINGULARITY)_"
              + "(BIND|BINDPATH|MOUNT|OVERLAY|OVERLAYIMAGE|SCRATCH|SCRATCHDIR|WORKDIR|HOME|FUSESPEC"
              + "|CONTAINLIBS)");

  private static final Set<String> OF_FLAGS =
      Arrays.stream(ContainerFlag.values())
          .flatMap(flag -> flag.variables().stream())
          .collect(Collectors.toUnmodifiableSet());

  /** Copies list and map, the map in the order of its names. */
  public Surroundings {
    modules = List.copyOf(modules);
    variables = java.util.Collections.unmodifiableMap(new TreeMap<>(variables));
  }

  /** The variables of a shell that rules know and that are set. */
  public static Map<String, String> known(Map<String, String> environment) {
    Map<String, String> known = new TreeMap<>();
    environment.forEach(
        (name, value) -> {
          if (!value.isEmpty()
              && (name.startsWith("SBATCH_")
                  || OF_JOBS.contains(name)
                  || OF_FLAGS.contains(name)
                  || OF_CONTAINERS.matcher(name).matches())) {
            known.put(name, value);
          }
        });
    return known;
  }

  /** The value of a variable. */
  public Optional<String> variable(String name) {
    return Optional.ofNullable(variables.get(name));
  }
}
