package io.hpcrun.pull;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.pull.Progress.Stage;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is seen of Apptainer's work from its directory, and what is done about it. */
class ConversionTest {
  private static final int MOST = 1 << 20;
  private static final Duration STILL = Duration.ofMillis(200);

  @TempDir private Path work;
  private final List<String> heard = new ArrayList<>();

  private Conversion conversion(long most) {
    return new Conversion(
        Apptainer.anonymous(Map.of()),
        new Fetcher.Limits(
            Duration.ofSeconds(30), STILL, most, AllowedSources.ALL, Optional.empty()),
        work,
        new TimeLimit(Duration.ofSeconds(30)));
  }

  private Optional<Kind> look(Conversion conversion) {
    return conversion.look("docker://r/app", this::note).map(PullFailure::kind);
  }

  private void note(Stage stage, long done) {
    heard.add(stage + " " + done);
  }

  private void write(String name, int bytes) throws IOException {
    Path file = work.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, new byte[bytes]);
  }

  @Test
  void layersThatComeAreCountedAndMayBeAsMuchAsAnImage() throws IOException {
    Conversion conversion = conversion(MOST);
    write("bundle-temp-1/blobs/sha256/a", MOST);
    assertThat(look(conversion)).isEmpty();
    write("bundle-temp-1/blobs/sha256/b", 1);
    assertThat(look(conversion)).contains(Kind.NO_ROOM);
    assertThat(heard).containsExactly("PULLING 1048576", "PULLING 1048577");
  }

  @Test
  void aFileOfALibraryThatComesSlowlyIsNotStill() throws IOException, InterruptedException {
    Conversion conversion = conversion(MOST);
    for (int size = 1; size < 6; size++) {
      write("image.sif", size);
      assertThat(look(conversion)).isEmpty();
      Thread.sleep(STILL.toMillis() / 2);
    }
    Thread.sleep(2 * STILL.toMillis());
    assertThat(look(conversion)).contains(Kind.TOO_SLOW);
  }

  @Test
  void layersThatUnpackToMuchMoreThanAnImageAreNotUnpacked() throws IOException {
    write("bundle-temp-1/blobs/sha256/a", 1000);
    write("bundle-temp-1/rootfs/zeros", 3 * MOST);
    Conversion conversion = conversion(MOST);
    conversion.heard("INFO:    Extracting OCI image...", this::note);
    assertThat(look(conversion)).isEmpty();
    write("bundle-temp-1/rootfs/more", 2 * MOST);
    Conversion later = conversion(MOST);
    later.heard("INFO:    Extracting OCI image...", this::note);
    assertThat(look(later)).contains(Kind.NO_ROOM);
  }

  @Test
  void layersOfFarTooManyEmptyFilesAreNotUnpacked() throws IOException {
    for (int i = 0; i < 50; i++) {
      write("bundle-temp-1/rootfs/" + i, 0);
    }
    assertThat(failureWithFiles(60)).isEmpty();
    assertThat(failureWithFiles(50))
        .contains("the image has more than the 50 files that one image may have here");
  }

  private Optional<String> failureWithFiles(long most) {
    Conversion conversion =
        new Conversion(
            Apptainer.anonymous(Map.of()),
            Fetcher.Limits.of(Duration.ofSeconds(30), MOST),
            work,
            new TimeLimit(Duration.ofSeconds(30)),
            most);
    conversion.heard("INFO:    Extracting OCI image...", this::note);
    return conversion.look("docker://r/app", this::note).map(PullFailure::getMessage);
  }

  @Test
  void anImageMayHaveTheFilesOfALargePythonEnvironment() {
    assertThat(Conversion.mostFiles(10L << 30)).isGreaterThan(1_000_000);
    assertThat(Conversion.mostFiles(100 << 20)).isEqualTo(200_000);
  }

  @Test
  void onesOwnImagesAreAsLargeAsTheyAre() throws IOException {
    write("bundle-temp-1/rootfs/zeros", 8 * MOST);
    Conversion conversion = conversion(Long.MAX_VALUE);
    conversion.heard("INFO:    Extracting OCI image...", this::note);
    assertThat(look(conversion)).isEmpty();
  }
}
