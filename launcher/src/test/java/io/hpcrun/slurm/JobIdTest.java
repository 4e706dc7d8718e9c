package io.hpcrun.slurm;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobIdTest {
  @ParameterizedTest
  @CsvSource({
    "12, 12, -1, -1",
    "12_3, 12, 3, -1",
    "12+0, 12, -1, 0",
    "4294901760_4000000, 4294901760, 4000000, -1",
  })
  void readsWhatSlurmCallsAJob(String text, long number, int element, int component) {
    assertThat(JobId.parse(text)).hasValue(new JobId(number, element, component));
    assertThat(JobId.parse(text).orElseThrow()).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "12_[4-7]", "12.batch", "12,13", "-1", "12_", "12+", "٣", "12_3+1"})
  void readsNothingElse(String text) {
    assertThat(JobId.parse(text)).isEmpty();
  }

  @Test
  void theBareNumberMeansTheFirstComponent() {
    assertThat(id("12").isAnsweredBy(id("12+0"))).isTrue();
    assertThat(id("12").isAnsweredBy(id("12+1"))).isFalse();
    assertThat(id("12+1").isAnsweredBy(id("12+1"))).isTrue();
  }

  @Test
  void anArrayIsNoneOfItsElements() {
    assertThat(id("12").isAnsweredBy(id("12_0"))).isFalse();
    assertThat(id("12_0").isAnsweredBy(id("12_0"))).isTrue();
  }

  private static JobId id(String text) {
    return JobId.parse(text).orElseThrow();
  }
}
