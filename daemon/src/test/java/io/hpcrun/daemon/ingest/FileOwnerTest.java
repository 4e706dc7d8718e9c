package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileOwnerTest {
  @TempDir private Path file;
  private Optional<String> name = Optional.empty();
  private int asked;
  private long nanos;

  private final FileOwner.Lookup owners =
      FileOwner.kept(
          each -> {
            asked++;
            return new FileOwner(FileOwner.uid(each), name);
          },
          () -> nanos);

  private void pass(Duration time) {
    nanos += time.toNanos();
  }

  @Test
  void aNameThatIsNotToldIsAskedForAgainSoon() throws IOException {
    assertThat(owners.of(file).name()).isEmpty();
    name = Optional.of("mia");
    pass(Duration.ofSeconds(59));
    assertThat(owners.of(file).name()).isEmpty();
    pass(Duration.ofSeconds(2));
    assertThat(owners.of(file).name()).contains("mia");
    assertThat(asked).isEqualTo(2);
  }

  @Test
  void aNameIsAskedForOnceADay() throws IOException {
    name = Optional.of("mia");
    owners.of(file);
    pass(Duration.ofHours(23));
    owners.of(file);
    assertThat(asked).isEqualTo(1);
    name = Optional.of("mara");
    pass(Duration.ofHours(2));
    assertThat(owners.of(file).name()).contains("mara");
  }

  @Test
  void theSystemKnowsWhoseAFileIs() throws IOException {
    FileOwner owner = FileOwner.fromFileSystem().of(file);
    assertThat(owner.uid()).isEqualTo(FileOwner.uid(Path.of("/proc/self")));
    assertThat(owner.name()).contains(System.getProperty("user.name"));
  }
}
