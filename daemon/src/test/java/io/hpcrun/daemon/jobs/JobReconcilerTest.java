package io.hpcrun.daemon.jobs;

import static io.hpcrun.daemon.jobs.ScriptedSlurm.accounted;
import static io.hpcrun.daemon.jobs.ScriptedSlurm.queued;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** With invented times: nothing here waits. */
class JobReconcilerTest {
  private static final long BEGAN = 1_000_000;

  private final ScriptedSlurm slurm = new ScriptedSlurm();
  private final List<OpenLaunch> open = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private final JobReconciler reconciler =
      new JobReconciler(
          Set.of("lab"),
          slurm,
          () -> List.copyOf(open),
          (launch, state) -> told.add(launch.job() + "." + launch.restart() + " " + state.state()),
          Rhythm.DEFAULT);

  private void launch(String name) {
    open.add(OpenLaunch.of("lab", name, Instant.ofEpochSecond(BEGAN)).orElseThrow());
  }

  /** Looks when the thread would, from one second to another after the begin. */
  private void lookFor(long from, long to) {
    for (long second = from; second <= to; second += 30) {
      reconciler.look(Instant.ofEpochSecond(BEGAN + second));
    }
  }

  @Test
  void leavesALaunchAloneThatHasJustBegun() {
    launch("12.0.0");
    lookFor(0, 29);
    assertThat(slurm.askedController).isEmpty();
    lookFor(30, 30);
    assertThat(slurm.askedController).hasSize(1);
  }

  @Test
  void asksForManyLaunchesInOneQuery() {
    IntStream.range(0, 5000).forEach(element -> launch("12_" + element + ".0.0"));
    lookFor(30, 30);
    assertThat(slurm.askedController).extracting(Collection::size).containsExactly(5000);
  }

  @Test
  void asksForAJobOfSeveralLaunchesOnce() {
    launch("12.0.0");
    open.add(OpenLaunch.of("lab", "12.0.1", Instant.ofEpochSecond(BEGAN + 5)).orElseThrow());
    slurm.controller.add(queued("12", "COMPLETED", 0));
    lookFor(60, 60);
    assertThat(slurm.askedController).extracting(Collection::size).containsExactly(1);
    assertThat(told).containsExactly("12.0 COMPLETED", "12.0 COMPLETED");
  }

  @Test
  void asksLessAndLessOftenWhileNothingChanges() {
    launch("12.0.0");
    slurm.controller.add(queued("12", "RUNNING", 0));
    lookFor(0, 24 * 3600);
    // after 30, 60, 120, 240, 480 and from then on every 600 seconds
    assertThat(slurm.askedController.size()).isBetween(140, 150);
    assertThat(told).containsExactly("12.0 RUNNING");
  }

  @Test
  void asksWithinMinJobAgeWhereThereIsNoAccounting() {
    launch("12.0.0");
    slurm.hasAccounting = false;
    slurm.controller.add(queued("12", "RUNNING", 0));
    lookFor(0, 3000);
    slurm.askedController.clear();
    lookFor(3030, 3030 + 270);
    assertThat(slurm.askedController).isNotEmpty();
    assertThat(slurm.askedAccounting).as("there is none, and that is known").hasSize(1);
  }

  @Test
  void gathersLaunchesThatAreDueAtDifferentTimes() {
    for (int begin = 0; begin < 600; begin++) {
      open.add(
          OpenLaunch.of("lab", begin + ".0.0", Instant.ofEpochSecond(BEGAN + begin)).orElseThrow());
      slurm.controller.add(queued(String.valueOf(begin), "RUNNING", 0));
    }
    lookFor(600, 1200);
    assertThat(slurm.askedController.size()).isLessThanOrEqualTo(21);
  }

  @Test
  void tellsTheEndOnceAndAsksNoMore() {
    launch("12.0.0");
    slurm.controller.add(queued("12", "CANCELLED", 0));
    lookFor(0, 3600);
    assertThat(told).containsExactly("12.0 CANCELLED");
    assertThat(slurm.askedController).hasSize(1);
  }

  @Test
  void forgetsALaunchThatIsNoLongerOpen() {
    launch("12.0.0");
    slurm.controller.add(queued("12", "RUNNING", 0));
    lookFor(0, 60);
    open.clear();
    slurm.askedController.clear();
    lookFor(90, 3600);
    assertThat(slurm.askedController).isEmpty();
  }

  @Test
  void takesTheEndFromAccountingWhenTheControllerHasForgottenTheJob() {
    launch("12.0.0");
    slurm.accounting.add(accounted("12", "NODE_FAIL", BEGAN - 1, BEGAN + 10));
    lookFor(30, 30);
    assertThat(told).containsExactly("12.0 NODE_FAIL");
  }

  @Test
  void callsALaunchLostOnlyAfterFiveAnswersWithoutIt() {
    launch("12.0.0");
    lookFor(30, 240);
    assertThat(slurm.askedController).hasSize(4);
    assertThat(told).isEmpty();
    lookFor(270, 3600);
    assertThat(told).containsExactly("12.0 " + JobState.LOST);
    assertThat(slurm.askedController).hasSize(5);
  }

  @Test
  void callsALaunchLostThatOnlyAccountingStillTakesForRunning() {
    launch("12.0.0");
    slurm.accounting.add(accounted("12", "RUNNING", BEGAN - 1, 0));
    lookFor(0, 600);
    assertThat(told).containsExactly("12.0 " + JobState.LOST);
  }

  @Test
  void aLaunchThatIsFoundAgainIsNotLost() {
    launch("12.0.0");
    lookFor(30, 60);
    slurm.controller.add(queued("12", "RUNNING", 0));
    lookFor(90, 150);
    slurm.controller.clear();
    lookFor(180, 390);
    assertThat(told).containsExactly("12.0 RUNNING");
  }

  @Test
  void neverCallsALaunchLostWhileAccountingIsSilent() {
    launch("12.0.0");
    slurm.accountingAnswers = false;
    lookFor(0, 24 * 3600);
    assertThat(told).isEmpty();
    slurm.accountingAnswers = true;
    slurm.accounting.add(accounted("12", "FAILED", BEGAN - 1, BEGAN + 10));
    lookFor(24 * 3600, 24 * 3600 + 1200);
    assertThat(told).containsExactly("12.0 FAILED");
  }

  @Test
  void stillAsksTheControllerWhileAccountingIsSilent() {
    launch("12.0.0");
    launch("13.0.0");
    slurm.accountingAnswers = false;
    slurm.controller.add(queued("13", "COMPLETED", 0));
    lookFor(0, 60);
    assertThat(told).containsExactly("13.0 COMPLETED");
  }

  @Test
  void leavesASilentControllerAloneForLongerAndLonger() {
    launch("12.0.0");
    slurm.controllerAnswers = false;
    lookFor(0, 24 * 3600);
    assertThat(slurm.askedController.size()).isBetween(140, 150);
    assertThat(told).isEmpty();
    slurm.controllerAnswers = true;
    slurm.controller.add(queued("12", "COMPLETED", 0));
    lookFor(24 * 3600, 24 * 3600 + 600);
    assertThat(told).containsExactly("12.0 COMPLETED");
  }

  @Test
  void aRunBeforeARequeueEndsAsAccountingSays() {
    launch("12.0.0");
    open.add(OpenLaunch.of("lab", "12.1.0", Instant.ofEpochSecond(BEGAN + 200)).orElseThrow());
    slurm.controller.add(queued("12", "RUNNING", 1));
    slurm.accounting.add(accounted("12", "NODE_FAIL", BEGAN - 60, BEGAN + 70));
    slurm.accounting.add(accounted("12", "RUNNING", BEGAN + 190, 0));
    lookFor(240, 240);
    assertThat(told).containsExactlyInAnyOrder("12.0 NODE_FAIL", "12.1 RUNNING");
  }

  @Test
  void aRunBeforeARequeueIsOverWithoutAccountingAsWell() {
    launch("12.0.0");
    slurm.hasAccounting = false;
    slurm.controller.add(queued("12", "PENDING", 1));
    lookFor(30, 30);
    assertThat(told).containsExactly("12.0 REQUEUED");
  }

  @Test
  void doesNotTakeAnotherJobOfTheSameNumberForTheLaunch() {
    launch("12.2.0");
    slurm.hasAccounting = false;
    slurm.controller.add(queued("12", "RUNNING", 0));
    lookFor(0, 600);
    assertThat(told).containsExactly("12.2 " + JobState.LOST);
  }

  @Test
  void takesTheFirstComponentOfAHeterogeneousJobForItsLaunch() {
    launch("12.0.0");
    slurm.controller.add(queued("12+1", "RUNNING", 0));
    slurm.controller.add(queued("12+0", "COMPLETED", 0));
    lookFor(30, 30);
    assertThat(told).containsExactly("12.0 COMPLETED");
  }

  @Test
  void leavesTheLaunchesOfClustersAloneThatItWasNotTold() {
    open.add(OpenLaunch.of("elsewhere", "12.0.0", Instant.ofEpochSecond(BEGAN)).orElseThrow());
    lookFor(0, 3600);
    assertThat(slurm.askedController).isEmpty();
  }

  @Test
  void asksInTimeForALaunchWhoseClockIsAhead() {
    open.add(OpenLaunch.of("lab", "12.0.0", Instant.ofEpochSecond(BEGAN * 2)).orElseThrow());
    slurm.controller.add(queued("12", "COMPLETED", 0));
    lookFor(0, 60);
    assertThat(told).containsExactly("12.0 COMPLETED");
  }

  @Test
  void tellsAgainWhatTheSinkCouldNotTake() {
    boolean[] full = {true};
    JobReconciler fragile =
        new JobReconciler(
            Set.of("lab"),
            slurm,
            () -> List.copyOf(open),
            (launch, state) -> {
              if (full[0]) {
                throw new IllegalStateException("disk full");
              }
              told.add(state.state());
            },
            Rhythm.DEFAULT);
    launch("12.0.0");
    slurm.controller.add(queued("12", "COMPLETED", 0));
    Instant now = Instant.ofEpochSecond(BEGAN + 30);
    assertThatThrownBy(() -> fragile.look(now)).hasMessage("disk full");
    full[0] = false;
    fragile.look(now.plus(Duration.ofSeconds(30)));
    assertThat(told).containsExactly("COMPLETED");
  }

  @Test
  void readsTheNamesOfLaunches() {
    assertThat(OpenLaunch.of("lab", "12_3.1.0", Instant.EPOCH))
        .hasValue(new OpenLaunch("lab", new JobId(12, 3, JobId.NONE), 1, Instant.EPOCH));
    assertThat(OpenLaunch.of("lab", "12", Instant.EPOCH)).isEmpty();
    assertThat(OpenLaunch.of("lab", "$(id).0.0", Instant.EPOCH)).isEmpty();
  }
}
