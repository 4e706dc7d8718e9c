package io.hpcrun.daemon.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TurnsTest {
  private final Turns turns = new Turns(3, 2, Duration.ofMillis(30));

  @Test
  void oneUserHasAPartAndAnotherTheRest() throws InterruptedException {
    assertThat(turns.take(7)).isTrue();
    assertThat(turns.take(7)).isTrue();
    assertThat(turns.take(7)).isFalse();
    assertThat(turns.take(8)).isTrue();
    assertThat(turns.take(8)).as("there are none left").isFalse();
    turns.giveBack(7);
    assertThat(turns.take(8)).isTrue();
    turns.giveBack(8);
    turns.giveBack(8);
    turns.giveBack(7);
    assertThat(turns.users()).isZero();
  }

  @Test
  void whoWaitsForAnOwnTurnKeepsNobodyElseFromOne() throws InterruptedException {
    Turns patient = new Turns(3, 2, Duration.ofSeconds(30));
    patient.take(7);
    patient.take(7);
    Thread third = Thread.ofVirtual().unstarted(() -> take(patient, 7));
    third.start();
    assertThat(patient.take(8)).isTrue();
    patient.giveBack(7);
    third.join();
    assertThat(patient.users()).isEqualTo(2);
  }

  @Test
  void whoIsInterruptedWhileWaitingLeavesNothingBehind() throws InterruptedException {
    Turns patient = new Turns(1, 1, Duration.ofSeconds(30));
    patient.take(7);
    Thread.currentThread().interrupt();
    assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> patient.take(8));
    patient.giveBack(7);
    assertThat(patient.users()).isZero();
    assertThat(patient.take(8)).isTrue();
  }

  private static void take(Turns turns, long user) {
    try {
      assertThat(turns.take(user)).isTrue();
    } catch (InterruptedException never) {
      throw new IllegalStateException(never);
    }
  }
}
