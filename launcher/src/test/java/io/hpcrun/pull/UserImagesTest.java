package io.hpcrun.pull;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The user's own images, from a server of this machine. */
class UserImagesTest {
  @TempDir private Path cache;
  private FakeRegistry server;
  private Map<String, String> environment;
  private Path images;

  @BeforeEach
  void start() throws IOException {
    server = new FakeRegistry();
    byte[] sif = FetcherTest.sif("02", 1000);
    server.on("/a.sif", exchange -> FakeRegistry.send(exchange, 200, sif));
    environment = Map.of("HOME", cache.toString(), "XDG_CACHE_HOME", cache.toString());
    images = cache.resolve("hpcrun/images");
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private void fetch() {
    try (UserImages own = new UserImages(environment)) {
      own.fetch(
          new ImageSource.Web(java.net.URI.create("http://" + server.host() + "/a.sif?token=x")),
          "amd64",
          (stage, done) -> {});
    }
  }

  @Test
  void whereAnImageCameFromIsKeptWithoutItsSecret() {
    fetch();
    assertThat(UserImages.all(environment)).hasSize(1);
    assertThat(UserImages.all(environment).getFirst().source())
        .contains("http://" + server.host() + "/a.sif?...");
  }

  @Test
  void anImageOfAnOlderVersionHasNoSource() throws IOException {
    Files.createDirectories(images);
    Path image = Files.createFile(images.resolve("a".repeat(64) + ".sif"));
    assertThat(UserImages.all(environment))
        .containsExactly(new UserImages.Own(image, Optional.empty()));
  }

  @Test
  void whatAKilledCommandLeftGoesWithTheNextPullAndWhatOneWorksWithStays() throws IOException {
    Path dead = Files.createDirectories(images.resolve(".work-" + "1".repeat(64)));
    Files.createFile(Files.createDirectory(dead.resolve("rootfs")).resolve("file"));
    Path alive = Files.createDirectories(images.resolve(".work-" + "2".repeat(64)));
    Path lockFile = Files.createDirectories(images.resolve("pins")).resolve("2".repeat(64));
    try (FileChannel channel =
            FileChannel.open(
                Path.of(lockFile + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      fetch();
      assertThat(lock.isValid()).isTrue();
      assertThat(dead).doesNotExist();
      assertThat(alive).exists();
    }
  }
}
