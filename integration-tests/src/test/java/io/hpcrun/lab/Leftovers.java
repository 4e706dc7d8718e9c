package io.hpcrun.lab;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectVolumeResponse;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.Network;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Containers, networks and volumes of test runs that were killed. Each carries a label that names
 * the process it was made by, and goes when that process no longer runs.
 */
final class Leftovers {
  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);
  private static final String OWNER = "hpcrun.test.owner";

  private Leftovers() {}

  /** Labels that say that a thing belongs to this process. */
  static Map<String, String> labels() {
    return Map.of(OWNER, owner(ProcessHandle.current()));
  }

  /** Removes what belongs to processes that are gone. */
  static void remove(DockerClient docker) {
    for (Container container :
        docker.listContainersCmd().withShowAll(true).withLabelFilter(List.of(OWNER)).exec()) {
      if (isOrphan(container.getLabels())) {
        LOG.info("removing a leftover container {}", List.of(container.getNames()));
        docker.removeContainerCmd(container.getId()).withForce(true).withRemoveVolumes(true).exec();
      }
    }
    for (Network network : docker.listNetworksCmd().withFilter("label", List.of(OWNER)).exec()) {
      if (isOrphan(network.getLabels())) {
        docker.removeNetworkCmd(network.getId()).exec();
      }
    }
    for (InspectVolumeResponse volume :
        docker.listVolumesCmd().withFilter("label", List.of(OWNER)).exec().getVolumes()) {
      if (isOrphan(volume.getLabels())) {
        docker.removeVolumeCmd(volume.getName()).exec();
      }
    }
  }

  private static boolean isOrphan(Map<String, String> labels) {
    String owner = labels.get(OWNER);
    long pid = Long.parseLong(owner.split("@")[0]);
    return ProcessHandle.of(pid).map(Leftovers::owner).filter(owner::equals).isEmpty();
  }

  /** Number and start time, as numbers of processes come again. */
  private static String owner(ProcessHandle process) {
    String start = process.info().startInstant().map(Object::toString).orElse("unknown");
    return process.pid() + "@" + start;
  }
}
