package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicyCommandTest {
  @TempDir private Path directory;

  @Test
  void saysWhyThereIsNoPolicy() throws IOException {
    assertThat(refused("none", "policy", "show"))
        .contains("this site has no policy: HPCRUN_SITE=none is set, so no site file is read");
    Path site = Files.writeString(directory.resolve("site.yaml"), "defaults: {time: 30}\n");
    assertThat(refused(site.toString(), "policy", "show"))
        .contains("this site has no policy: 'policy' is not set in " + site);
  }

  @Test
  void exportsOnlyIntoADirectory() {
    Path none = directory.resolve("none");
    assertThat(refused("none", "policy", "export", none.toString()))
        .contains("there is no directory " + none, "make it");
  }

  private String refused(String site, String... words) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream print = new PrintStream(err, true, StandardCharsets.UTF_8);
    Map<String, String> environment = Map.of("HOME", directory.toString(), "HPCRUN_SITE", site);
    assertThat(Main.run(List.of(words), new Console(print, print, directory, environment)))
        .isEqualTo(2);
    return err.toString(StandardCharsets.UTF_8);
  }
}
