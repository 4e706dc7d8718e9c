package io.hpcrun.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.image.UnpackedFiles;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AllowedSourcesTest {
  private static final AllowedSources SITE =
      new AllowedSources(
          List.of(
              "docker://registry.site/group/",
              "library://library.site/",
              "library://group/",
              "https://Site.org:443/pub/",
              "https://whole.org/",
              "/shared/images/"));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "docker://registry.site/group/app:1",
        "library://library.site/a/b/c:1",
        "library://group/b/c",
        "https://site.org/pub/a.sif",
        "https://SITE.org/pub/deep/a.sif",
        "https://site.org:443/pub/a.sif",
        "https://site.org/other/../pub/a.sif",
        "https://site.org/%70ub/a%20b.sif",
        "https://whole.org/x%2Fy/a.sif",
        "/shared/images/a.sif",
        "/shared/../shared/images/a.sif"
      })
  void whatBeginsSoIsAllowedHoweverItIsWritten(String source) {
    assertThat(SITE.allow(ImageSource.parse(source))).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "docker://registry.site/groups/app",
        "docker://registry.site.elsewhere/group/app",
        "oras://registry.site/group/app",
        "library://library.site/b/c",
        "library://group/a/b/c",
        "https://site.org/pub",
        "https://site.org/public/a.sif",
        "https://site.org/pub/../secret/a.sif",
        "https://site.org/pub/%2e%2e/secret/a.sif",
        "https://site.org/pub/.%2E/secret/a.sif",
        "https://site.org/pub/x/../../secret/a.sif",
        "https://site.org/pub/..%2fsecret/a.sif",
        "https://site.org/pub/..%5Csecret/a.sif",
        "https://site.org/pub/%252e%252e/secret/a.sif",
        "https://site.org/pub/..;/secret/a.sif",
        "https://site.org:8443/pub/a.sif",
        "https://site.org.elsewhere/pub/a.sif",
        "https://site.org/../pub/../a.sif",
        "/shared/images/../secret.sif",
        "/shared/imagesx/a.sif"
      })
  void noWayLeadsOutOfABeginning(String source) {
    assertThat(SITE.allow(ImageSource.parse(source))).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "https://S.org, https://s.org/",
    "https://s.org/a/./b/../c/, https://s.org/a/c/",
    "https://s.org/a/.., https://s.org/",
    "https://s.org/../../x, https://s.org/x",
    "https://s.org/%7Ea%2fb?q=%2e, https://s.org/~a%2fb?q=%2e",
    "https://s.org//x, https://s.org//x",
    "https://[::1]:443/x, https://[::1]/x"
  })
  void anAddressIsWrittenTheOneWay(String written, String normal) {
    assertThat(WebAddress.normal(URI.create(written))).hasToString(normal);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "docker://",
        "https://",
        "/",
        "docker://registry.site/",
        "https://s.org:8443/a/b/",
        "/a/b/"
      })
  void beginningsEndWithASlash(String text) {
    assertThat(AllowedSources.isBeginning(text)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "docker://registry.site",
        "http://s.org/",
        "https://s.org",
        "https://s.org/a/../",
        "https://s.org/%2e/",
        "https://u:p@s.org/",
        "/a/../b/",
        "shared/"
      })
  void otherTextsAreNone(String text) {
    assertThat(AllowedSources.isBeginning(text)).isFalse();
  }

  /** Asks for a file of a server that sends to another address, which may or may not be allowed. */
  private static PullFailure redirected(String to) throws IOException {
    try (FakeRegistry server = new FakeRegistry();
        FakeRegistry other = new FakeRegistry()) {
      String target =
          to.replace("SAME", server.host()).replace("OTHER", other.host()).replace("_", "http:");
      server.on(
          "/pub/a.sif",
          exchange -> {
            exchange.getResponseHeaders().add("Location", target);
            FakeRegistry.send(exchange, 302, new byte[0]);
          });
      for (String path : List.of("/pub/b.sif", "/secret")) {
        server.on(path, 200, "x");
        other.on(path, 200, "x");
      }
      AllowedSources sources = new AllowedSources(List.of("http://" + server.host() + "/pub/"));
      ImageSource.Web source =
          new ImageSource.Web(URI.create("http://" + server.host() + "/pub/a.sif"));
      PullFailure failure;
      try (Resolver resolver =
          new Resolver(
              Login.NONE,
              InsecureHosts.LOOPBACK,
              sources,
              new WebClient(InsecureHosts.LOOPBACK, Map.of()))) {
        failure = catchThrowableOfType(PullFailure.class, () -> resolver.resolve(source, "amd64"));
      }
      assertThat(other.asked).isEmpty();
      assertThat(server.asked).noneMatch(asked -> asked.contains("secret"));
      assertThat(fetched(source, sources).kind())
          .isEqualTo(failure == null ? Kind.BROKEN : failure.kind());
      assertThat(other.asked).isEmpty();
      assertThat(server.asked).noneMatch(asked -> asked.contains("secret"));
      return failure;
    }
  }

  /** What is said of the file, which is no image even where it comes. */
  private static PullFailure fetched(ImageSource source, AllowedSources sources)
      throws IOException {
    java.nio.file.Path work = java.nio.file.Files.createTempDirectory("work");
    try (Fetcher fetcher =
        Fetcher.anonymous(
            InsecureHosts.LOOPBACK,
            Map.of(),
            Fetcher.Limits.of(Duration.ofSeconds(30), 1 << 20).with(sources))) {
      Resolved resolved = new Resolved(source, "amd64", Optional.empty(), 0, Optional.empty());
      return catchThrowableOfType(
          PullFailure.class, () -> fetcher.fetch(resolved, work, (stage, done) -> {}));
    } finally {
      UnpackedFiles.remove(work);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "_//OTHER/pub/b.sif",
        "//OTHER/pub/b.sif",
        "_//SAME/secret",
        "../secret",
        "/pub/%2e%2e/secret"
      })
  void aServerCannotSendOutOfTheAllowedSources(String to) throws IOException {
    assertThat(redirected(to).kind()).isEqualTo(Kind.FORBIDDEN);
  }

  @Test
  void aServerMaySendToAnotherAllowedAddress() throws IOException {
    assertThat(redirected("/pub/b.sif")).isNull();
  }
}
