package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImagePullTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "shub://alpine",
        "http://site.org/x.sif",
        "docker://registry:5000/../x",
        "docker://alice:secret@registry/x"
      })
  void whatIsNoSourceOfImagesIsRefused(String source) {
    Console console =
        new Console(System.out, System.err, Path.of("/work/dir"), Map.of("HOME", "/home/u"));
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> ImagePull.of(console).image(source))
        .matches(failure -> failure.exitCode() == ExitCode.USAGE)
        .matches(failure -> !failure.getMessage().contains("secret"));
  }
}
