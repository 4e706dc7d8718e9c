package io.hpcrun.template;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.jobfile.JobFileShape;
import io.hpcrun.json.Json;
import io.hpcrun.yaml.ShapeDocument;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobFileDocumentTest {
  private static final Path PAGE = Path.of("..", "docs", "job-files.md");
  private static final String MARK = "<!-- written by JobFileDocumentTest -->\n";

  @TempDir Path directory;

  @Test
  void thePageListsEveryKey() throws IOException {
    String page = Files.readString(PAGE);
    int from = page.indexOf(MARK) + MARK.length();
    String table = "\n" + ShapeDocument.markdown(JobFileShape.FILE);
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(PAGE, page.substring(0, from) + table);
    }
    assertThat(Files.readString(PAGE).substring(from)).isEqualTo(table);
  }

  @Test
  void theExamplesOfThePagesAreRight() throws IOException {
    List<String> examples = new ArrayList<>();
    examples.addAll(examples("job-files.md"));
    examples.addAll(examples("templates.md"));
    TemplateTests tests = new TemplateTests(Map.of());
    int number = 0;
    int passed = 0;
    for (String example : examples) {
      Path file = Files.writeString(directory.resolve("example" + number++ + ".yaml"), example);
      var read = new Templates(new TemplatePath(List.of()), directory).template(file.toString());
      tests.check(read);
      for (TemplateTests.Outcome outcome : tests.run(read)) {
        assertThat(outcome.faults()).as("%s of %s", outcome.name(), example).isEmpty();
        passed++;
      }
    }
    assertThat(number).isGreaterThanOrEqualTo(2);
    assertThat(passed).isGreaterThanOrEqualTo(2);
  }

  private static List<String> examples(String page) throws IOException {
    List<String> examples = new ArrayList<>();
    String text = Files.readString(PAGE.resolveSibling(page));
    for (int from = text.indexOf("```yaml\n"); from >= 0; from = text.indexOf("```yaml\n", from)) {
      from += 8;
      examples.add(text.substring(from, text.indexOf("```\n", from)));
    }
    return examples;
  }

  @Test
  void theSchemaIsJson() {
    String schema = ShapeDocument.jsonSchema("id", "title", JobFileShape.FILE);
    assertThat(Json.read(schema.getBytes(StandardCharsets.UTF_8)).orElseThrow())
        .containsKey("properties");
  }
}
