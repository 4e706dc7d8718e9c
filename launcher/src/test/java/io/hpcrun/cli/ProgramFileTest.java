package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What bin/hpcrun says before Java starts. */
class ProgramFileTest {
  private static final Path PROGRAM =
      Path.of("../distribution/src/main/dist/bin/hpcrun").toAbsolutePath().normalize();

  @TempDir Path directory;

  @Test
  void aWorkingDirectoryThatIsGoneIsNamed() throws IOException, InterruptedException {
    Path gone = Files.createDirectory(directory.resolve("gone"));
    Process process =
        new ProcessBuilder(
                "bash",
                "-c",
                "cd \"$1\" && rmdir \"$1\" && exec bash -p \"$2\" version",
                "bash",
                gone.toString(),
                PROGRAM.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(said)
        .endsWith(
            "hpcrun: error: the working directory is gone\n"
                + "  what to do: change to one that exists\n");
    assertThat(process.waitFor()).isEqualTo(2);
  }
}
