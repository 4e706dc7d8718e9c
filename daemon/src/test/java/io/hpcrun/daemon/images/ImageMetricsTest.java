package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.metrics.Metrics;
import io.hpcrun.daemon.metrics.OpenMetricsText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the metrics tell of the image store. */
class ImageMetricsTest {
  @TempDir private Path directory;

  @Test
  void hitsMissesAndBytesAreThoseThatWereCounted() {
    PullCounts counts = new PullCounts();
    Metrics metrics = new Metrics();
    ImagesInUse none = () -> Optional.of(Map.of());
    try (ImageStore store =
        new ImageStore(directory.resolve("images"), 5_000_000, none, Clock.systemUTC())) {
      metrics.ofImages(store, counts);
      for (int i = 0; i < 3; i++) {
        counts.hit();
      }
      counts.missed();
      counts.missed();
      counts.joined();
      counts.pulled(2_500_000_000L, 7_000_000_000L);
      OpenMetricsText text =
          OpenMetricsText.read(new String(metrics.text(), StandardCharsets.UTF_8));
      assertThat(text.value("hpcrund_image_requests_total", "result", "hit")).contains(3.0);
      assertThat(text.value("hpcrund_image_requests_total", "result", "miss")).contains(2.0);
      assertThat(text.value("hpcrund_image_requests_total", "result", "joined")).contains(1.0);
      assertThat(text.value("hpcrund_image_pulls_total")).contains(1.0);
      assertThat(text.value("hpcrund_image_pull_seconds_total")).contains(2.5);
      assertThat(text.value("hpcrund_image_pulled_bytes_total")).contains(7e9);
      assertThat(text.value("hpcrund_image_failures_total")).contains(0.0);
      assertThat(text.value("hpcrund_image_store_bytes")).contains(0.0);
      assertThat(text.value("hpcrund_image_store_quota_bytes")).contains(5e6);
    }
  }
}
