package io.hpcrun.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageVariablesTest {
  @TempDir private Path directory;

  @Test
  void theScriptsAreReadNotRun() throws IOException {
    script(
        "10-docker2singularity.sh",
        """
        #!/bin/sh
        export PATH="/usr/local/bin:/usr/bin"
        export CUDA_HOME="${CUDA_HOME:-"/usr/local/cuda"}"
        export LANG="${LANG:-"C.UTF-8"}"
        """);
    script(
        "90-environment.sh",
        """
        #!/bin/sh
          export LANG=de_DE
        APP_ROOT=/opt/app; export APP_ROOT
        # export COMMENTED=1
        touch ran; export -n X
        """);
    script("95-apps.sh", "export SCIF_DATA=/scif\n");
    script("99-base.sh", "export PS1=x\n");
    Files.writeString(directory.resolve(".singularity.d/env/notes.txt"), "export NOTE=1\n");
    ImageVariables variables = ImageVariables.read(image());
    assertThat(variables.sets())
        .isEqualTo(
            Map.of(
                "PATH", "/.singularity.d/env/10-docker2singularity.sh",
                "LANG", "/.singularity.d/env/90-environment.sh",
                "APP_ROOT", "/.singularity.d/env/90-environment.sh"));
    assertThat(variables.keeps())
        .isEqualTo(Map.of("CUDA_HOME", "/.singularity.d/env/10-docker2singularity.sh"));
    assertThat(directory.resolve("ran")).doesNotExist();
  }

  @Test
  void anImageWithoutScriptsSetsNothing() throws IOException {
    assertThat(ImageVariables.read(image())).isEqualTo(new ImageVariables(Map.of(), Map.of()));
  }

  private void script(String name, String text) throws IOException {
    Path file = directory.resolve(".singularity.d/env").resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private Image image() {
    return new Image(
        directory,
        Image.Format.SANDBOX,
        Optional.of("amd64"),
        Optional.empty(),
        0,
        Optional.empty(),
        "ext4");
  }
}
