package io.hpcrun.daemon.jobs;

import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import io.hpcrun.slurm.JobStates;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open launches of one cluster, and what Slurm said of them so far. Not for several threads.
 */
final class ClusterJobs {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterJobs.class);

  /** How many launches are asked about at a time, whatever records claim; the others come next. */
  private static final int MOST = 10_000;

  private final String cluster;
  private final JobStates slurm;
  private final StateSink sink;
  private final Rhythm rhythm;
  private final Map<OpenLaunch, Watch> watches = new HashMap<>();
  private final Backoff controller;
  private final Backoff accounting;
  private Optional<Boolean> accounts = Optional.empty();

  ClusterJobs(String cluster, JobStates slurm, StateSink sink, Rhythm rhythm) {
    this.cluster = cluster;
    this.slurm = slurm;
    this.sink = sink;
    this.rhythm = rhythm;
    this.controller = new Backoff(rhythm.first(), Instant.MIN);
    this.accounting = new Backoff(rhythm.first(), Instant.MIN);
  }

  /** Asks about the launches whose time has come, and those whose time comes soon, together. */
  void look(List<OpenLaunch> open, Instant now) {
    watches.keySet().retainAll(new HashSet<>(open));
    for (OpenLaunch launch : open) {
      watches.computeIfAbsent(launch, begun -> new Watch(rhythm.first(), firstTime(begun, now)));
    }
    if (controller.until().isAfter(now)
        || watches.values().stream().noneMatch(watch -> !watch.due().isAfter(now))) {
      return;
    }
    Instant soon = now.plus(rhythm.first());
    List<OpenLaunch> due =
        open.stream()
            .filter(launch -> !watches.get(launch).due().isAfter(soon))
            .distinct()
            .sorted(Comparator.comparing(launch -> watches.get(launch).due()))
            .limit(MOST)
            .toList();
    try {
      ask(due, now);
      controller.reset();
    } catch (Failure silent) {
      controller.again(now, rhythm.longest());
      LOG.warn("{}; asked again at {}", silent.getMessage(), controller.until());
    }
  }

  /** A begin in the future is a clock that is wrong, or a record that lies. */
  private Instant firstTime(OpenLaunch launch, Instant now) {
    Instant quiet = launch.since().plus(rhythm.first());
    Instant latest = now.plus(rhythm.first());
    return quiet.isBefore(latest) ? quiet : latest;
  }

  private void ask(List<OpenLaunch> due, Instant now) {
    List<JobState> queued = slurm.queued(cluster, jobs(due));
    List<OpenLaunch> unknown = new ArrayList<>();
    for (OpenLaunch launch : due) {
      LaunchRun.inQueue(launch, queued)
          .ifPresentOrElse(state -> tell(launch, state, now), () -> unknown.add(launch));
    }
    // Once, to learn how long a job's end can be asked for.
    boolean learn = accounts.isEmpty() && unknown.isEmpty();
    Optional<Optional<List<JobState>>> answer =
        askAccounting(learn ? List.of(due.getFirst()) : unknown, now);
    for (OpenLaunch launch : unknown) {
      if (answer.isEmpty()) {
        watches.get(launch).unanswered(now, longest());
      } else {
        settle(launch, LaunchRun.wasRequeued(launch, queued), answer.get(), now);
      }
    }
  }

  /** Accounting's answer, which may be that there is none; empty when it is silent. */
  private Optional<Optional<List<JobState>>> askAccounting(List<OpenLaunch> about, Instant now) {
    if (about.isEmpty() || accounting.until().isAfter(now)) {
      return Optional.empty();
    }
    try {
      Optional<List<JobState>> answer = slurm.accounted(cluster, jobs(about));
      accounts = Optional.of(answer.isPresent());
      accounting.reset();
      return Optional.of(answer);
    } catch (Failure silent) {
      accounting.again(now, rhythm.longest());
      LOG.warn("{}; asked again at {}", silent.getMessage(), accounting.until());
      return Optional.empty();
    }
  }

  /** The controller does not know the launch's run. */
  private void settle(
      OpenLaunch launch, boolean requeued, Optional<List<JobState>> accounted, Instant now) {
    Optional<JobState> end = accounted.flatMap(runs -> LaunchRun.inAccounting(launch, runs));
    if (end.isPresent()) {
      tell(launch, end.get(), now);
    } else if (requeued && accounted.isEmpty()) {
      tell(launch, JobState.of(launch.job(), JobState.REQUEUED), now);
    } else if (watches.get(launch).isLost(now, longest())) {
      tell(launch, JobState.of(launch.job(), requeued ? JobState.REQUEUED : JobState.LOST), now);
    }
  }

  private void tell(OpenLaunch launch, JobState state, Instant now) {
    Watch watch = watches.get(launch);
    if (watch.isNews(state)) {
      sink.update(launch, state);
    }
    watch.told(state, now, longest());
  }

  private Duration longest() {
    return accounts.orElse(false) ? rhythm.longest() : rhythm.longestWithoutAccounting();
  }

  private static List<JobId> jobs(List<OpenLaunch> launches) {
    return launches.stream().map(OpenLaunch::job).distinct().toList();
  }
}
