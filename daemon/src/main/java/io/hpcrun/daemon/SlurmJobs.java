package io.hpcrun.daemon;

import io.hpcrun.daemon.jobs.JobReconciler;
import io.hpcrun.daemon.jobs.OpenLaunch;
import io.hpcrun.daemon.jobs.OpenLaunches;
import io.hpcrun.daemon.jobs.Rhythm;
import io.hpcrun.daemon.jobs.StateSink;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.OpenRecord;
import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobState;
import io.hpcrun.slurm.JobStateClient;
import io.hpcrun.slurm.JobStates;
import io.hpcrun.slurm.SlurmClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps up to date what Slurm says of the launches whose records do not tell their end; starts when
 * Slurm has told the cluster's name.
 */
final class SlurmJobs implements OpenLaunches, StateSink, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SlurmJobs.class);
  private static final Duration RETRY = Duration.ofSeconds(30);

  /**
   * How many open launches of one user are looked at; the next ones when some of these are over.
   */
  private static final int MOST_PER_USER = 10_000;

  private final LaunchStore store;
  private final Supplier<String> name;
  private final JobStates slurm;
  private final Rhythm rhythm;
  private final Thread thread;
  private volatile String cluster;
  private Map<OpenLaunch, List<OpenRecord>> listed = Map.of();

  SlurmJobs(LaunchStore store) {
    this(
        store,
        () -> new SlurmClient().config().getOrDefault("ClusterName", ""),
        new JobStateClient(),
        Rhythm.DEFAULT);
  }

  /** The same with another Slurm. */
  SlurmJobs(LaunchStore store, Supplier<String> name, JobStates slurm, Rhythm rhythm) {
    this.store = store;
    this.name = name;
    this.slurm = slurm;
    this.rhythm = rhythm;
    this.thread = Thread.ofVirtual().name("slurm jobs").unstarted(this::run);
  }

  /** Begins. */
  void start() {
    thread.start();
  }

  /** The name of the cluster whose Slurm answers here; empty while it has not answered. */
  Optional<String> cluster() {
    return Optional.ofNullable(cluster);
  }

  private void run() {
    try {
      cluster = askCluster();
      try (JobReconciler reconciler =
          new JobReconciler(Set.of(cluster), slurm, this, this, rhythm)) {
        reconciler.start();
        Thread.sleep(Duration.ofSeconds(Long.MAX_VALUE));
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private String askCluster() throws InterruptedException {
    while (true) {
      try {
        // As the agent writes it into records.
        return name.get().replaceAll("[^A-Za-z0-9._-]", "_");
      } catch (Failure unanswered) {
        LOG.debug("the cluster's name is not known", unanswered);
        Thread.sleep(RETRY);
      }
    }
  }

  @Override
  public List<OpenLaunch> list() {
    return list(store.open(cluster, MOST_PER_USER));
  }

  private List<OpenLaunch> list(List<OpenRecord> records) {
    Map<OpenLaunch, List<OpenRecord>> open = new HashMap<>();
    for (OpenRecord record : records) {
      Instant begun = Instant.ofEpochSecond(0, record.key().begunNs());
      OpenLaunch.of(record.key().cluster(), record.key().launch(), begun)
          .ifPresentOrElse(
              launch -> open.computeIfAbsent(launch, first -> new ArrayList<>(1)).add(record),
              // No job of Slurm's has such a number.
              () -> store.noteSlurmState(record.id(), JobState.LOST));
    }
    listed = open;
    return List.copyOf(open.keySet());
  }

  @Override
  public void update(OpenLaunch launch, JobState state) {
    for (OpenRecord each : listed.getOrDefault(launch, List.of())) {
      // A record that names another user's job is of no job of its owner's.
      store.noteSlurmState(each.id(), isOwners(each, state) ? state.state() : JobState.LOST);
    }
  }

  /**
   * Slurm's word that nobody knows the job is for everybody; so is one on a user without a name.
   */
  private static boolean isOwners(OpenRecord record, JobState state) {
    return state.user().isEmpty() || record.user().map(state.user()::equals).orElse(true);
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
