package io.hpcrun.plan;

import io.hpcrun.image.Image;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import java.util.List;

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
 * @param spoolDirectory directory of the node to show in the container for the PMIx server, may
 *     hold {@code %n} and {@code %h}; empty: none
 * @param aloneDefaults variables, unless set, for ranks that do not share a container
 * @param decisions every choice with its reason
 */
public record Plan(
    LaunchSpec spec,
    Image image,
    List<String> srunOptions,
    List<ByteString> runtimeOptions,
    Mode mode,
    boolean staged,
    String mpi,
    String spoolDirectory,
    List<EnvironmentVariable> aloneDefaults,
    List<Decision> decisions) {

  /** Copies the lists. */
  public Plan {
    srunOptions = List.copyOf(srunOptions);
    runtimeOptions = List.copyOf(runtimeOptions);
    aloneDefaults = List.copyOf(aloneDefaults);
    decisions = List.copyOf(decisions);
  }
}
