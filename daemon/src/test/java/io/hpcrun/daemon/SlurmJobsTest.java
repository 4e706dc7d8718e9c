package io.hpcrun.daemon;

import static io.hpcrun.timing.RankLine.ABSENT;
import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.jobs.Rhythm;
import io.hpcrun.daemon.store.Arrival;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchKey;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import io.hpcrun.slurm.JobStates;
import io.hpcrun.timing.LaunchTimes;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What Slurm says of launches reaches the store, and only for whose the jobs are. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SlurmJobsTest {
  private static final Duration SHORT = Duration.ofMillis(5);

  /** Job 12 of alice runs, job 13 of alice is over; there is no other. */
  private static final JobStates SLURM =
      new JobStates() {
        @Override
        public List<JobState> queued(String cluster, Collection<JobId> jobs) {
          assertThat(cluster).isEqualTo("lab");
          return List.of(run("12", "RUNNING"), run("13", "TIMEOUT"));
        }

        @Override
        public Optional<List<JobState>> accounted(String cluster, Collection<JobId> jobs) {
          return Optional.empty();
        }
      };

  @TempDir private Path directory;
  private LaunchStore store;

  @BeforeEach
  void open() {
    store =
        LaunchStore.open(
            "jdbc:sqlite:" + directory.resolve("launches.db"), new Properties(), Clock.systemUTC());
  }

  @AfterEach
  void close() {
    store.close();
  }

  private static JobState run(String job, String state) {
    return new JobState(
        JobId.parse(job).orElseThrow(),
        state,
        0,
        0,
        OptionalInt.of(0),
        "main",
        "alice",
        "c1",
        JobState.Times.UNKNOWN);
  }

  private void launch(String cluster, long uid, String user, String name) {
    store.store(
        List.of(
            new Arrival.OfLaunch(
                new LaunchKey(cluster, uid, name, 5),
                Optional.of(user).filter(known -> !known.isEmpty()),
                LaunchState.RUNNING,
                ABSENT,
                ABSENT,
                ABSENT,
                "",
                "",
                "",
                "",
                "",
                "",
                ABSENT,
                new LaunchTimes("", ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT),
                "{}")));
  }

  /** What Slurm said of each launch in the end, by owner and name. */
  private Map<String, String> states() {
    Map<String, String> states = new TreeMap<>();
    for (StoredLaunch each :
        store.launches(LaunchFilter.all(), Viewer.operator(), 100, Optional.empty()).launches()) {
      states.put(
          each.key().uid() + " " + each.key().launch() + " " + each.key().cluster(),
          each.slurmState().orElse("-"));
    }
    return states;
  }

  private void await(Map<String, String> expected) throws InterruptedException {
    try (SlurmJobs jobs =
        new SlurmJobs(store, () -> "lab", SLURM, new Rhythm(SHORT, SHORT, SHORT))) {
      jobs.start();
      while (!states().equals(expected)) {
        Thread.sleep(5);
      }
      Thread.sleep(100); // and stays so
    }
    assertThat(states()).isEqualTo(expected);
  }

  @Test
  void slurmsWordIsForTheOwnerOfTheJob() throws InterruptedException {
    launch("lab", 1001, "alice", "12.0.0");
    launch("lab", 1001, "alice", "13.0.0");
    launch("lab", 1001, "alice", "14.0.0");
    await(
        Map.of(
            "1001 12.0.0 lab", "RUNNING", "1001 13.0.0 lab", "TIMEOUT", "1001 14.0.0 lab", "lost"));
    assertThat(store.open("lab", 10)).extracting(o -> o.key().launch()).containsExactly("12.0.0");
  }

  @Test
  void aRecordThatNamesTheJobOfAnotherIsLost() throws InterruptedException {
    launch("lab", 1001, "alice", "12.0.0");
    launch("lab", 1002, "bob", "12.0.0");
    launch("lab", 1002, "bob", "13.0.0");
    await(
        Map.of("1001 12.0.0 lab", "RUNNING", "1002 12.0.0 lab", "lost", "1002 13.0.0 lab", "lost"));
  }

  @Test
  void whoHasNoNameIsTakenForTheOwner() throws InterruptedException {
    launch("lab", 1001, "", "13.0.0");
    await(Map.of("1001 13.0.0 lab", "TIMEOUT"));
  }

  @Test
  void slurmIsNotAskedAboutOtherClustersNorAboutWhatIsNoJob() throws InterruptedException {
    launch("elsewhere", 1001, "alice", "13.0.0");
    launch("lab", 1001, "alice", "123456789012345678.0.0");
    launch("lab", 1001, "alice", "13.0.0");
    await(
        Map.of(
            "1001 13.0.0 elsewhere",
            "-",
            "1001 123456789012345678.0.0 lab",
            "lost",
            "1001 13.0.0 lab",
            "TIMEOUT"));
  }

  @Test
  void theClustersNameIsTold() throws InterruptedException {
    try (SlurmJobs jobs =
        new SlurmJobs(store, () -> "my lab", SLURM, new Rhythm(SHORT, SHORT, SHORT))) {
      assertThat(jobs.cluster()).isEmpty();
      jobs.start();
      while (jobs.cluster().isEmpty()) {
        Thread.sleep(5);
      }
      assertThat(jobs.cluster()).contains("my_lab");
    }
  }
}
