package io.hpcrun.plan;

import io.hpcrun.image.Image;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import java.util.List;

/**
 * A launch, decided.
 *
 * @param spec what was asked for
 * @param image the image that will run
 * @param srunOptions options of the launch step, such as {@code --mpi=pmix}
 * @param runtimeOptions options of {@code apptainer exec}, in order
 * @param defaults variables for the application unless the user or the image has set them
 * @param decisions every choice with its reason
 */
public record Plan(
    LaunchSpec spec,
    Image image,
    List<String> srunOptions,
    List<ByteString> runtimeOptions,
    List<EnvironmentVariable> defaults,
    List<Decision> decisions) {

  /** Copies the lists. */
  public Plan {
    srunOptions = List.copyOf(srunOptions);
    runtimeOptions = List.copyOf(runtimeOptions);
    defaults = List.copyOf(defaults);
    decisions = List.copyOf(decisions);
  }
}
