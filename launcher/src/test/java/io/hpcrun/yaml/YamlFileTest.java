package io.hpcrun.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class YamlFileTest {
  @TempDir Path directory;

  @Test
  void valuesAreReadAsWhatIsWanted() {
    YamlMap map =
        parse("a: 1\nb: [x, 'y z']\nc: {d: true}\ntime: 1:30:00\nmode: 007\nquoted: 'true'\n")
            .map();
    assertThat(map.entries().keySet()).containsExactly("a", "b", "c", "time", "mode", "quoted");
    assertThat(map.get("a", "").integer(0, 9)).isEqualTo(1);
    assertThat(map.get("b", "").list().stream().map(YamlValue::text)).containsExactly("x", "y z");
    assertThat(map.get("c", "").map().get("d", "").truth()).isTrue();
    assertThat(map.get("time", "").text()).isEqualTo("1:30:00");
    assertThat(map.get("mode", "").text()).isEqualTo("007");
    assertThat(map.get("a", "").listOrOne()).hasSize(1);
    assertThatThrownBy(() -> map.get("quoted", "").truth())
        .hasMessage("test.yaml, line 6, column 9: 'true' stands where true or false belongs");
    assertThat(parse("").map().entries()).isEmpty();
    assertThat(parse("# only a remark\n---\n").map().entries()).isEmpty();
  }

  @Test
  void keysThatAreNotKnownHaveTheNearestName() {
    YamlMap map = parse("a: 1\nparttions: 2\n").map();
    assertThatThrownBy(() -> map.allow(List.of("a", "partitions")))
        .hasMessage("test.yaml, line 2, column 1: there is no key 'parttions' here")
        .extracting(failure -> ((Failure) failure).remedy())
        .isEqualTo("write 'partitions'");
    assertThat(Names.nearest("cpus_per_taks", List.of("cpus-per-task", "mem")))
        .contains("cpus-per-task");
    assertThat(Names.nearest("xyz", List.of("cpus-per-task", "mem"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a: 1\\na: 2|line 2, column 1: the key 'a' is here twice, first in line 1",
        "a: &x 1|line 1, column 4: anchors (&) and aliases (*) are not read",
        "a: *x|line 1, column 4: anchors (&) and aliases (*) are not read",
        "a: !!python/object x|line 1, column 4: tags such as",
        "a: 1\\n---\\nb: 2|line 2, column 1: a second document begins here",
        "a: b: c|line 1, column 5: this is not YAML",
        "a: [1, 2|line 1, column 9: this is not YAML",
        "\\tx: 1|line 1, column 1: this is not YAML",
        "a: 'x|line 1, column 6: this is not YAML",
        "? [a]\\n: 1|line 1, column 3: this cannot be a key",
        "'': 1|line 1, column 1: this cannot be a key",
        "a: %x|line 1, column 4: this is not YAML",
        "a: @x|line 1, column 4: this is not YAML",
      })
  void malformedFilesAreRefusedWithTheirPlace(String text, String message) {
    assertThatThrownBy(() -> parse(text.replace("\\n", "\n").replace("\\t", "\t")))
        .isInstanceOf(Failure.class)
        .hasMessageContaining(message);
  }

  @Test
  void deepAndLargeFilesAreRefused() throws Exception {
    assertThatThrownBy(() -> parse("[".repeat(100_000)))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("nested more than 30 deep");
    Path large = Files.write(directory.resolve("large.yaml"), new byte[(1 << 20) + 1]);
    assertThatThrownBy(() -> YamlFile.read(large)).hasMessageContaining("larger than 1 MiB");
    assertThatThrownBy(() -> YamlFile.read(directory)).hasMessageContaining("is a directory");
    assertThatThrownBy(() -> YamlFile.read(directory.resolve("none")))
        .hasMessageContaining("there is no file");
    byte[] latin1 = "a: b\nb: é\n".getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> YamlFile.parse("x", latin1))
        .hasMessage("x, line 2, column 4: a byte stands here that is not UTF-8");
    assertThatThrownBy(() -> YamlFile.parse("x", new byte[] {'a', (byte) 0xc3}))
        .hasMessage("x, line 1, column 2: a byte stands here that is not UTF-8");
    assertThatThrownBy(() -> YamlFile.parse("x", new byte[] {'a', ':', ' ', 1}))
        .isInstanceOf(Failure.class);
    assertThatThrownBy(() -> parse("a: \"\\0\"").map().get("a", "").text())
        .hasMessageContaining("NUL");
    assertThatThrownBy(() -> parse("a: \"\\ud800\"").map().get("a", "").text())
        .hasMessageContaining("half a character");
    assertThatThrownBy(() -> parse("a: [b, ${c}]"))
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .endsWith("'${NAME}'");
  }

  @Property(tries = 2_000)
  void anyTextIsReadOrRefused(@ForAll byte[] bytes) {
    try {
      YamlFile.parse("any", bytes);
    } catch (Failure refused) {
      assertThat(refused.getMessage()).startsWith("any");
    }
  }

  private static YamlValue parse(String text) {
    return YamlFile.parse("test.yaml", text.getBytes(StandardCharsets.UTF_8));
  }
}
