package io.hpcrun.daemon;

import io.hpcrun.daemon.images.ImageStore;
import io.hpcrun.daemon.images.JobClaims;
import io.hpcrun.daemon.images.Pulls;
import io.hpcrun.daemon.images.StorePulls;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.pull.Fetcher;
import io.hpcrun.pull.InsecureHosts;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The image store at work.
 *
 * @param store the images
 * @param claims the images of jobs that wait
 * @param work fetches them
 * @param pulls who waits for which
 */
record Images(ImageStore store, JobClaims claims, StorePulls work, Pulls pulls)
    implements AutoCloseable {

  /**
   * Opens the store.
   *
   * @param launches tell which images are used
   * @param queue of some jobs those that are not over, with their owners
   * @throws io.hpcrun.failure.Failure with exit code 2 when its directory cannot be used
   */
  static Images of(
      Settings.Images settings,
      LaunchStore launches,
      Function<Collection<Long>, Map<Long, Long>> queue) {
    Path directory = settings.directory().orElseThrow();
    JobClaims claims = new JobClaims(directory);
    ImageStore store =
        new ImageStore(
            directory,
            settings.quotaBytes(),
            new ImagesOfJobs(claims, directory, launches, queue),
            Clock.systemUTC());
    Fetcher.Limits limits =
        Fetcher.Limits.of(Duration.ofSeconds(settings.pullSeconds()), settings.quotaBytes());
    StorePulls work =
        new StorePulls(
            store,
            new InsecureHosts(Set.copyOf(settings.insecureRegistries())),
            settings.keys().map(limits::with).orElse(limits),
            System.getenv());
    return new Images(
        store,
        claims,
        work,
        new Pulls(
            store,
            work,
            new Pulls.Limits(settings.workers(), settings.pullsPerUser(), settings.sources()),
            System::nanoTime));
  }

  /** Ends the pulls that are under way; what they have left goes at the next start. */
  @Override
  public void close() {
    pulls.close();
    work.close();
    store.close();
  }
}
