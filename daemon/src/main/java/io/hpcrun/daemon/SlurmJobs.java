package io.hpcrun.daemon;

import io.hpcrun.daemon.jobs.JobReconciler;
import io.hpcrun.daemon.jobs.OpenLaunch;
import io.hpcrun.daemon.jobs.OpenLaunches;
import io.hpcrun.daemon.jobs.Rhythm;
import io.hpcrun.daemon.jobs.StateSink;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import io.hpcrun.slurm.JobStateClient;
import io.hpcrun.slurm.SlurmClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps up to date what Slurm says of the launches whose records do not tell their end; starts when
 * Slurm has told the cluster's name.
 */
final class SlurmJobs implements OpenLaunches, StateSink, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SlurmJobs.class);
  private static final Duration RETRY = Duration.ofSeconds(30);

  private final LaunchStore store;
  private final Thread thread;
  private Map<OpenLaunch, List<StoredLaunch>> listed = Map.of();

  SlurmJobs(LaunchStore store) {
    this.store = store;
    this.thread = Thread.ofVirtual().name("slurm jobs").unstarted(this::run);
  }

  /** Begins. */
  void start() {
    thread.start();
  }

  private void run() {
    try {
      String cluster = cluster();
      try (JobReconciler reconciler =
          new JobReconciler(Set.of(cluster), new JobStateClient(), this, this, Rhythm.DEFAULT)) {
        reconciler.start();
        Thread.sleep(Duration.ofSeconds(Long.MAX_VALUE));
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private static String cluster() throws InterruptedException {
    while (true) {
      try {
        String name = new SlurmClient().config().getOrDefault("ClusterName", "");
        // As the agent writes it into records.
        return name.replaceAll("[^A-Za-z0-9._-]", "_");
      } catch (Failure unanswered) {
        LOG.debug("the cluster's name is not known", unanswered);
        Thread.sleep(RETRY);
      }
    }
  }

  @Override
  public List<OpenLaunch> list() {
    Map<OpenLaunch, List<StoredLaunch>> open = new HashMap<>();
    for (LaunchState state : List.of(LaunchState.RUNNING, LaunchState.UNKNOWN)) {
      forEachOpen(
          store,
          state,
          launch ->
              of(launch)
                  .ifPresent(key -> open.computeIfAbsent(key, k -> new ArrayList<>()).add(launch)));
    }
    listed = open;
    return List.copyOf(open.keySet());
  }

  /** Hands over the launches in a state of whose jobs Slurm has not said that they are over. */
  static void forEachOpen(LaunchStore store, LaunchState state, Consumer<StoredLaunch> launches) {
    store.forEach(
        LaunchFilter.builder().state(state).build(),
        Viewer.operator(),
        launch -> {
          if (isOpen(launch)) {
            launches.accept(launch);
          }
        });
  }

  private static boolean isOpen(StoredLaunch launch) {
    return launch
        .slurmState()
        .flatMap(state -> JobId.parse(launch.job()).map(job -> !JobState.of(job, state).ended()))
        .orElse(true);
  }

  private static Optional<OpenLaunch> of(StoredLaunch launch) {
    return OpenLaunch.of(
        launch.key().cluster(),
        launch.key().launch(),
        Instant.ofEpochSecond(0, launch.key().begunNs()));
  }

  @Override
  public void update(OpenLaunch launch, JobState state) {
    for (StoredLaunch each : listed.getOrDefault(launch, List.of())) {
      boolean owners =
          state.user().isEmpty() || each.user().filter(state.user()::equals).isPresent();
      if (owners) {
        store.noteSlurmState(each.id(), state.state());
      }
    }
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
