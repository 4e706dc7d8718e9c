package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hpcrun.daemon.dashboard.Browser;
import io.hpcrun.daemon.dashboard.Tab;
import io.hpcrun.daemon.metrics.OpenMetricsText;
import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabDaemon;
import io.hpcrun.lab.LabRegistry;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * From an image in a registry to its launch in a browser: hpcrun run, the nodes' records, hpcrund,
 * its dashboard over TLS. What the page shows is what {@code hpcrun timing} prints.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DashboardWalkIT {
  private static final JsonMapper JSON = new JsonMapper();
  private static final Path PICTURES =
      Path.of(System.getProperty("hpcrun.root"), "integration-tests", "target", "dashboard");
  private static final String IMAGE = "docker://" + LabRegistry.OPEN + "/walk:1";
  private static final String IMAGES = "/home/hpcrund/images";
  private static final String TLS = "/home/hpcrund/tls";

  /** Rank 5 is slow on purpose. */
  private static final String PROGRAM = "[ \"$SLURM_PROCID\" = 5 ] && sleep 3; sleep 1; hostname";

  private static final Pattern LAUNCH = Pattern.compile("(?m)^launch (\\d+)\\.0\\.0 ");
  private static final String DURATION = "(\\d[\\d.]* (?:us|ms|s)|\\d+ min \\d+ s)";
  private static final Pattern ROW =
      Pattern.compile("(\\S*) +(\\S+) +(\\d+) +%s +%s +%s +%s  .*".replace("%s", DURATION));

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login root = lab.as("root", LabCluster.LOGIN_NODE);
  private final Login alice = lab.alice().with("HPCRUN_SPOOL", LabDaemon.SPOOL);
  private final LabDaemon daemon = new LabDaemon(lab);
  private LabRegistry registry;
  private Browser browser;
  private Tab tab;
  private String job;
  private String id;

  @BeforeAll
  void walk(@TempDir Path profile) throws IOException {
    Optional<Path> chromium = Browser.binary();
    assumeTrue(chromium.isPresent(), "there is no Chromium on the PATH: apt install chromium");
    registry = new LabRegistry(lab);
    String address = root.run("hostname", "-i").succeeded().output().strip();
    certify(address);
    daemon.settings(
        LabDaemon.settings()
            + "  images: {directory: %s}%n".formatted(IMAGES)
            + "  tcp: {listen: '%s:8443', certificate: %s/cert.pem, key: %s/key.pem}%n"
                .formatted(address, TLS, TLS));
    daemon.start();
    registry.push("walk", "1", 2_000, "amd64");
    earlierLaunches();
    Outcome run =
        alice.run(
            "hpcrun",
            "run",
            "-N",
            "2",
            "-n",
            "12",
            "--sbatch=--overcommit",
            IMAGE,
            "--",
            "sh",
            "-c",
            PROGRAM);
    assertThat(run.succeeded().lines()).hasSize(12).contains("c1", "c2");
    Matcher launch = LAUNCH.matcher(run.error());
    assertThat(launch.find()).as("a launch in the timing of %s", run).isTrue();
    job = launch.group(1);
    id = stored();
    browser =
        new Browser(
            chromium.get(),
            profile,
            "--ignore-certificate-errors",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE " + address);
    tab = browser.tab();
    tab.systemColours("light");
    tab.load(alice.run("hpcrun", "dashboard").succeeded().output().strip());
  }

  private void certify(String address) {
    root.bash(
            """
            set -e
            mkdir -p "$1"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=login \
              -addext "subjectAltName=IP:$2" -keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
            chown -R hpcrund "$1"
            """,
            TLS,
            address)
        .succeeded();
  }

  /** What else a list of launches has. */
  private void earlierLaunches() {
    String openmpi = lab.image("hello-openmpi");
    String tiny = lab.image("tiny");
    alice.run("hpcrun", "run", "-N", "2", "-n", "4", openmpi, "--", "hello-mpi").succeeded();
    alice.run("hpcrun", "run", "--mode=exec", tiny, "--", "true").succeeded();
    assertThat(alice.run("hpcrun", "run", tiny, "--", "sh", "-c", "exit 7").exitCode())
        .isEqualTo(7);
    Jobs jobs = new Jobs(alice);
    jobs.awaitEnd(jobs.submit("--array=1-3", tiny, "--", "true"));
  }

  @AfterAll
  void stop() {
    if (browser != null) {
      browser.close();
    }
    daemon.close();
    if (registry != null) {
      registry.close();
      root.run("rm", "-rf", IMAGES, TLS).succeeded();
    }
  }

  private JsonNode ask(String path) {
    return JSON.readTree(daemon.ask(alice, path).succeeded().out());
  }

  /** The number of the launch, once all its records are in the store. */
  private String stored() {
    String[] found = new String[1];
    Jobs.await(
        "the launch is in the store, whole",
        () -> {
          JsonNode launch = ask("/v1/launches?state=ended&job=" + job).path("launches").path(0);
          found[0] = launch.path("id").asString("");
          return !found[0].isEmpty()
              && ask("/v1/launches/" + found[0] + "/nodes").path("nodes").size() == 2;
        });
    return found[0];
  }

  /** The rows of the table that {@code hpcrun timing} prints: its stage, node and figures. */
  private List<List<String>> printed() {
    List<List<String>> rows = new ArrayList<>();
    String stage = "";
    for (String line : alice.run("hpcrun", "timing", job).succeeded().lines()) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        stage = row.group(1).isEmpty() ? stage : row.group(1);
        rows.add(
            List.of(
                stage,
                row.group(2),
                row.group(3),
                shown(row.group(4)),
                shown(row.group(5)),
                shown(row.group(6)),
                shown(row.group(7))));
      }
    }
    return rows;
  }

  /** As the page writes a duration. */
  private static String shown(String printed) {
    return printed.replace("us", "µs");
  }

  /** The cells of a table's rows, as they are read. */
  private List<List<String>> table(String caption) {
    return tab.evaluate(
            """
            [...[...document.querySelectorAll('table')].find((t) => t.caption?.textContent.startsWith('%s')).tBodies[0].rows]
              .map((row) => [...row.cells].map((cell) => cell.innerText.split('\\n')[0].trim()))
            """
                .formatted(caption))
        .valueStream()
        .map(row -> row.valueStream().map(JsonNode::asString).toList())
        .toList();
  }

  @Test
  void theListShowsTheLaunchWithTheModeThatReallyRan() {
    tab.go("#/launches");
    List<List<String>> rows = table("Launches");
    assertThat(rows)
        .filteredOn(row -> row.getFirst().equals(job + ".0.0"))
        .singleElement()
        .satisfies(
            row ->
                assertThat(row)
                    .contains("ended, exit 0", "alice", "walk:1", "sh", "2", "12", "main", "join"));
    assertThat(rows).anySatisfy(row -> assertThat(row).contains("exec"));
    assertThat(rows).anySatisfy(row -> assertThat(row).contains("failed, exit 7"));
    assertThat(rows).allSatisfy(row -> assertThat(row).doesNotContain("auto", "auto (planned)"));
    assertThat(tab.complaints()).isEmpty();
  }

  @Test
  void theStagesAreThoseThatTheCommandPrints() {
    tab.go("#/launches/" + id);
    assertThat(tab.text()).contains(IMAGE, IMAGES + "/sha256/");
    List<List<String>> overall =
        printed().stream()
            .filter(row -> row.get(1).equals("all") || row.get(1).equals("-"))
            .map(
                row ->
                    List.of(row.get(0), row.get(2), row.get(3), row.get(4), row.get(5), row.get(6)))
            .toList();
    System.out.println("hpcrun timing: " + overall);
    List<List<String>> seen =
        table("How long each stage took").stream()
            .map(row -> row.subList(0, 6))
            .map(
                row ->
                    List.of(row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5)))
            .toList();
    System.out.println("dashboard:     " + seen);
    assertThat(overall)
        .extracting(List::getFirst)
        .contains("queue", "prepare", "spawn", "bind", "run");
    assertThat(seen).isEqualTo(overall);
    assertThat(tab.complaints()).isEmpty();
  }

  @Test
  void theNodesAreThoseThatTheCommandPrints() {
    tab.go("#/launches/" + id);
    List<String> titles =
        tab.evaluate(
                "[...document.querySelectorAll('table')].find((t) =>"
                    + " t.caption?.textContent.startsWith('How long each node took')).tHead.innerText"
                    + ".split('\\t').map((each) => each.replace(', slowest rank', '').trim())")
            .valueStream()
            .map(JsonNode::asString)
            .toList();
    for (List<String> row : table("How long each node took")) {
      for (int i = 2; i < titles.size(); i++) {
        String stage = titles.get(i);
        assertThat(row.get(i))
            .as("%s of %s", stage, row.getFirst())
            .isEqualTo(
                printed().stream()
                    .filter(each -> each.get(0).equals(stage) && each.get(1).equals(row.getFirst()))
                    .map(List::getLast)
                    .findFirst()
                    .orElseThrow());
      }
    }
    assertThat(titles).contains("hold", "spawn", "run", "teardown");
    assertThat(tab.text()).contains("straggler (run)");
  }

  @Test
  void theRanksAreThoseThatTheCommandPrints() {
    List<String> lines =
        alice.run("hpcrun", "timing", "--ranks", job).succeeded().lines().stream()
            .filter(line -> line.startsWith("rank "))
            .toList();
    assertThat(lines).hasSize(12);
    int seen = 0;
    for (String node : LabCluster.COMPUTE_NODES) {
      tab.go("#/launches/" + id + "/nodes/" + node);
      for (List<String> row : table("Ranks of this node")) {
        String rank = row.getFirst();
        String line =
            lines.stream()
                .filter(each -> each.matches("rank " + rank + " +" + node + " .*"))
                .findFirst()
                .orElseThrow();
        for (String stage : List.of("spawn", "run")) {
          Matcher duration = Pattern.compile(stage + " " + DURATION).matcher(line);
          assertThat(duration.find()).as(line).isTrue();
          assertThat(row).as(line).contains(shown(duration.group(1)));
        }
        seen++;
      }
    }
    assertThat(seen).isEqualTo(12);
  }

  @Test
  void theImageCameFromTheRegistryOnceAndTheMetricsTellSo() {
    alice.run("hpcrun", "run", IMAGE, "--", "hostname").succeeded();
    tab.go("#/images");
    assertThat(tab.text()).contains(IMAGE);
    OpenMetricsText metrics = OpenMetricsText.read(daemon.ask("/metrics").succeeded().output());
    assertThat(metrics.value("hpcrund_image_pulls_total")).contains(1.0);
    assertThat(metrics.value("hpcrund_image_requests_total", "result", "miss")).contains(1.0);
    assertThat(metrics.value("hpcrund_image_requests_total", "result", "hit")).contains(1.0);
    assertThat(metrics.value("hpcrund_launch_ends_total", "outcome", "failed")).contains(1.0);
    assertThat(
            metrics
                .value(
                    "hpcrund_stage_seconds_count",
                    "stage",
                    "run",
                    "partition",
                    "main",
                    "mode",
                    "join")
                .orElseThrow())
        .isGreaterThanOrEqualTo(12 + 4);
  }

  @ParameterizedTest
  @CsvSource({
    "launches, #/launches, h1, 1200, 560",
    "launch, #/launches/ID, h1, 1200, 900",
    "timeline, #/launches/ID, main > h2:nth-of-type(2), 1200, 800",
    "ranks, #/launches/ID/nodes/c1, h1, 1200, 640",
    "phone, #/launches/ID, section h2, 360, 740",
  })
  void picturesAreDrawn(String name, String view, String top, int width, int height)
      throws IOException {
    tab.size(width, height);
    tab.go(view.replace("ID", id));
    tab.evaluate("document.activeElement.blur()");
    tab.evaluate("scrollTo(0, 0)");
    if (!top.equals("h1")) {
      tab.evaluate("document.querySelector('" + top + "')?.scrollIntoView()");
    }
    for (String colours : List.of("light", "dark")) {
      tab.systemColours(colours);
      Path file = PICTURES.resolve(name + "-" + colours + ".png");
      tab.screenshot(file);
      assertThat(file).isNotEmptyFile();
    }
    tab.systemColours("light");
    tab.size(1280, 900);
  }
}
