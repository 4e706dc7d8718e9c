package io.hpcrun.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.image.UserCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a cluster answered is remembered, and whatever else stands in its place is not believed. */
class ClusterStoreTest {
  private static final Map<String, String> CONFIG = Map.of("BOOT_TIME", "1");
  private static final List<String> PLUGINS = List.of("none", "pmi2", "pmix");

  @TempDir private Path directory;

  private ClusterStore store() {
    return new ClusterStore(new UserCache(directory));
  }

  @Test
  void asksOnceForEachStartOfTheController() {
    assertThat(store().mpiPlugins(CONFIG, () -> PLUGINS)).isEqualTo(PLUGINS);
    assertThat(store().mpiPlugins(CONFIG, () -> List.of("none"))).isEqualTo(PLUGINS);
    assertThat(store().mpiPlugins(Map.of("BOOT_TIME", "2"), () -> List.of("none")))
        .containsExactly("none");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "null", "none\npmix\ncray", "garbage\nend.", "none\n\u001b[2J\nend."})
  void doesNotBelieveWhatItDidNotWrite(String text) throws IOException {
    store().mpiPlugins(CONFIG, () -> PLUGINS);
    try (var files = Files.list(directory.resolve("clusters"))) {
      Files.writeString(files.findFirst().orElseThrow(), text);
    }
    assertThat(store().mpiPlugins(CONFIG, () -> List.of("none", "new")))
        .containsExactly("none", "new");
  }
}
