package io.hpcrun.daemon.jobs;

import io.hpcrun.slurm.JobStates;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks Slurm what became of launches whose records do not tell, because a node failed or the job
 * was killed. One thread, and so never more than one query at once; each query is for all launches
 * whose time has come. A launch is asked about less and less often while nothing changes, and no
 * more once its end is known; Slurm itself is left alone for longer and longer while it does not
 * answer.
 *
 * <p>A launch that neither the controller nor accounting knows any more is {@link
 * io.hpcrun.slurm.JobState#LOST}. Where slurm.conf's PrivateData hides jobs, this process must run
 * as a user who may see them all: what is hidden looks like what is not there.
 */
public final class JobReconciler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobReconciler.class);

  private final OpenLaunches launches;
  private final Map<String, ClusterJobs> clusters = new HashMap<>();
  private final Rhythm rhythm;
  private final Thread thread;

  /**
   * Prepares; {@link #start} begins.
   *
   * @param clusters the clusters to ask; launches of others, which a record may claim, are left
   *     alone
   * @param slurm answers
   * @param launches what to ask about
   * @param sink takes what Slurm says; called by one thread
   * @param rhythm how often Slurm is asked
   */
  public JobReconciler(
      Set<String> clusters, JobStates slurm, OpenLaunches launches, StateSink sink, Rhythm rhythm) {
    this.launches = launches;
    this.rhythm = rhythm;
    clusters.forEach(name -> this.clusters.put(name, new ClusterJobs(name, slurm, sink, rhythm)));
    this.thread = Thread.ofPlatform().daemon().name("jobs").unstarted(this::run);
  }

  /** Begins to ask, in a thread of its own. */
  public void start() {
    thread.start();
  }

  /** Ends at once, in the midst of a query as well, and waits until it has. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    Backoff failures = new Backoff(rhythm.first(), Instant.MIN);
    while (!Thread.currentThread().isInterrupted()) {
      Instant now = Instant.now();
      Duration pause;
      try {
        pause = look(now);
        failures.reset();
      } catch (RuntimeException broken) {
        // The store cannot be read or written: it may be full now and not in an hour.
        failures.again(now, rhythm.longest());
        pause = Duration.between(now, failures.until());
        LOG.error("the states of launches are not kept up to date", broken);
      }
      try {
        Thread.sleep(pause);
      } catch (InterruptedException told) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Asks what is due.
   *
   * @return how long to wait: no shorter than the rhythm's first, so that queries gather launches,
   *     and no longer, as new launches may come
   */
  Duration look(Instant now) {
    Map<String, List<OpenLaunch>> open =
        launches.list().stream().collect(Collectors.groupingBy(OpenLaunch::cluster));
    clusters.forEach((name, jobs) -> jobs.look(open.getOrDefault(name, List.of()), now));
    return rhythm.first();
  }
}
