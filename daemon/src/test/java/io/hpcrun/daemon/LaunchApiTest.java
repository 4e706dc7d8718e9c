package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A launch in the API, from the spool on: its parts come in pages, and whole. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LaunchApiTest {
  private static final int NODES = 12;
  private static final ClusterFacts CLUSTER =
      new ClusterFacts("24.11.5", "pmix", Optional.empty(), "/spool", "/tmp", "", "amd64");
  private static final String ODD = ",\"odd\":{\"a\":[1e400,-0.0,\"\\u0000\\ud83d\\ude00\"]}}";

  @TempDir private Path directory;
  private Service service;
  private SocketHttp socket;
  private String page;
  private String launch;

  @BeforeEach
  void start() throws IOException, InterruptedException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path spool = Files.createDirectory(directory.resolve("spool"));
    Settings settings = LoopbackSettings.in(directory, spool);
    page = "http://" + settings.tcp().orElseThrow().listen();
    service = new Service(settings, () -> CLUSTER);
    service.start();
    socket = new SocketHttp(settings.socket());
    long uid = socket.get("/v1/me").json().path("uid").asLong();
    long begun = Records.at(10);
    for (int i = 0; i < NODES; i++) {
      String text = Records.node("7.0.0", uid, begun, "n" + i, i * 100, 100);
      put(spool.resolve("n" + i), text.replaceFirst("}\n", Matcher.quoteReplacement(ODD + "\n")));
    }
    put(spool.resolve("job"), Records.launch("7.0.0", uid, begun, "ended", NODES, 1200, ""));
    JsonNode found;
    do {
      Thread.sleep(20);
      found = socket.get("/v1/launches").json().path("launches").path(0);
      launch = "/v1/launches/" + found.path("id").asString("0");
    } while (!found.path("state").asString("").equals("ended")
        || socket.get(launch + "/nodes").json().path("nodes").size() < NODES);
  }

  /** Whole, as nodes do: the daemon looks already. */
  private void put(Path file, String text) throws IOException {
    Path partial = Files.writeString(directory.resolve("partial"), text);
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
  }

  @AfterEach
  void stop() {
    service.close();
  }

  private static List<JsonNode> list(JsonNode document, String member) {
    List<JsonNode> list = new ArrayList<>();
    document.path(member).forEach(list::add);
    return list;
  }

  @Test
  void aNodesRecordIsShownAsItIs() throws IOException {
    String body = socket.get(launch + "/nodes?node=n3").body();
    assertThat(body).contains(ODD).contains("\"node\":\"n3\",\"ranks\":100,\"mode\":\"join\"");
    assertThat(new JsonMapper().readTree(body).path("nodes")).hasSize(1);
  }

  @Test
  void nodesComeInPages() throws IOException {
    JsonNode first = socket.get(launch + "/nodes?limit=5").json();
    assertThat(list(first, "nodes")).hasSize(5);
    String after = first.path("next").asString();
    assertThat(after).isEqualTo("n2"); // by the bytes of names: n0, n1, n10, n11, n2
    JsonNode rest = socket.get(launch + "/nodes?after=" + after).json();
    assertThat(list(rest, "nodes")).hasSize(7);
    assertThat(rest.path("next").isMissingNode()).isTrue();
  }

  @Test
  void ranksComeInPagesOfWholeNodes() throws IOException {
    List<Integer> ranks = new ArrayList<>();
    int pages = 0;
    String after = "";
    do {
      JsonNode some = socket.get(launch + "/ranks?limit=250&after=" + after).json();
      assertThat(list(some, "ranks")).hasSize(300);
      some.path("ranks").forEach(rank -> ranks.add(rank.path("rank").asInt()));
      after = some.path("next").asString("");
      pages++;
    } while (!after.isEmpty());
    assertThat(pages).isEqualTo(4);
    assertThat(ranks).hasSize(1200).doesNotHaveDuplicates();
    assertThat(list(socket.get(launch + "/ranks").json(), "ranks")).hasSize(1200);
    assertThat(list(socket.get(launch + "/ranks?node=n4").json(), "ranks")).hasSize(100);
  }

  @Test
  void figuresOfNodesComeInPagesAndAreTheSameAsInTheLaunch() throws IOException {
    JsonNode whole = socket.get(launch).json();
    assertThat(whole.path("nodes_measured")).hasSize(NODES);
    assertThat(whole.path("nodes_next").isMissingNode()).isTrue();
    assertThat(whole.path("stages").path("run").path("count").asInt()).isEqualTo(1200);
    JsonNode first = socket.get(launch + "/stages?limit=8").json();
    JsonNode rest = socket.get(launch + "/stages?after=" + first.path("next").asString()).json();
    assertThat(first.path("nodes_measured")).hasSize(8);
    assertThat(rest.path("nodes_measured")).hasSize(4);
    assertThat(rest.path("next").isMissingNode()).isTrue();
    for (JsonNode some : List.of(first, rest)) {
      some.path("nodes_measured")
          .properties()
          .forEach(
              node ->
                  assertThat(node.getValue())
                      .isEqualTo(whole.path("nodes_measured").path(node.getKey())));
    }
  }

  @Test
  void answersArePackedForWhoTakesThem() throws Exception {
    String token = socket.post("/v1/tokens", "").json().path("token").asString();
    for (String path : List.of(launch + "/ranks", launch, launch + "/nodes")) {
      HttpResponse<byte[]> plain = ask(path, token, "identity;q=1, gzip;q=0");
      HttpResponse<byte[]> packed = ask(path, token, "br, gzip");
      assertThat(plain.headers().firstValue("Content-Encoding")).isEmpty();
      assertThat(packed.headers().firstValue("Content-Encoding")).contains("gzip");
      assertThat(packed.headers().firstValue("Vary")).contains("Accept-Encoding");
      assertThat(packed.body().length).isLessThan(plain.body().length / 3);
      try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed.body()))) {
        assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
            .isEqualTo(new String(plain.body(), StandardCharsets.UTF_8));
      }
    }
    assertThat(ask("/v1/version", token, "gzip").headers().firstValue("Content-Encoding"))
        .as("not worth it")
        .isEmpty();
  }

  private HttpResponse<byte[]> ask(String path, String token, String encodings) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create(page + path))
              .header("Authorization", "Bearer " + token)
              .header("Accept-Encoding", encodings)
              .build(),
          HttpResponse.BodyHandlers.ofByteArray());
    }
  }
}
