package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuarantineTest {
  @TempDir private Path outside;
  private Path directory;

  @BeforeEach
  void make() throws IOException {
    directory = Files.createDirectory(outside.resolve("quarantine"));
  }

  private int prune(int files, long bytes, Duration later) throws IOException {
    return new Quarantine(directory, new Quarantine.Limits(Duration.ofDays(30), files, bytes))
        .prune(Instant.now().plus(later));
  }

  /** One after the other, so that their order is told by their times. */
  private void put(String... names) throws IOException, InterruptedException {
    for (String name : names) {
      Thread.sleep(20);
      Files.writeString(directory.resolve(name), "x".repeat(1_000));
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whatIsOldGoesWhateverTimeItsOwnerHasSet() throws IOException, InterruptedException {
    put("a", "b");
    Files.setLastModifiedTime(
        directory.resolve("a"), FileTime.from(Instant.now().plus(Duration.ofDays(9_999))));
    Files.setLastModifiedTime(directory.resolve("b"), FileTime.from(Instant.EPOCH));
    assertThat(prune(10, 1_000_000, Duration.ofDays(29))).isZero();
    assertThat(prune(10, 1_000_000, Duration.ofDays(31))).isEqualTo(2);
    assertThat(names()).isEmpty();
  }

  @Test
  void ofManyTheNewestStay() throws IOException, InterruptedException {
    put("a", "b", "c", "d");
    assertThat(prune(2, 1_000_000, Duration.ZERO)).isEqualTo(2);
    assertThat(names()).containsExactly("c", "d");
  }

  @Test
  void ofMuchTheNewestStayAndOneLargeFileTakesNoOthersPlace()
      throws IOException, InterruptedException {
    put("a", "b", "c");
    try (RandomAccessFile sparse =
        new RandomAccessFile(directory.resolve("large").toFile(), "rw")) {
      sparse.setLength(1L << 40);
    }
    assertThat(prune(10, 2_500, Duration.ZERO)).isEqualTo(2);
    assertThat(names()).containsExactly("b", "c");
  }

  @Test
  void directoriesGoWithAllThatIsInThemAndLinksLeadNowhere() throws IOException {
    Path kept = Files.writeString(outside.resolve("kept"), "x");
    Path inner = Files.createDirectories(directory.resolve("d/e/f"));
    Files.writeString(inner.resolve("g"), "x");
    Files.createSymbolicLink(inner.resolve("link"), outside);
    Files.createSymbolicLink(directory.resolve("link"), outside);
    assertThat(prune(10, 1_000_000, Duration.ofDays(31))).isEqualTo(2);
    assertThat(names()).isEmpty();
    assertThat(kept).exists();
  }

  @Test
  void whatLiesTooDeepIsLeftToTheAdministrator() throws IOException, InterruptedException {
    Files.createDirectories(directory.resolve("d" + "/d".repeat(40)));
    put("a");
    assertThat(prune(10, 1_000_000, Duration.ofDays(31))).isEqualTo(1);
    assertThat(names()).containsExactly("d");
  }
}
