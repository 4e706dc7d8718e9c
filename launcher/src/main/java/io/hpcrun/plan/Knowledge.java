package io.hpcrun.plan;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.Program;
import java.util.Optional;

/**
 * What is known before a launch is planned.
 *
 * @param image the image's file
 * @param profile what the image holds; empty if it could not be looked into
 * @param gap why the image could not be looked into; empty if it could
 * @param program the command, as the container's files tell of it
 * @param cluster what the cluster offers
 */
public record Knowledge(
    Image image,
    Optional<ImageProfile> profile,
    Optional<Advice> gap,
    Program program,
    ClusterFacts cluster) {}
