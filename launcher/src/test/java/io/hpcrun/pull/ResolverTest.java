package io.hpcrun.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ResolverTest {
  @TempDir private Path directory;
  private FakeRegistry registry;
  private Resolver resolver;

  @BeforeEach
  void start() throws IOException {
    registry = new FakeRegistry();
    resolver = resolver(Login.NONE, Duration.ofSeconds(30));
  }

  @AfterEach
  void stop() {
    resolver.close();
    registry.close();
  }

  private static Resolver resolver(Login login, Duration limit) {
    return new Resolver(
        login,
        InsecureHosts.LOOPBACK,
        AllowedSources.ALL,
        new WebClient(InsecureHosts.LOOPBACK, Map.of("http_proxy", "nowhere:1"), limit));
  }

  private Resolved resolve(String name) {
    return resolver.resolve(ImageSource.parse("docker://" + registry.host() + "/" + name), "amd64");
  }

  private PullFailure failure(String name) {
    return catchThrowableOfType(PullFailure.class, () -> resolve(name));
  }

  private String index(String... manifests) {
    return "{\"manifests\":[" + String.join(",", manifests) + "]}";
  }

  private static String entry(String digest, String architecture) {
    return "{\"digest\":\"%s\",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}"
        .formatted(digest, architecture);
  }

  @Test
  void anIndexIsResolvedToTheManifestOfTheArchitecture() {
    String arm = registry.image("app", "arm", "arm64");
    String intel = registry.image("app", "intel", "amd64");
    registry.manifest("app", "1", index(entry(arm, "arm64"), entry(intel, "amd64")));
    Resolved resolved = resolve("app:1");
    assertThat(resolved.pin()).contains(intel);
    assertThat(resolved.bytes()).isEqualTo(123);
    assertThat(resolve("app:intel").key()).isEqualTo(resolved.key());
  }

  @Test
  void aNameThatHasNotMovedCostsOneSmallRequest() {
    registry.image("app", "1", "amd64");
    Resolved first = resolve("app:1");
    registry.asked.clear();
    assertThat(resolve("app:1")).isEqualTo(first);
    assertThat(registry.asked).containsExactly("HEAD /v2/app/manifests/1");
  }

  @Test
  void aNameThatHasMovedIsResolvedAnew() {
    String old = registry.image("app", "1", "amd64");
    assertThat(resolve("app:1").pin()).contains(old);
    String config = registry.blob("app", "{\"architecture\":\"amd64\",\"new\":1}");
    String moved =
        registry.manifest("app", "1", "{\"config\":{\"digest\":\"" + config + "\"},\"layers\":[]}");
    assertThat(resolve("app:1").pin()).contains(moved);
  }

  @Test
  void theArchitectureIsCheckedBeforeAnythingIsPulled() {
    registry.image("app", "1", "arm64");
    PullFailure single = failure("app:1");
    assertThat(single.kind()).isEqualTo(Kind.WRONG_ARCHITECTURE);
    assertThat(single.getMessage()).contains("not for amd64").contains("arm64");
    registry.manifest("app", "2", index(entry("x", "arm64"), entry("y", "s390x")));
    assertThat(failure("app:2").getMessage()).contains("arm64, s390x");
  }

  @Test
  void anUnknownNameIsSaidToBe() {
    assertThat(failure("none:1").kind()).isEqualTo(Kind.UNKNOWN);
  }

  @Test
  void anImageThatIsNotForEverybodyNeedsCredentials() {
    registry.on(
        "/v2/app/manifests/1",
        exchange -> {
          exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"r\"");
          FakeRegistry.send(exchange, 401, new byte[0]);
        });
    assertThat(failure("app:1").kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
    registry.on("/v2/app/manifests/2", 403, "");
    assertThat(failure("app:2").kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
  }

  /** Serves app:1 to who has the token of this machine's token server. */
  private void withTokens(String realm) {
    String digest = registry.image("app", "1", "amd64");
    for (String path : new String[] {"manifests/1", "manifests/" + digest}) {
      registry.on(
          "/v2/app/" + path,
          exchange -> {
            if ("Bearer t1".equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
              FakeRegistry.send(
                  exchange,
                  200,
                  "{\"config\":{\"digest\":\"%s\"},\"layers\":[]}"
                      .formatted(registry.blob("app", "{\"architecture\":\"amd64\"}"))
                      .getBytes(java.nio.charset.StandardCharsets.UTF_8));
              return;
            }
            exchange
                .getResponseHeaders()
                .add("WWW-Authenticate", "Bearer realm=\"%s\",service=\"s p\"".formatted(realm));
            FakeRegistry.send(exchange, 401, new byte[0]);
          });
    }
  }

  @Test
  void anonymousTokensAreFetched() {
    withTokens("http://" + registry.host() + "/token");
    registry.on("/token", 200, "{\"token\":\"t1\"}");
    assertThat(resolve("app:1").architecture()).isEqualTo("amd64");
    assertThat(registry.asked).contains("GET /token?service=s+p&scope=repository%3Aapp%3Apull");
  }

  @Test
  void aRegistryCannotSendForTokensToOtherMachinesWithoutTls() {
    withTokens("http://127.0.0.2:1/latest/meta-data");
    assertThat(failure("app:1").getMessage()).contains("without TLS");
  }

  @Test
  void tokensWithLineEndsAreNotSentOn() {
    withTokens("http://" + registry.host() + "/token");
    registry.on("/token", 200, "{\"token\":\"t1\\r\\nHost: x\"}");
    assertThat(failure("app:1").kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
  }

  @ParameterizedTest
  @ValueSource(strings = {".apptainer/docker-config.json", ".docker/config.json"})
  void aUsersLoginIsSentToItsRegistry(String file) throws IOException {
    Files.createDirectory(directory.resolve(file).getParent());
    Files.writeString(
        directory.resolve(file),
        "{\"auths\":{\"%s\":{\"auth\":\"dTpw\"}}}".formatted(registry.host()));
    String digest = registry.image("app", "1", "amd64");
    FakeRegistry.Handler open =
        exchange -> {
          boolean known =
              "Basic dTpw".equals(exchange.getRequestHeaders().getFirst("Authorization"));
          exchange.getResponseHeaders().add("WWW-Authenticate", "Basic realm=\"r\"");
          exchange.getResponseHeaders().add("Docker-Content-Digest", digest);
          FakeRegistry.send(
              exchange,
              known ? 200 : 401,
              known
                  ? "{\"config\":{\"digest\":\"%s\"},\"layers\":[{\"size\":100},{\"size\":23}]}"
                      .formatted(registry.blob("app", "{\"architecture\":\"amd64\"}"))
                      .getBytes(java.nio.charset.StandardCharsets.UTF_8)
                  : new byte[0]);
        };
    registry.on("/v2/app/manifests/1", open);
    registry.on("/v2/app/manifests/" + digest, open);
    assertThat(failure("app:1").kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
    try (Resolver own =
        resolver(Login.of(Map.of("HOME", directory.toString())), Duration.ofSeconds(30))) {
      Resolved resolved =
          own.resolve(ImageSource.parse("docker://" + registry.host() + "/app:1"), "amd64");
      assertThat(resolved.pin()).contains(digest);
    }
  }

  private static final Map<String, String> LOGIN =
      Map.of(
          "HOME",
          "/nowhere",
          "APPTAINER_DOCKER_USERNAME",
          "alice",
          "APPTAINER_DOCKER_PASSWORD",
          "secret");

  private PullFailure failureWithLogin() {
    try (Resolver own = resolver(Login.of(LOGIN), Duration.ofSeconds(5))) {
      return catchThrowableOfType(
          PullFailure.class,
          () -> own.resolve(ImageSource.parse("docker://" + registry.host() + "/app:1"), "amd64"));
    }
  }

  /** Asks whoever comes for a login, at a token server that would be given it. */
  private static FakeRegistry.Handler challenge(String realm, List<String> heard) {
    return exchange -> {
      heard.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
      exchange.getResponseHeaders().add("WWW-Authenticate", realm);
      FakeRegistry.send(exchange, 401, new byte[0]);
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"Basic realm=\"r\"", "Bearer realm=\"https://THIEF/token\""})
  void whomARegistrySendsToIsNotGivenTheLogin(String challenge) throws IOException {
    try (FakeRegistry other = new FakeRegistry();
        ServerSocket thief = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      List<String> heard = new CopyOnWriteArrayList<>();
      registry.on(
          "/v2/app/manifests/1",
          exchange -> {
            exchange.getResponseHeaders().add("Location", "http://" + other.host() + "/x");
            FakeRegistry.send(exchange, 307, new byte[0]);
          });
      other.on(
          "/x", challenge(challenge.replace("THIEF", "127.0.0.1:" + thief.getLocalPort()), heard));
      assertThat(failureWithLogin().kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
      assertThat(heard).containsExactly("null");
      thief.setSoTimeout(100);
      assertThatThrownBy(thief::accept).isInstanceOf(SocketTimeoutException.class);
    }
  }

  @Test
  void theRegistryThatTheUserNamedAndItsOwnTokenServerAreGivenTheLogin() {
    List<String> heard = new CopyOnWriteArrayList<>();
    String realm = "Bearer realm=\"http://%s/token\"".formatted(registry.host());
    registry.on("/v2/app/manifests/1", challenge(realm, heard));
    registry.on("/token", challenge("Basic", heard));
    assertThat(failureWithLogin().kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
    assertThat(heard).containsExactly("null", "Basic YWxpY2U6c2VjcmV0");
  }

  @Test
  void aTokenServerWithoutTlsIsNotGivenTheLogin() throws IOException {
    try (FakeRegistry other = new FakeRegistry()) {
      List<String> heard = new CopyOnWriteArrayList<>();
      String realm = "Bearer realm=\"http://%s/token\"".formatted(other.host());
      registry.on("/v2/app/manifests/1", challenge(realm, heard));
      assertThat(failureWithLogin().getMessage()).contains("without TLS");
      assertThat(other.asked).isEmpty();
    }
  }

  @Test
  void whomATokenServerSendsToIsNotGivenTheLogin() throws IOException {
    try (FakeRegistry other = new FakeRegistry()) {
      List<String> heard = new CopyOnWriteArrayList<>();
      String realm = "Bearer realm=\"http://%s/token\"".formatted(registry.host());
      registry.on("/v2/app/manifests/1", challenge(realm, heard));
      registry.on(
          "/token",
          exchange -> {
            exchange.getResponseHeaders().add("Location", "http://" + other.host() + "/x");
            FakeRegistry.send(exchange, 307, new byte[0]);
          });
      other.on("/x", challenge("Basic", heard));
      assertThat(failureWithLogin().kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
      assertThat(heard).containsExactly("null", "null");
    }
  }

  @Test
  void aManifestThatIsNotTheOneOfItsDigestIsRefused() {
    String digest = registry.image("app", "1", "amd64");
    registry.on("/v2/app/manifests/" + digest, 200, "{\"config\":{},\"layers\":[]}");
    assertThat(failure("app:1").kind()).isEqualTo(Kind.BROKEN);
  }

  @Test
  void whatIsNoManifestIsRefused() {
    for (String text : new String[] {"", "[]", "{}", "{\"manifests\":{}}", "{\"layers\":1}"}) {
      registry.manifest("odd", "1", text);
      assertThat(failure("odd:1").kind()).as(text).isEqualTo(Kind.BROKEN);
    }
  }

  @Test
  void aRegistryThatHangsIsGivenUp() {
    registry.on("/v2/app/manifests/1", exchange -> {});
    resolver.close();
    resolver = resolver(Login.NONE, Duration.ofMillis(300));
    assertThat(failure("app:1").kind()).isEqualTo(Kind.TOO_SLOW);
  }

  @Test
  void aRegistryThatIsNotThereIsSaidToBe() {
    registry.close();
    PullFailure failure = failure("app:1");
    assertThat(failure.kind()).isEqualTo(Kind.UNREACHABLE);
    assertThat(failure.getMessage()).contains(registry.host());
  }

  @Test
  void credentialsDoNotFollowARedirectionToAnotherHost() throws IOException {
    try (FakeRegistry other = new FakeRegistry();
        WebClient web = new WebClient(InsecureHosts.LOOPBACK, Map.of())) {
      String[] sent = new String[2];
      registry.on(
          "/from",
          exchange -> {
            sent[0] = exchange.getRequestHeaders().getFirst("Authorization");
            exchange.getResponseHeaders().add("Location", "http://" + other.host() + "/to");
            FakeRegistry.send(exchange, 307, new byte[0]);
          });
      other.on(
          "/to",
          exchange -> {
            sent[1] = exchange.getRequestHeaders().getFirst("Authorization");
            FakeRegistry.send(exchange, 200, new byte[] {1});
          });
      WebClient.close(
          web.ask(
              "GET",
              java.net.URI.create("http://" + registry.host() + "/from"),
              Map.of("Authorization", "Bearer secret")));
      assertThat(sent).containsExactly("Bearer secret", null);
    }
  }

  @Test
  void aRedirectionToAnAddressWithoutTlsIsNotFollowed() {
    registry.on(
        "/v2/app/manifests/1",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "http://192.0.2.1/x");
          FakeRegistry.send(exchange, 302, new byte[0]);
        });
    assertThat(failure("app:1").getMessage()).contains("without TLS");
  }
}
