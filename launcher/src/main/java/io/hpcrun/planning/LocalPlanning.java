package io.hpcrun.planning;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.cluster.ClusterStore;
import io.hpcrun.image.UserCache;
import io.hpcrun.slurm.SlurmClient;
import java.util.Map;
import java.util.Optional;

/** What a cluster offers, asked of Slurm and remembered in a cache directory. */
public final class LocalPlanning {
  private final SlurmClient slurm;
  private final ClusterStore clusters;

  /** Remembers in the cache what Slurm answers slowly. */
  public LocalPlanning(SlurmClient slurm, UserCache cache) {
    this.slurm = slurm;
    this.clusters = new ClusterStore(cache);
  }

  /**
   * What the cluster offers.
   *
   * @throws io.hpcrun.failure.Failure with exit code 4 when Slurm does not answer
   */
  public ClusterFacts cluster() {
    Map<String, String> config = slurm.config();
    return ClusterFacts.of(
        config,
        Optional.of(clusters.mpiPlugins(config, slurm::mpiPlugins)),
        ClusterFacts.goArchitecture(System.getProperty("os.arch")));
  }
}
