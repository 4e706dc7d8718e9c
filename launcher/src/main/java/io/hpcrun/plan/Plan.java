package io.hpcrun.plan;

import io.hpcrun.image.Image;
import io.hpcrun.spec.LaunchSpec;
import java.util.List;

/**
 * A launch, decided.
 *
 * @param spec what was asked for
 * @param image the image that will run
 * @param srunOptions options of the launch step, such as {@code --mpi=pmix}
 * @param runtimeOptions options of {@code apptainer exec}, in order
 * @param decisions every choice with its reason
 */
public record Plan(
    LaunchSpec spec,
    Image image,
    List<String> srunOptions,
    List<io.hpcrun.spec.ByteString> runtimeOptions,
    List<Decision> decisions) {

  /** Copies the lists. */
  public Plan {
    srunOptions = List.copyOf(srunOptions);
    runtimeOptions = List.copyOf(runtimeOptions);
    decisions = List.copyOf(decisions);
  }
}
