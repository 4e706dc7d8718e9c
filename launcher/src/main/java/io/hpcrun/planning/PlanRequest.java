package io.hpcrun.planning;

import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.spec.LaunchSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * All that a plan and its job script are made from. Whoever has it gets the same script: the
 * command in its own process, and the daemon.
 *
 * @param spec what is wanted
 * @param known image, command and cluster
 * @param digest SHA-256 of the image, in hexadecimal; empty if it is not known yet
 * @param enterProgram the program hpcrun-enter, where jobs find it; empty if there is none
 * @param packing how sizes of the job were chosen for the resources that are asked for
 */
public record PlanRequest(
    LaunchSpec spec,
    Knowledge known,
    Optional<String> digest,
    Optional<Path> enterProgram,
    List<Decision> packing) {

  /** Copies the list. */
  public PlanRequest {
    packing = List.copyOf(packing);
  }

  /** The same with the image's digest. */
  public PlanRequest with(String computed) {
    return new PlanRequest(spec, known, Optional.of(computed), enterProgram, packing);
  }
}
