package io.hpcrun.daemon;

import io.hpcrun.daemon.images.ImageStore;
import io.hpcrun.daemon.images.JobClaims;
import io.hpcrun.daemon.images.Pulls;
import io.hpcrun.daemon.images.StorePulls;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.pull.AllowedSources;
import io.hpcrun.pull.Fetcher;
import io.hpcrun.pull.InsecureHosts;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The image store at work.
 *
 * @param store the images
 * @param claims the images of jobs that wait
 * @param watch forgets those of jobs that are over
 * @param work fetches them
 * @param pulls who waits for which
 */
record Images(ImageStore store, JobClaims claims, ClaimWatch watch, StorePulls work, Pulls pulls)
    implements AutoCloseable {

  /**
   * Opens the store.
   *
   * @param launches tell which images are used
   * @param cluster the cluster whose Slurm answers here, once it is known
   * @param queue of some jobs those that are not over, with their owners
   * @throws io.hpcrun.failure.Failure with exit code 2 when its directory cannot be used
   */
  static Images of(
      Settings.Images settings,
      LaunchStore launches,
      Supplier<Optional<String>> cluster,
      Function<Collection<Long>, Map<Long, Long>> queue) {
    Path directory = settings.directory().orElseThrow();
    JobClaims claims = new JobClaims(directory);
    ImagesOfJobs inUse = new ImagesOfJobs(claims, directory, launches, queue, cluster);
    ImageStore store = new ImageStore(directory, settings.quotaBytes(), inUse, Clock.systemUTC());
    AllowedSources sources = new AllowedSources(settings.sources());
    Fetcher.Limits limits =
        Fetcher.Limits.of(Duration.ofSeconds(settings.pullSeconds()), settings.largestBytes())
            .with(sources);
    StorePulls work =
        new StorePulls(
            store,
            new InsecureHosts(Set.copyOf(settings.insecureRegistries())),
            settings.keys().map(limits::with).orElse(limits),
            System.getenv());
    return new Images(
        store,
        claims,
        ClaimWatch.start(store::lookAtJobs, ClaimWatch.EVERY),
        work,
        new Pulls(
            store,
            work,
            new Pulls.Limits(settings.workers(), settings.pullsPerUser(), sources),
            System::nanoTime));
  }

  /** Ends the pulls that are under way; what they have left goes at the next start. */
  @Override
  public void close() {
    watch.close();
    pulls.close();
    work.close();
    store.close();
  }
}
