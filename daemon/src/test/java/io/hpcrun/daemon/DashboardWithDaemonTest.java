package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.daemon.dashboard.Browser;
import io.hpcrun.daemon.dashboard.SharedBrowser;
import io.hpcrun.daemon.dashboard.Tab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The whole way: records in the spool, the daemon, its dashboard in a browser. */
class DashboardWithDaemonTest {
  private static final ClusterFacts CLUSTER =
      new ClusterFacts("24.11.5", "pmix", Optional.empty(), "/spool", "/tmp", "", "amd64");
  private static final String HOSTILE = "<img src=x onerror='window.harmed=1'>";

  @RegisterExtension static final SharedBrowser BROWSER = new SharedBrowser();

  @TempDir private Path directory;
  private Path spool;
  private Service service;
  private SocketHttp socket;
  private Tab tab;

  @BeforeEach
  void start() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    spool = Files.createDirectory(directory.resolve("spool"));
    Settings settings = LoopbackSettings.in(directory, spool);
    service = new Service(settings, () -> CLUSTER);
    service.start();
    socket = new SocketHttp(settings.socket());
    tab = BROWSER.tab();
  }

  @AfterEach
  void stop() {
    tab.close();
    service.close();
  }

  private void spool(String name, String record) throws IOException {
    Path file = Files.writeString(spool.resolve(".tmp." + name), record);
    Files.move(file, spool.resolve("lab." + name + ".jsonl"));
  }

  /** The number of the only launch, once it and its nodes are in the store. */
  private String stored(int nodes) throws IOException {
    JsonNode[] launch = new JsonNode[1];
    Browser.waitUntil(
        () -> {
          launch[0] = socket.get("/v1/launches").json().path("launches").path(0);
          return launch[0].path("state").asString("").equals("ended")
              && socket
                      .get("/v1/launches/" + launch[0].path("id").asString() + "/nodes")
                      .json()
                      .path("nodes")
                      .size()
                  == nodes;
        },
        () -> "the records were not taken in: " + launch[0]);
    return launch[0].path("id").asString();
  }

  @Test
  void recordsInTheSpoolAreSeenInTheBrowser() throws IOException {
    long uid = socket.get("/v1/me").json().path("uid").asLong();
    long begun = Records.at(10);
    spool(
        "7.0.0.job",
        Records.launch(
            "7.0.0",
            uid,
            begun,
            "ended",
            2,
            64,
            ",\"image\":\"" + HOSTILE + "\",\"command\":\"solver\""));
    spool("7.0.0.n0", Records.node("7.0.0", uid, begun, "n0", 0, 32));
    spool("7.0.0.n1", Records.node("7.0.0", uid, begun, "n1", 32, 32));
    String id = stored(2);
    tab.load(socket.post("/v1/tokens", "").json().path("url").asString());
    assertThat(tab.text()).contains("7.0.0", "ended, exit 0", HOSTILE, "solver");
    for (String view :
        List.of(
            "#/launches/" + id,
            "#/launches/" + id + "/nodes/n1",
            "#/stages",
            "#/stages?group=image&stage=hold",
            "#/nodes")) {
      tab.go(view);
      assertThat(tab.evaluate("document.querySelectorAll('main tbody tr').length").asInt())
          .as(view)
          .isPositive();
      assertThat(tab.text()).as(view).doesNotContain("Not possible", "undefined", "NaN", "[object");
    }
    tab.go("#/launches/" + id + "/nodes/n1");
    assertThat(tab.text()).contains("32 ranks, 0 stragglers", "apptainer version 1.4.5");
    tab.go("#/launches?node=n1&state=ended");
    assertThat(tab.text()).contains("7.0.0");
    assertThat(tab.evaluate("typeof window.harmed").asString()).isEqualTo("undefined");
    assertThat(tab.complaints()).isEmpty();
    tab.go("#/images");
    assertThat(tab.text()).contains("this site's hpcrund keeps no images");
    tab.go("#/launches/4711");
    assertThat(tab.text()).contains("not found (status 404)", "What to do:");
  }

  @Test
  void withoutATokenThePageComesAndTellsHowToGetOne() throws IOException {
    String page = socket.post("/v1/tokens", "").json().path("url").asString().replaceAll("#.*", "");
    tab.load(page);
    assertThat(tab.text()).contains("hpcrun dashboard");
    assertThat(
            tab.evaluate("fetch('/').then((r) => r.headers.get('Content-Security-Policy'))")
                .asString())
        .startsWith("default-src 'self'; object-src 'none'");
  }
}
