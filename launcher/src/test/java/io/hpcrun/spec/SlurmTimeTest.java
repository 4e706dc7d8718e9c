package io.hpcrun.spec;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlurmTimeTest {
  @ParameterizedTest
  @CsvSource({
    "30, 1800",
    "1:30, 90",
    "1:30:05, 5405",
    "2-12, 216000",
    "1-0:30, 88200",
    "1-00:00:01, 86401",
    "10:00, 600"
  })
  void isReadAsSbatchReadsIt(String text, long seconds) {
    assertThat(SlurmTime.seconds(text)).hasValue(seconds);
  }

  @Test
  void whatHasNoEndHasNoLength() {
    assertThat(SlurmTime.seconds("infinite")).isEmpty();
    assertThat(SlurmTime.seconds("UNLIMITED")).isEmpty();
    assertThat(SlurmTime.seconds("1-")).isEmpty();
    assertThat(SlurmTime.seconds("99999999999999999999-99")).isPresent();
  }
}
