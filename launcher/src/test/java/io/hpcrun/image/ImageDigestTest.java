package io.hpcrun.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageDigestTest {
  private static final String EMPTY =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

  @TempDir private Path directory;

  @Test
  void isTheFilesSha256() throws IOException {
    assertThat(digests().of(Files.createFile(directory.resolve("odd \\ name")))).isEqualTo(EMPTY);
  }

  @Test
  void isRememberedAsLongAsTheFileStays() throws IOException {
    Path image = Files.createFile(directory.resolve("i"));
    digests().of(image);
    Path remembered = remembered().getFirst();
    // What is remembered is believed: another digest in the same state of the file shows it.
    Files.writeString(remembered, Files.readString(remembered).replace(EMPTY, "0".repeat(64)));
    assertThat(digests().of(image)).isEqualTo("0".repeat(64));
    Files.writeString(image, "more");
    assertThat(digests().of(image)).isNotEqualTo("0".repeat(64)).hasSize(64);
  }

  @Test
  void aBrokenMemoryIsComputedAnew() throws IOException {
    Path image = Files.createFile(directory.resolve("i"));
    digests().of(image);
    Files.writeString(remembered().getFirst(), "nonsense");
    assertThat(digests().of(image)).isEqualTo(EMPTY);
  }

  @Test
  void worksWithoutAPlaceToRemember() throws IOException {
    Files.createFile(directory.resolve("hpcrun"));
    assertThat(digests().of(Files.createFile(directory.resolve("i")))).isEqualTo(EMPTY);
  }

  @Test
  void aMissingFileIsAFailureOfTheImage() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> digests().of(directory.resolve("none")))
        .matches(failure -> failure.exitCode() == ExitCode.IMAGE);
  }

  private ImageDigest digests() {
    return new ImageDigest(new UserCache(directory));
  }

  private List<Path> remembered() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("digests"))) {
      return files.toList();
    }
  }
}
