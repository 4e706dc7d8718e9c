package io.hpcrun.daemon;

import io.hpcrun.daemon.images.ImageStore;
import io.hpcrun.daemon.images.ImagesInUse;
import io.hpcrun.daemon.images.Pulls;
import io.hpcrun.daemon.images.StorePulls;
import io.hpcrun.pull.Fetcher;
import io.hpcrun.pull.InsecureHosts;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;

/**
 * The image store at work.
 *
 * @param store the images
 * @param work fetches them
 * @param pulls who waits for which
 */
record Images(ImageStore store, StorePulls work, Pulls pulls) implements AutoCloseable {

  /**
   * Opens the store.
   *
   * @param inUse knows the images of jobs
   * @throws io.hpcrun.failure.Failure with exit code 2 when its directory cannot be used
   */
  static Images of(Settings.Images settings, ImagesInUse inUse) {
    ImageStore store =
        new ImageStore(
            settings.directory().orElseThrow(), settings.quotaBytes(), inUse, Clock.systemUTC());
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
