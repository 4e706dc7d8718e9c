package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.daemon.metrics.OpenMetricsText;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/** The API as clients see it, on its Unix socket and over TLS. */
class ApiTest {
  private static final ClusterFacts CLUSTER =
      new ClusterFacts("24.11.5", "pmix", Optional.empty(), "/spool", "/tmp", "", "amd64");
  private static final String PASSWORD = "changeit";

  @TempDir private static Path keys;
  private static KeyStore store;

  @TempDir private Path directory;
  private Service service;
  private SocketHttp socket;
  private HttpClient browser;
  private String page;

  @BeforeEach
  void start() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(null, trust.getTrustManagers(), null);
    browser = HttpClient.newBuilder().sslContext(tls).build();
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    page = "https://localhost:" + port + "/";
    Settings settings =
        new Settings(
            directory.resolve("hpcrund.sock"),
            directory.resolve("state"),
            null,
            null,
            null,
            new Settings.Limits(50, 100_000L, 5, 16, 8),
            null,
            Optional.of(
                new Settings.Tcp(
                    "localhost:" + port,
                    Optional.of(keys.resolve("certificate.pem")),
                    Optional.of(keys.resolve("key.pem")),
                    Optional.empty())));
    service = new Service(settings, () -> CLUSTER);
    service.start();
    service.awaitCluster();
    socket = new SocketHttp(settings.socket());
  }

  @AfterEach
  void stop() {
    service.close();
  }

  /** A certificate for localhost, made by the JDK's own keytool, and written as PEM. */
  @BeforeAll
  static void certificate() throws Exception {
    Path file = keys.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD)
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    store = KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
    pem("certificate.pem", "CERTIFICATE", store.getCertificate("a").getEncoded());
    pem("key.pem", "PRIVATE KEY", store.getKey("a", PASSWORD.toCharArray()).getEncoded());
  }

  private static void pem(String file, String what, byte[] content) throws IOException {
    Files.writeString(
        keys.resolve(file),
        "-----BEGIN %s-----%n%s%n-----END %s-----%n"
            .formatted(what, Base64.getMimeEncoder().encodeToString(content), what));
  }

  private int status(String path, String token) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(page + path));
    if (!token.isEmpty()) {
      request.header("Authorization", "Bearer " + token);
    }
    return browser.send(request.build(), BodyHandlers.discarding()).statusCode();
  }

  @Test
  void theKernelTellsWhoAsksAtTheSocket() throws IOException {
    JsonNode me = socket.get("/v1/me").json();
    assertThat(me.path("user").asString()).isEqualTo(System.getProperty("user.name"));
    assertThat(me.path("operator").asBoolean()).isEqualTo(me.path("uid").asLong() == 0);
  }

  @Test
  void overTcpOnlyATokenTellsWhoAsks() throws Exception {
    JsonNode given = socket.post("/v1/tokens", "").json();
    String token = given.path("token").asString();
    assertThat(given.path("url").asString()).isEqualTo(page + "#token=" + token);
    assertThat(status("v1/me", "")).isEqualTo(401);
    assertThat(status("v1/me", token.substring(1))).isEqualTo(401);
    assertThat(status("v1/me", token)).isEqualTo(200);
    assertThat(status("v1/launches", token)).isEqualTo(200);
  }

  @Test
  void thePageItselfIsForEverybodyAndHoldsNoData() throws Exception {
    assertThat(status("", "")).isEqualTo(200);
    assertThat(status("dashboard/app.js", "")).isEqualTo(200);
    assertThat(status("dashboard/..%2F..%2Flogback.xml", "")).isIn(400, 404);
    assertThat(status("v1/openapi.json", "")).isEqualTo(401);
  }

  @Test
  void aTokenGivesNoFurtherTokens() throws Exception {
    String token = socket.post("/v1/tokens", "").json().path("token").asString();
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(page + "v1/tokens"))
            .header("Authorization", "Bearer " + token)
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    assertThat(browser.send(request, BodyHandlers.discarding()).statusCode()).isEqualTo(403);
  }

  @Test
  void ofMoreThanTwentyTokensTheOldestEnds() throws Exception {
    String oldest = socket.post("/v1/tokens", "").json().path("token").asString();
    String next = socket.post("/v1/tokens", "").json().path("token").asString();
    for (int i = 0; i < 19; i++) {
      assertThat(socket.post("/v1/tokens", "").status()).isEqualTo(200);
    }
    assertThat(status("v1/me", oldest)).isEqualTo(401);
    assertThat(status("v1/me", next)).isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource({
    "/v1/nothing, 404",
    "/dashboard/nothing.js, 404",
    "/, 200",
    "/v1/launches/17, 404",
    "/v1/launches/x'y, 404",
    "/v1/launches?limit=0, 400",
    "/v1/launches?limit=many, 400",
    "/v1/launches?limit=99999999999999999999, 400",
    "/v1/launches?after=x, 400",
    "/v1/launches?state=gone, 400",
    "/v1/launches?since=-1, 400",
    "/v1/stages?group=colour, 400",
    "/v1/launches?user=%ZZ, 400",
    "/v1/tokens, 405",
    "/v1/launches?user=';drop table launch;--, 200",
  })
  void aQuestionThatHasNoAnswerIsAProblemWithARemedy(String path, int status) throws IOException {
    SocketHttp.Answer answer = socket.get(path.replace(" ", "%20"));
    assertThat(answer.status()).isEqualTo(status);
    if (status >= 400) {
      JsonNode problem = answer.json();
      assertThat(problem.path("status").asInt()).isEqualTo(status);
      assertThat(problem.path("detail").asString()).isNotEmpty();
      assertThat(problem.path("remedy").asString()).isNotEmpty();
    }
  }

  static Stream<Arguments> bodies() {
    return Stream.of(
        Arguments.of("", 400),
        Arguments.of("null", 400),
        Arguments.of("[]", 400),
        Arguments.of("{", 400),
        Arguments.of("{\"hpcrun\":\"0.0.1\"}", 400),
        Arguments.of("{\"hpcrun\":\"0.1.0\"}", 400),
        Arguments.of("{\"hpcrun\":\"0.1.0\",\"spec\":{},\"known\":{}}", 400),
        Arguments.of("{\"hpcrun\":\"0.1.0\",\"unknown\":1}", 400),
        Arguments.of("[".repeat(50_000), 400),
        Arguments.of("\"" + "x".repeat(200_000) + "\"", 413));
  }

  @ParameterizedTest
  @MethodSource("bodies")
  void aBodyThatIsNoRequestIsRefused(String body, int status) throws IOException {
    SocketHttp.Answer answer = socket.post("/v1/plan", body);
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
  }

  @Test
  void moreRequestsThanOneUserMaySendAreTurnedAway() throws IOException {
    int turnedAway = 0;
    for (int i = 0; i < 1000 && turnedAway == 0; i++) {
      turnedAway += socket.get("/v1/version").status() == 429 ? 1 : 0;
    }
    assertThat(turnedAway).isEqualTo(1);
  }

  private static int anonymous(HttpClient from, String page) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(page + "v1/version")).build();
    return from.send(request, BodyHandlers.discarding()).statusCode();
  }

  @Test
  void whoseTokenIsUnknownUsesUpNobodyElsesRequests() throws Exception {
    SSLContext tls = browser.sslContext();
    HttpClient.Builder builder = HttpClient.newBuilder().sslContext(tls);
    try (HttpClient greedy = builder.localAddress(InetAddress.ofLiteral("127.0.0.1")).build();
        HttpClient other = builder.localAddress(InetAddress.ofLiteral("127.0.0.2")).build()) {
      int status = 0;
      for (int i = 0; i < 1000 && status != 429; i++) {
        status = anonymous(greedy, page);
      }
      assertThat(status).isEqualTo(429);
      assertThat(anonymous(other, page)).isNotEqualTo(429);
      assertThat(socket.get("/v1/version").status()).isEqualTo(200);
    }
  }

  @Test
  void whatIsNoHttpIsTurnedAwayAndHarmsNobody() throws IOException {
    assertThat(socket.raw("\0\1\2 hello\r\n\r\n").status()).isEqualTo(400);
    assertThat(socket.raw("GET /" + "x".repeat(20_000) + " HTTP/1.0\r\n\r\n").status())
        .isEqualTo(414);
    assertThat(socket.get("/v1/version").status()).isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource({
    "GET /v1/%2e%2e/me HTTP/1.0, 400",
    "GET //v1/me HTTP/1.0, 400",
    "'GET //v1/me HTTP/1.0\r\nHost: x', 400",
    "GET /v1/%00 HTTP/1.0, 400",
    "PUT //v1/me HTTP/1.0, 400",
    "hello, 400"
  })
  void whatJettyRefusesIsAProblemTooAndIsNotLogged(String request, int status) throws IOException {
    refusedByJetty(request, status);
  }

  @Test
  void aHeaderThatIsTooLongIsAProblem() throws IOException {
    refusedByJetty("GET /v1/me HTTP/1.0\r\nX-Long: " + "x".repeat(20_000), 431);
  }

  private void refusedByJetty(String request, int status) throws IOException {
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    root.addAppender(log);
    SocketHttp.Answer answer = socket.raw(request + "\r\n\r\n");
    root.detachAppender(log);
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.json().path("status").asInt()).isEqualTo(status);
    assertThat(answer.json().path("remedy").asString()).isNotEmpty();
    assertThat(log.list).isEmpty();
  }

  @Test
  void aNumberOfAJobHasNoFraction() throws IOException {
    String path = "/v1/images/" + "a".repeat(64) + "/jobs";
    assertThat(socket.post(path, "{\"job\":1}").status()).isEqualTo(404);
    assertThat(socket.post(path, "{\"job\":1.5}").status()).isEqualTo(400);
    assertThat(socket.post(path, "{\"job\":1e1}").status()).isEqualTo(400);
  }

  @Test
  void everyAnswerIsAsTheOpenApiDocumentSays() throws IOException {
    JsonNode document = socket.get("/v1/openapi.json").json();
    assertThat(document.path("openapi").asString()).startsWith("3.1");
    for (String path :
        List.of(
            "/v1/version",
            "/v1/me",
            "/v1/cluster",
            "/v1/launches",
            "/v1/stages",
            "/v1/health/live")) {
      JsonNode schema =
          document
              .path("paths")
              .path(path)
              .path("get")
              .path("responses")
              .path("200")
              .path("content")
              .path("application/json")
              .path("schema");
      assertThat(schema.isMissingNode()).as(path).isFalse();
      SchemaCheck.check(path, document, schema, socket.get(path).json());
    }
  }

  @Test
  void metricsAreInTheOpenMetricsFormat() throws IOException {
    String text = socket.get("/metrics").body();
    assertThat(OpenMetricsText.read(text).families())
        .contains("hpcrund_plans", "hpcrund_launch_ends");
  }

  @Test
  void aReloadChangesWhoIsAnOperatorAndDropsNoRequest() throws IOException {
    Map<String, Object> before = Map.of("me", socket.get("/v1/me").json());
    service.reload(Settings.defaults());
    assertThat(Map.of("me", socket.get("/v1/me").json())).isEqualTo(before);
  }
}
