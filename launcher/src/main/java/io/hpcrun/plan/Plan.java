package io.hpcrun.plan;

import io.hpcrun.image.Image;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import java.util.List;
import java.util.stream.Stream;

/**
 * A launch, decided.
 *
 * @param spec what was asked for
 * @param image the image that will run
 * @param srunOptions options of the launch step, such as {@code --mpi=pmix}
 * @param runtimeOptions options of {@code apptainer exec}, in order
 * @param mode how ranks come into their container
 * @param staged whether the nodes read the image from copies of their own
 * @param mpi what wires the ranks: a plug-in of {@code srun --mpi}, or none
 * @param pmixDirectories directories of the node to show in the container for PMIx, may hold {@code
 *     %n} and {@code %h}
 * @param variables which of the job's variables the ranks get, as words {@code -PATTERN|...} and
 *     {@code +PATTERN|...}, of which the first that fits counts
 * @param defaults variables of the ranks, unless set
 * @param aloneDefaults variables, unless set, for ranks that do not share a container
 * @param guard for each MPI library that may not be wired, what the agents need to see it (see
 *     guard.bash); empty: ranks that are MPI jobs of their own do not end the launch
 * @param devices GPUs and network
 * @param packing how the resources that are asked for became sizes of a job, with the reasons
 * @param decisions every other choice with its reason
 * @param warnings what may fail
 * @param refusals what is known to fail; such a plan is not carried out
 */
public record Plan(
    LaunchSpec spec,
    Image image,
    List<String> srunOptions,
    List<ByteString> runtimeOptions,
    Mode mode,
    boolean staged,
    String mpi,
    List<String> pmixDirectories,
    List<String> variables,
    List<EnvironmentVariable> defaults,
    List<EnvironmentVariable> aloneDefaults,
    List<String> guard,
    DevicePlan devices,
    List<Decision> packing,
    List<Decision> decisions,
    List<Advice> warnings,
    List<Advice> refusals) {

  /** Copies the lists. */
  public Plan {
    srunOptions = List.copyOf(srunOptions);
    runtimeOptions = List.copyOf(runtimeOptions);
    aloneDefaults = List.copyOf(aloneDefaults);
    pmixDirectories = List.copyOf(pmixDirectories);
    variables = List.copyOf(variables);
    defaults = List.copyOf(defaults);
    guard = List.copyOf(guard);
    packing = List.copyOf(packing);
    decisions = List.copyOf(decisions);
    warnings = List.copyOf(warnings);
    refusals = List.copyOf(refusals);
  }

  /** Every choice with its reason. */
  public List<Decision> allDecisions() {
    return Stream.concat(packing.stream(), decisions.stream()).toList();
  }

  /** The same with what a policy decides and says; its refusals come first. */
  Plan with(List<Decision> decided, List<Advice> warned, List<Advice> refused) {
    return new Plan(
        spec,
        image,
        srunOptions,
        runtimeOptions,
        mode,
        staged,
        mpi,
        pmixDirectories,
        variables,
        defaults,
        aloneDefaults,
        guard,
        devices,
        packing,
        concat(decisions, decided),
        concat(warnings, warned),
        concat(refused, refusals));
  }

  private static <T> List<T> concat(List<T> some, List<T> others) {
    return Stream.concat(some.stream(), others.stream()).toList();
  }
}
