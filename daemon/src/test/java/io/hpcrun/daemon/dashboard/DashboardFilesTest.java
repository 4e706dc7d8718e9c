package io.hpcrun.daemon.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.daemon.api.Answer;
import io.hpcrun.daemon.api.Call;
import io.hpcrun.daemon.api.Caller;
import io.hpcrun.daemon.api.DashboardEndpoints;
import io.hpcrun.daemon.api.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The dashboard's files as they are served, and what must not stand in them. */
class DashboardFilesTest {
  private static final Path SOURCES =
      Path.of("src/main/resources/io/hpcrun/daemon/dashboard").toAbsolutePath();

  private static Answer answer(int endpoint, String file) {
    return new DashboardEndpoints()
        .endpoints()
        .get(endpoint)
        .action()
        .answer(
            new Call(
                new Caller(0, "root", true),
                Map.of("file", file),
                Map.of(),
                InputStream.nullInputStream()));
  }

  private static Map<String, String> sources() throws IOException {
    Map<String, String> texts = new TreeMap<>();
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.toList()) {
        texts.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return texts;
  }

  private static List<String> found(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
  }

  @Test
  void everyFileIsServedWithItsTypeAndThePolicy() throws IOException {
    Map<String, String> types =
        Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml");
    sources()
        .forEach(
            (name, text) -> {
              Answer answer = answer(1, name);
              assertThat(answer.type()).isEqualTo(types.get(name.replaceAll(".*\\.", "")));
              assertThat(new String(answer.bytes(), StandardCharsets.UTF_8)).isEqualTo(text);
              assertThat(answer.headers().get("Content-Security-Policy"))
                  .startsWith("default-src 'self';")
                  .doesNotContain("unsafe");
            });
    assertThat(answer(0, "").bytes()).isEqualTo(answer(1, "index.html").bytes());
  }

  @Test
  void otherNamesAreNotFound() {
    for (String name : List.of("", "..", "../logback.xml", "app.js/", "APP.JS", "/etc/passwd")) {
      assertThatThrownBy(() -> answer(1, name)).isInstanceOf(Problem.Unanswerable.class);
    }
  }

  @Test
  void whatFilesReferToIsThere() throws IOException {
    Map<String, String> sources = sources();
    TreeSet<String> wanted = new TreeSet<>();
    sources.forEach(
        (name, text) ->
            Stream.concat(
                    found("(?<=from ')\\./[^']+", text).stream(),
                    found("(?<=\")/dashboard/[^\"]+", text).stream())
                .map(reference -> reference.replaceAll(".*/", ""))
                .forEach(wanted::add));
    wanted.add("index.html");
    assertThat(wanted).isEqualTo(new TreeSet<>(sources.keySet()));
  }

  @Test
  void noTextBecomesMarkupOrCode() throws IOException {
    sources()
        .forEach(
            (name, text) ->
                assertThat(
                        found(
                            "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|DOMParser"
                                + "|createContextualFragment|\\beval\\(|new Function|setHTML"
                                + "|<style|<script>| style=| on[a-z]+=\"|javascript:",
                            text))
                    .as(name)
                    .isEmpty());
  }

  @Test
  void nothingComesFromElsewhere() throws IOException {
    sources()
        .forEach(
            (name, text) ->
                assertThat(
                        found(
                            "(https?:)?//[a-z0-9.-]+\\.[a-z]{2,}[^\\s'\"]*|@import|url\\((?!#)",
                            text))
                    .as(name)
                    .allMatch(each -> each.contains("www.w3.org/2000/svg")));
  }
}
