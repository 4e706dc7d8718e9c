package io.hpcrun.timing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordSpoolTest {
  @Test
  void isThereOnlyWhereTheSiteNamesOne() {
    assertThat(RecordSpool.of(Map.of())).isEmpty();
    assertThat(RecordSpool.of(Map.of("HPCRUN_SPOOL", ""))).isEmpty();
    assertThat(RecordSpool.of(Map.of("HPCRUN_SPOOL", "/shared/größe/")))
        .contains(Path.of("/shared/größe"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"spool", "./spool", "~/spool", " /spool"})
  void refusesAPathThatIsNotAbsolute(String spool) {
    refuses(spool, "is not an absolute path");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/a\nb", "/a\u001b[31m", "/a\u007f", "/lost\uFFFDbyte"})
  void refusesANameThatNoSpoolHas(String spool) {
    refuses(spool, "holds characters that no spool's name has");
  }

  private static void refuses(String spool, String why) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> RecordSpool.of(Map.of("HPCRUN_SPOOL", spool)))
        .withMessageContainingAll("HPCRUN_SPOOL=", why)
        .satisfies(failure -> assertThat(failure.exitCode()).isEqualTo(ExitCode.USAGE))
        .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("\n", "\u001b"));
  }
}
