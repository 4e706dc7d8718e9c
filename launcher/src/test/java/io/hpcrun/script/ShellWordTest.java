package io.hpcrun.script;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.spec.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import org.junit.jupiter.api.Test;

class ShellWordTest {
  /** 400 tries of 25 vectors: 10,000 argument vectors, with one bash for each try. */
  @Property(tries = 400, shrinking = ShrinkingMode.BOUNDED)
  void bashReadsBackEveryArgumentVectorUnchanged(@ForAll("batches") List<List<ByteString>> vectors)
      throws Exception {
    StringBuilder script = new StringBuilder();
    for (List<ByteString> vector : vectors) {
      script.append("v=(");
      vector.forEach(word -> script.append(ShellWord.quote(word)).append(' '));
      script.append(")\nprintf '%s\\0' ${#v[@]} \"${v[@]}\"\n");
    }
    for (String locale : List.of("C", "C.UTF-8")) {
      assertThat(runBash(script.toString(), locale)).isEqualTo(expected(vectors));
    }
  }

  @Test
  void everyByteSurvivesAlone() throws Exception {
    List<List<ByteString>> vectors =
        IntStream.rangeClosed(1, 255)
            .mapToObj(b -> List.of(ByteString.of(new byte[] {(byte) b})))
            .toList();
    StringBuilder script = new StringBuilder();
    vectors.forEach(
        vector ->
            script
                .append("printf '%s\\0' 1 ")
                .append(ShellWord.quote(vector.getFirst()))
                .append('\n'));
    assertThat(runBash(script.toString(), "C.UTF-8")).isEqualTo(expected(vectors));
  }

  @Property
  void noWordSpansLines(@ForAll("words") ByteString word) {
    assertThat(ShellWord.quote(word)).doesNotContain("\n").doesNotContain("\r");
  }

  @Test
  void wordsStayReadable() {
    assertThat(ShellWord.quote("--steps=100")).isEqualTo("--steps=100");
    assertThat(ShellWord.quote("a b")).isEqualTo("'a b'");
    assertThat(ShellWord.quote("it's")).isEqualTo("'it'\\''s'");
    assertThat(ShellWord.quote("")).isEqualTo("''");
    assertThat(ShellWord.quote("two\nlines")).isEqualTo("$'two\\nlines'");
    assertThat(ShellWord.quote(ByteString.of(new byte[] {(byte) 0xff}))).isEqualTo("$'\\377'");
    assertThat(ByteString.ofLatin1(ShellWord.quote("café"))).isEqualTo(ByteString.of("'café'"));
    // A right-to-left override would show the line in another order than bash reads it.
    assertThat(ShellWord.quote("a\u202eb")).isEqualTo("$'a\\342\\200\\256b'");
  }

  @Provide
  Arbitrary<List<List<ByteString>>> batches() {
    return words().list().ofMaxSize(6).list().ofSize(25);
  }

  @Provide
  Arbitrary<ByteString> words() {
    Arbitrary<ByteString> bytes =
        Arbitraries.bytes()
            .filter(b -> b != 0)
            .array(byte[].class)
            .ofMaxSize(12)
            .map(ByteString::of);
    Arbitrary<ByteString> hostile =
        Arbitraries.of(
                "",
                "-",
                "--",
                "-n",
                "*",
                "?",
                "[a]",
                "~",
                "$HOME",
                "$(id)",
                "`id`",
                "\\",
                "\\\\",
                "'",
                "\"",
                "'\"'",
                "!x",
                "!!",
                "#",
                "#SBATCH -n 9",
                "\n#SBATCH -n 9\n",
                "\r\n",
                "\t",
                " ",
                "a;b",
                "a&b",
                "a|b",
                "a>b",
                "{a,b}",
                "(",
                ")",
                "é",
                "日本",
                "\u0001",
                "\u007f",
                "${x}",
                "$'a'",
                "EOF",
                "\\n",
                "%s",
                "a=b",
                "-e",
                "\u001b[31m",
                "$((1))",
                "<<X")
            .map(ByteString::of);
    Arbitrary<ByteString> joined =
        Arbitraries.oneOf(bytes, hostile)
            .list()
            .ofMinSize(1)
            .ofMaxSize(3)
            .map(
                parts ->
                    ByteString.ofLatin1(
                        String.join("", parts.stream().map(ByteString::latin1).toList())));
    return Arbitraries.oneOf(bytes, hostile, joined);
  }

  private static String expected(List<List<ByteString>> vectors) {
    List<String> words = new ArrayList<>();
    for (List<ByteString> vector : vectors) {
      words.add(String.valueOf(vector.size()));
      vector.forEach(word -> words.add(word.latin1()));
    }
    return String.join("\0", words) + "\0";
  }

  private static String runBash(String script, String locale)
      throws IOException, InterruptedException {
    Path file = Files.createTempFile("words", ".bash");
    try {
      Files.write(file, script.getBytes(StandardCharsets.ISO_8859_1));
      ProcessBuilder bash = new ProcessBuilder("bash", file.toString());
      bash.environment().put("LC_ALL", locale);
      bash.redirectErrorStream(true);
      Process process = bash.start();
      process.getOutputStream().close();
      try (InputStream out = process.getInputStream()) {
        String text = new String(out.readAllBytes(), StandardCharsets.ISO_8859_1);
        assertThat(process.waitFor()).as(text).isZero();
        return text;
      }
    } finally {
      Files.delete(file);
    }
  }
}
