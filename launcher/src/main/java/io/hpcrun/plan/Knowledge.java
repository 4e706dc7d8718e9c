package io.hpcrun.plan;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.HostMpi;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.image.Program;
import io.hpcrun.spec.Surroundings;
import java.util.List;
import java.util.Optional;

/**
 * What is known before a launch is planned.
 *
 * @param image the image's file
 * @param profile what the image holds; empty if it could not be looked into
 * @param gap what could not be found out, and why; empty if nothing
 * @param program the command, as the container's files tell of it
 * @param host the nodes' MPI library that takes the place of the image's, if one is to
 * @param cluster what the cluster offers
 * @param surroundings what the site's rules look at besides
 */
public record Knowledge(
    Image image,
    Optional<ImageProfile> profile,
    Optional<Advice> gap,
    Program program,
    Optional<HostMpi> host,
    ClusterFacts cluster,
    Surroundings surroundings) {

  /** Of which the surroundings are not known. */
  public Knowledge(
      Image image,
      Optional<ImageProfile> profile,
      Optional<Advice> gap,
      Program program,
      Optional<HostMpi> host,
      ClusterFacts cluster) {
    this(image, profile, gap, program, host, cluster, Surroundings.UNKNOWN);
  }

  /** The MPI libraries of the image that its command may use; one if it is linked to it. */
  public List<Mpi> imageMpi() {
    if (program.mpi().isPresent()) {
      return List.of(program.mpi().get());
    }
    return program.reach() == Program.Reach.CLOSED
        ? List.of()
        : profile.map(ImageProfile::mpi).orElse(List.of());
  }

  /** The same, with a warning. */
  public Knowledge with(Advice warning) {
    return new Knowledge(
        image, profile, Optional.of(warning), program, host, cluster, surroundings);
  }

  /** The same, with a library of the nodes in the place of the image's. */
  public Knowledge with(HostMpi library) {
    return new Knowledge(image, profile, gap, program, Optional.of(library), cluster, surroundings);
  }

  /** The same with surroundings. */
  public Knowledge with(Surroundings other) {
    return new Knowledge(image, profile, gap, program, host, cluster, other);
  }
}
