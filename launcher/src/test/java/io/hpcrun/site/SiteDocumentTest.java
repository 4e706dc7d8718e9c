package io.hpcrun.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.json.Json;
import io.hpcrun.yaml.ShapeDocument;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SiteDocumentTest {
  private static final Path PAGE = Path.of("..", "docs", "site.md");
  private static final String MARK = "<!-- written by SiteDocumentTest -->\n";

  @TempDir Path directory;

  @Test
  void thePageListsEveryKey() throws IOException {
    String page = Files.readString(PAGE);
    int from = page.indexOf(MARK) + MARK.length();
    String table = "\n" + ShapeDocument.markdown(SiteShape.FILE);
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(PAGE, page.substring(0, from) + table);
    }
    assertThat(page.substring(from)).isEqualTo(table);
  }

  @Test
  void theExampleOfThePageIsRight() throws IOException {
    String page = Files.readString(PAGE);
    int from = page.indexOf("```yaml\n") + 8;
    Path file =
        Files.writeString(
            directory.resolve("site.yaml"), page.substring(from, page.indexOf("```\n", from)));
    Site site = Site.of(file, "/home/u");
    assertThat(site.options().modules()).containsKeys("nccl", "cpu-only");
  }

  @Test
  void theSchemaIsJson() {
    String schema = ShapeDocument.jsonSchema("id", "title", SiteShape.FILE);
    assertThat(Json.read(schema.getBytes(StandardCharsets.UTF_8)).orElseThrow())
        .containsEntry("$id", "id")
        .containsKey("properties");
  }
}
