package io.hpcrun.lab;

import org.testcontainers.images.ImagePullPolicy;
import org.testcontainers.utility.DockerImageName;

/** No image is pulled: what {@code ./lab build} did not make fails at once. */
public final class LocalImagesOnly implements ImagePullPolicy {
  @Override
  public boolean shouldPull(DockerImageName image) {
    return false;
  }
}
