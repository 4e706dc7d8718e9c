package io.hpcrun.daemon;

import io.hpcrun.daemon.images.ImagesInUse;
import io.hpcrun.daemon.images.JobClaims;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images of jobs: of launches that run, as their records tell, and of jobs that wait, as was
 * claimed when they were submitted and as long as Slurm has them.
 */
final class ImagesOfJobs implements ImagesInUse {
  private static final Logger LOG = LoggerFactory.getLogger(ImagesOfJobs.class);

  private final JobClaims claims;
  private final Path images;
  private final LaunchStore launches;
  private final Function<Collection<Long>, Map<Long, Long>> queue;

  /**
   * Asks when it is asked.
   *
   * @param claims the claims on images
   * @param images the store's directory
   * @param launches the launches
   * @param queue of some jobs those that are not over, with their owners
   */
  ImagesOfJobs(
      JobClaims claims,
      Path images,
      LaunchStore launches,
      Function<Collection<Long>, Map<Long, Long>> queue) {
    this.claims = claims;
    this.images = images;
    this.launches = launches;
    this.queue = queue;
  }

  @Override
  public Optional<Set<Path>> paths() {
    try {
      Set<Path> used = new HashSet<>();
      addClaimed(used);
      addRunning(used);
      return Optional.of(used);
    } catch (Failure unanswered) {
      LOG.warn("which images jobs use cannot be told: {}", unanswered.getMessage());
    } catch (IOException unreadable) {
      LOG.warn("which images jobs use cannot be told", unreadable);
    }
    return Optional.empty();
  }

  private void addClaimed(Set<Path> used) throws IOException {
    List<JobClaims.Claim> all = claims.all();
    Map<Long, Long> owners =
        all.isEmpty() ? Map.of() : queue.apply(all.stream().map(JobClaims.Claim::job).toList());
    for (JobClaims.Claim claim : all) {
      if (Long.valueOf(claim.uid()).equals(owners.get(claim.job()))) {
        used.add(images.resolve("sha256").resolve(claim.sha256() + ".sif"));
      } else {
        claims.remove(claim);
      }
    }
  }

  private void addRunning(Set<Path> used) {
    SlurmJobs.forEachOpen(
        launches, LaunchState.RUNNING, launch -> path(launch).ifPresent(used::add));
  }

  private static Optional<Path> path(StoredLaunch launch) {
    // A record may hold anything, such as a NUL, which no path does.
    return launch.image().filter(image -> image.indexOf(0) < 0).map(Path::of);
  }
}
