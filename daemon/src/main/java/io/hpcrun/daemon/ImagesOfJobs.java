package io.hpcrun.daemon;

import io.hpcrun.daemon.images.ImagesInUse;
import io.hpcrun.daemon.images.JobClaims;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images of jobs: of launches that run on this cluster, as their records tell, and of jobs that
 * wait, as was claimed when they were submitted and as long as Slurm has them.
 */
final class ImagesOfJobs implements ImagesInUse {
  private static final Logger LOG = LoggerFactory.getLogger(ImagesOfJobs.class);

  private final JobClaims claims;
  private final Path images;
  private final LaunchStore launches;
  private final Function<Collection<Long>, Map<Long, Long>> queue;
  private final Supplier<Optional<String>> cluster;

  /**
   * Asks when it is asked.
   *
   * @param claims the claims on images
   * @param images the store's directory
   * @param launches the launches
   * @param queue of some jobs those that are not over, with their owners
   * @param cluster the cluster whose Slurm answers here; while it is not known, launches of all
   *     clusters count
   */
  ImagesOfJobs(
      JobClaims claims,
      Path images,
      LaunchStore launches,
      Function<Collection<Long>, Map<Long, Long>> queue,
      Supplier<Optional<String>> cluster) {
    this.claims = claims;
    this.images = images;
    this.launches = launches;
    this.queue = queue;
    this.cluster = cluster;
  }

  /** Forgets the claims of jobs that are over, too. */
  @Override
  public Optional<Map<Long, Set<Path>>> byUser() {
    try {
      Map<Long, Set<Path>> used = new HashMap<>();
      addRunning(used);
      addClaimed(used);
      return Optional.of(used);
    } catch (Failure unanswered) {
      LOG.warn("which images jobs use cannot be told: {}", unanswered.getMessage());
    } catch (IOException unreadable) {
      LOG.warn("which images jobs use cannot be told", unreadable);
    }
    return Optional.empty();
  }

  private static void add(Map<Long, Set<Path>> used, long uid, Path image) {
    used.computeIfAbsent(uid, first -> new LinkedHashSet<>()).add(image);
  }

  /** The oldest jobs first. */
  private void addClaimed(Map<Long, Set<Path>> used) throws IOException {
    List<JobClaims.Claim> all =
        claims.all().stream().sorted(Comparator.comparingLong(JobClaims.Claim::job)).toList();
    Map<Long, Long> owners =
        all.isEmpty() ? Map.of() : queue.apply(all.stream().map(JobClaims.Claim::job).toList());
    for (JobClaims.Claim claim : all) {
      if (Long.valueOf(claim.uid()).equals(owners.get(claim.job()))) {
        add(used, claim.uid(), images.resolve("sha256").resolve(claim.sha256() + ".sif"));
      } else {
        claims.remove(claim);
      }
    }
  }

  /**
   * Only those that are there: records may name any path. Of what runs elsewhere nobody here learns
   * when it is over.
   */
  private void addRunning(Map<Long, Set<Path>> used) throws IOException {
    Map<String, Path> there = new HashMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(images.resolve("sha256"))) {
      files.forEach(file -> there.put(file.toString(), file));
    } catch (NoSuchFileException none) {
      LOG.debug("there are no images", none);
    }
    launches.imagesOfRunning(
        cluster.get(),
        (uid, image) -> {
          if (there.containsKey(image)) {
            add(used, uid, there.get(image));
          }
        });
  }
}
