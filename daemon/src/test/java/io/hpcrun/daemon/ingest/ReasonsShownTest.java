package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ReasonsShownTest {
  private Instant now = Instant.parse("2026-11-22T12:00:00Z");
  private final ReasonsShown reasons = new ReasonsShown(() -> now);

  private int shownOf(int files) {
    int shown = 0;
    for (int i = 0; i < files; i++) {
      shown += reasons.show() ? 1 : 0;
    }
    return shown;
  }

  @Test
  void soManyAreShownInAMinuteHoweverManyPassesThereAre() {
    assertThat(shownOf(5000)).isEqualTo(ReasonsShown.MOST);
    assertThat(reasons.takeHidden()).as("the minute goes on").isZero();
    now = now.plus(Duration.ofSeconds(59));
    assertThat(shownOf(1000)).isZero();
    now = now.plus(Duration.ofSeconds(1));
    assertThat(shownOf(1000)).isEqualTo(ReasonsShown.MOST);
  }

  @Test
  void theOthersAreToldOnceAfterTheirMinute() {
    shownOf(ReasonsShown.MOST + 7);
    now = now.plus(Duration.ofMinutes(1));
    assertThat(reasons.takeHidden()).isEqualTo(7);
    assertThat(reasons.takeHidden()).isZero();
    assertThat(shownOf(1)).isEqualTo(1);
  }
}
