package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The section {@code daemon.images} of the site file. */
class ImageSettingsTest {
  @TempDir private Path directory;

  private Settings.Images read(String images) throws IOException {
    Path file = directory.resolve("site.yaml");
    Files.writeString(file, "daemon:\n  images: {directory: /images, " + images + "}\n");
    return SettingsFile.read(file).images();
  }

  @ParameterizedTest
  @CsvSource({"quota: 500G, 53687091200", "quota: 90G, 48318382080", "workers: 2, 53687091200"})
  void oneImageMayNotHaveTheWholeQuotaUnlessTheSiteSaysSo(String images, long largest)
      throws IOException {
    assertThat(read(images).largestBytes()).isEqualTo(largest);
  }

  @Test
  void theLargestImageIsTheSites() throws IOException {
    assertThat(read("quota: 2M, largest: 2M").largestBytes()).isEqualTo(2 << 20);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "largest: 1",
        "quota: 2M, largest: 3M",
        "sources: ['https://site.org']",
        "sources: ['https://site.org/../x/']",
        "sources: ['docker://registry.site']",
        "sources: ['/a/../b/']"
      })
  void whatCannotBeMeantIsRefused(String images) {
    assertThatThrownBy(() -> read(images))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("site.yaml, line 2, column");
  }
}
