package io.hpcrun.daemon.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobId;
import io.hpcrun.slurm.JobState;
import io.hpcrun.slurm.JobStates;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The reconciler's thread; the time limits only end a test that hangs. */
@Timeout(60)
class JobReconcilerThreadTest {
  private static final Duration SHORT = Duration.ofMillis(1);
  private static final Rhythm FAST = new Rhythm(SHORT, SHORT, SHORT);
  private static final List<OpenLaunch> ONE =
      List.of(OpenLaunch.of("lab", "12.0.0", Instant.EPOCH).orElseThrow());

  /** A controller that does as it is told, in place of an answer. */
  private record Controller(Runnable asked) implements JobStates {
    @Override
    public List<JobState> queued(String cluster, Collection<JobId> jobs) {
      asked.run();
      return List.of(ScriptedSlurm.queued("12", "RUNNING", 0));
    }

    @Override
    public Optional<List<JobState>> accounted(String cluster, Collection<JobId> jobs) {
      return Optional.empty();
    }
  }

  @Test
  void passesOnWhatSlurmSays() throws InterruptedException {
    BlockingQueue<JobState> told = new LinkedBlockingQueue<>();
    try (JobReconciler reconciler = reconciler(() -> {}, (launch, state) -> told.add(state))) {
      reconciler.start();
      assertThat(told.take().state()).isEqualTo("RUNNING");
    }
  }

  @Test
  void neverAsksTwiceAtOnce() throws InterruptedException {
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch enough = new CountDownLatch(50);
    Runnable asked =
        () -> {
          most.accumulateAndGet(running.incrementAndGet(), Math::max);
          Thread.yield();
          running.decrementAndGet();
          enough.countDown();
        };
    try (JobReconciler reconciler = reconciler(asked, (launch, state) -> {})) {
      reconciler.start();
      enough.await();
    }
    assertThat(most).hasValue(1);
  }

  @Test
  void endsInTheMidstOfAQuery() throws InterruptedException {
    CountDownLatch began = new CountDownLatch(1);
    AtomicInteger interrupted = new AtomicInteger();
    Runnable asked =
        () -> {
          began.countDown();
          try {
            new CountDownLatch(1).await();
          } catch (InterruptedException told) {
            interrupted.incrementAndGet();
            Thread.currentThread().interrupt();
            throw Failure.internal("interrupted", "try again", told);
          }
        };
    JobReconciler reconciler = reconciler(asked, (launch, state) -> {});
    reconciler.start();
    began.await();
    reconciler.close();
    assertThat(interrupted).hasValue(1);
  }

  @Test
  void goesOnAfterAFailureOfTheStore() throws InterruptedException {
    CountDownLatch again = new CountDownLatch(3);
    StateSink broken =
        (launch, state) -> {
          again.countDown();
          throw new IllegalStateException("disk full");
        };
    try (JobReconciler reconciler = reconciler(() -> {}, broken)) {
      reconciler.start();
      again.await();
    }
    assertThat(again.getCount()).isZero();
  }

  private static JobReconciler reconciler(Runnable asked, StateSink sink) {
    return new JobReconciler(Set.of("lab"), new Controller(asked), () -> ONE, sink, FAST);
  }
}
