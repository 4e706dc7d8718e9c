package io.hpcrun.daemon.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.api.Answer;
import io.hpcrun.daemon.api.Problem;
import io.hpcrun.timing.Durations;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What each view shows, and what it asks for. */
class DashboardViewsTest extends InBrowser {
  @ParameterizedTest
  @FieldSource("VIEWS")
  void everyViewIsShownAndTheConsoleStaysSilent(String view) {
    show(view);
    assertThat(tab.evaluate("document.querySelector('h1').textContent").asString())
        .isNotEqualTo("hpcrun")
        .isNotEqualTo("Not possible");
    assertThat(tab.evaluate("document.querySelectorAll('main tbody tr').length").asInt())
        .isPositive();
    assertNoComplaints();
  }

  /** Two programs write the same figures: hpcrun timing and the page. */
  @Test
  void durationsAreWrittenAsTheCommandWritesThem() {
    List<Long> all =
        new ArrayList<>(List.of(0L, 1L, 999L, 1_005_000L, 9_995_000L, 59_950_000_000L));
    for (long unit = 1_000; unit < 1_000_000_000_000_000L; unit *= 10) {
      all.addAll(List.of(unit - 1, unit, unit + unit / 2, 12 * unit / 10 - 1, 72 * unit / 10));
    }
    Random random = new Random(1);
    for (int i = 0; i < 2_000; i++) {
      long microseconds = Math.round(Math.pow(10, random.nextDouble() * 13));
      all.add(microseconds * 1_000); // what records have, and so halves that are to be rounded
      all.add(microseconds * 1_000 + random.nextInt(1_000));
    }
    tab.load(api.address());
    List<String> shown =
        tab.evaluate(
                "import('/dashboard/format.js').then((format) => "
                    + all
                    + ".map((each) => format.duration(each)))")
            .valueStream()
            .map(each -> each.asString())
            .toList();
    assertThat(shown)
        .isEqualTo(all.stream().map(each -> Durations.show(each).replace("us", "µs")).toList());
  }

  @Test
  void theTokenLeavesTheAddressAndIsSentWithEachRequest() {
    tab.load(api.address());
    assertThat(tab.evaluate("location.href").asString()).isEqualTo(api.base() + "/#/launches");
    assertThat(tab.evaluate("history.length <= 2").asBoolean()).isTrue();
    assertThat(tab.text()).contains("alice (operator: sees all launches)");
    tab.load(api.base() + "/#/images");
    tab.waitForView("#/images");
    assertThat(tab.text()).contains("docker://debian:12");
  }

  @Test
  void launchesAreNewestFirstWithTheirStateInWords() {
    show("#/launches");
    assertThat(rowHeadings("Launches")).hasSize(100).startsWith("1200.0.0", "1199.0.0", "1198.0.0");
    assertThat(tab.text()).contains("ended, exit 0", "failed, exit 137", "running", "refused");
  }

  @Test
  void imagesHaveShortNames() {
    show("#/launches");
    String cell = "document.querySelector('main tbody').rows[%d].cells[3].firstChild";
    assertThat(tab.evaluate(cell.formatted(0) + ".textContent").asString()).isEqualTo("lammps.sif");
    assertThat(tab.evaluate(cell.formatted(2) + ".textContent").asString())
        .isEqualTo("gromacs:2026");
    assertThat(tab.evaluate(cell.formatted(2) + ".title").asString())
        .isEqualTo("docker://registry.site/apps/gromacs:2026");
    Map<String, Object> gone = Samples.launch(2);
    gone.remove("image_source");
    api.with("/v1/launches", query -> Map.of("launches", List.of(gone)));
    tab.go("#/launches?state=ended");
    assertThat(tab.evaluate(cell.formatted(0) + ".textContent").asString())
        .isEqualTo("0123456789ab….sif");
  }

  @Test
  void filtersReachTheApiAndOlderPagesKeepThem() {
    show("#/launches");
    tab.evaluate("document.querySelector('#field-image').focus()");
    tab.type("/a b/c&d.sif");
    tab.evaluate("document.querySelector('#field-since').value = '2026-11-18T10:00'");
    tab.press("Enter");
    tab.waitFor("document.querySelector('#main').dataset.address.includes('since=1794996000')");
    assertThat(api.asked().getLast())
        .contains("image=%2Fa+b%2Fc%26d.sif", "since=1794996000", "limit=100")
        .doesNotContain("user=");
    assertThat(tab.focused()).isEqualTo("field-image");
    tab.evaluate("document.querySelector('#older').click()");
    tab.waitFor("document.querySelector('caption').textContent === 'Older launches'");
    assertThat(api.asked().getLast()).contains("after=page2", "image=%2Fa+b%2Fc%26d.sif");
    tab.evaluate("document.querySelector('#newest').click()");
    tab.waitFor("document.querySelector('caption').textContent === 'Launches, newest first'");
    assertNoComplaints();
  }

  @Test
  void whoIsNoOperatorHasNoFilterForUsers() {
    api.with("/v1/me", query -> Map.of("uid", 1000, "user", "alice", "operator", false));
    show("#/launches");
    assertThat(tab.evaluate("document.querySelector('#field-user')").isNull()).isTrue();
  }

  @Test
  void aRefreshBringsNewLaunchesAndLeavesTheFocusWhereItIs() {
    AtomicInteger newest = new AtomicInteger(5);
    api.with("/v1/launches", query -> Samples.launches(newest.get(), 10, null));
    show("#/launches");
    tab.evaluate("[...document.querySelectorAll('tbody a')][3].focus()");
    assertThat(tab.focused()).isEqualTo("a 1192.0.0");
    newest.set(3);
    tab.press("r");
    tab.waitFor(
        "document.querySelectorAll('main tbody tr').length === 10"
            + " && document.querySelector('tbody a').textContent === '1197.0.0'");
    assertThat(tab.focused()).isEqualTo("a 1192.0.0");
    tab.waitFor("document.querySelector('#said').textContent === '2 new launches'");
    newest.set(100); // the row with the focus is on this page no more
    tab.press("r");
    tab.waitFor("document.querySelector('tbody a').textContent === '1100.0.0'");
    assertThat(tab.focused()).isEqualTo("a 1192.0.0");
    assertNoComplaints();
  }

  @Test
  void aRunningLaunchChangesItsStateInPlace() {
    AtomicInteger exit = new AtomicInteger(-1);
    api.with(
        "/v1/launches",
        query -> {
          Map<String, Object> launch = Samples.launch(1);
          if (exit.get() >= 0) {
            launch.put("state", "ended");
            launch.put("exit", exit.get());
          }
          return Map.of("launches", List.of(launch));
        });
    show("#/launches");
    assertThat(tab.text()).contains("running");
    exit.set(3);
    tab.press("r");
    tab.waitFor("document.body.innerText.includes('failed, exit 3')");
  }

  @Test
  void aLaunchShowsItsFactsStagesAndNodes() {
    show("#/launches/17");
    assertThat(rowHeadings("How long each stage"))
        .extracting(each -> each.replaceAll("^([a-z]+).*", "$1"))
        .first()
        .asString()
        .startsWith("queue");
    assertThat(rowHeadings("When each node")).hasSize(16).startsWith("c1", "c2");
    assertThat(tab.text())
        .contains("/home/alice/images/pytorch.sif", "4 ranks used TCP", "± 2.00 ms", "123 GB");
    assertThat(
            tab.evaluate("document.querySelector('.bars').getAttribute('aria-label')").asString())
        .contains("check: 12.0 ms", "hold: ", "spawn, median of ranks: ");
  }

  @Test
  void theTimelineGoesFromTheStartToTheWholeLaunch() {
    show("#/launches/17");
    String axis = "document.querySelector('.axis').textContent";
    assertThat(tab.evaluate(axis).asString()).contains("ms");
    tab.evaluate("document.querySelector('#span-whole').click()");
    assertThat(tab.evaluate(axis).asString()).contains("10 s");
    assertThat(tab.evaluate("document.querySelector('#said').textContent").asString())
        .isEqualTo("Timeline of the whole launch");
  }

  @Test
  void nodesWithStragglersComeFirst() {
    show("#/launches/17");
    assertThat(tab.text()).contains("1 node has ranks that are stragglers");
    assertThat(rowHeadings("How long each node").getFirst()).isEqualTo("c5");
    tab.evaluate(
        "(() => { const s = document.querySelector('#node-order'); s.value = 'hold';"
            + " s.dispatchEvent(new Event('change')); })()");
    assertThat(rowHeadings("How long each node").getFirst()).isEqualTo("c3");
  }

  @Test
  void nodesThatComeInFurtherPagesAreComparedToo() {
    Map<String, Object> whole = Samples.document(17, 16);
    @SuppressWarnings("unchecked")
    TreeMap<String, Object> measured = (TreeMap<String, Object>) whole.get("nodes_measured");
    Map<String, Object> first = new TreeMap<>(whole);
    first.put("nodes_measured", new TreeMap<>(measured.headMap("c12")));
    first.put("nodes_next", "c11");
    api.with("/v1/launches/17", query -> first)
        .with(
            "/v1/launches/17/stages",
            query ->
                query.get("after").equals("c11")
                    ? Map.of("nodes_measured", measured.subMap("c12", "c3"), "next", "c2")
                    : Map.of("nodes_measured", measured.tailMap("c2", false)));
    show("#/launches/17");
    assertThat(rowHeadings("How long each node")).hasSize(16).startsWith("c5");
    assertThat(tab.text()).contains("1 node has ranks that are stragglers");
    assertThat(api.asked()).anyMatch(each -> each.contains("/stages?limit=1000&after=c2"));
  }

  @Test
  void ofTheRanksOfANodeStragglersComeFirst() {
    show("#/launches/17/nodes/c3");
    assertThat(rowHeadings("Ranks")).hasSize(64).startsWith("77", "0", "1");
    assertThat(tab.text()).contains("128 ranks, 1 straggler, listed first", "straggler: spawn");
    assertThat(api.asked()).anyMatch(each -> each.contains("/ranks?node=c3"));
    tab.evaluate("document.querySelector('#ranks-on').click()");
    assertThat(rowHeadings("Ranks")).hasSize(64).startsWith("63").endsWith("127");
  }

  @Test
  void allPagesOfANodesRanksAreRead() {
    api.with("/v1/launches/17/ranks", query -> Samples.ranks("c3", 1200, query));
    show("#/launches/17/nodes/c3");
    assertThat(tab.text()).contains("1200 ranks");
  }

  @Test
  void slowNodesComeFirstAndFewLaunchesAreSaidToBeFew() {
    show("#/nodes");
    assertThat(rowHeadings("Nodes")).startsWith("c42", "c99");
    assertThat(tab.text())
        .contains("1 of 200 nodes is slow", "slow (hold)", "few launches (spawn)");
  }

  @Test
  void stagesAreDrawnByDayAndListedNewestFirst() {
    show("#/stages?stage=hold");
    assertThat(tab.evaluate("document.querySelectorAll('.plot circle').length").asInt())
        .isEqualTo(90);
    assertThat(rowHeadings("hold")).startsWith("2026-11-17", "2026-11-16");
    assertThat(api.asked().getLast()).contains("group=day");
  }

  @Test
  void aPullIsAskedForAndFollowed() {
    AtomicInteger polls = new AtomicInteger();
    List<String> wishes = new java.util.concurrent.CopyOnWriteArrayList<>();
    api.with(
            "/v1/images",
            query -> {
              if (query.get("body").isEmpty()) {
                return Samples.images();
              }
              wishes.add(query.get("body"));
              return Samples.pull("queued", "it waits for others");
            })
        .with(
            "/v1/pulls/9",
            query ->
                polls.incrementAndGet() < 2
                    ? Samples.pull("pulling", "it comes over the network")
                    : Samples.pull("ready", "it is there"));
    show("#/images");
    tab.evaluate("document.querySelector('#field-source').focus()");
    tab.type("docker://debian:13");
    tab.press("Enter");
    tab.waitFor(
        "document.querySelector('.pull')?.innerText.includes('12.0 MB of 48.0 MB, 3.00 s')");
    tab.waitFor(
        "document.querySelector('#said').textContent === 'docker://debian:13: it is there'");
    assertThat(wishes).containsExactly("{\"source\":\"docker://debian:13\"}");
    assertNoComplaints();
  }

  @Test
  void aPullThatIsNotWantedAnyMoreIsGivenUpAndSaysWhy() {
    api.with(
            "/v1/images",
            query ->
                query.get("body").isEmpty()
                    ? Samples.images()
                    : Samples.pull("pulling", "it comes over the network"))
        .with("/v1/pulls/9", query -> Samples.pull("pulling", "it comes over the network"))
        .with(
            "/v1/pulls/9/cancel",
            query -> {
              Map<String, Object> pull = Samples.pull("failed", "it cannot be had");
              pull.put(
                  "problem",
                  Map.of("title", "cancelled", "detail", "nobody waits", "remedy", "ask again"));
              api.with("/v1/pulls/9", again -> pull);
              return pull;
            });
    show("#/images");
    tab.evaluate("document.querySelector('#field-source').value = 'docker://debian:13'");
    tab.evaluate("document.querySelector('#pull').click()");
    tab.waitFor("document.querySelector('.pull button')?.checkVisibility()");
    tab.evaluate("document.querySelector('.pull button').click()");
    tab.waitFor("document.querySelector('.pull').innerText.includes('What to do: ask again')");
    assertThat(api.asked()).contains("POST /v1/pulls/9/cancel");
    assertNoComplaints();
  }

  @Test
  void aSiteWithoutAnImageStoreIsInOrder() {
    api.with(
        "/v1/images",
        query -> {
          throw new Problem(404, "no image store", "this site keeps no images", "apptainer pull")
              .asException();
        });
    show("#/images");
    assertThat(tab.text()).contains("this site keeps no images").doesNotContain("Not possible");
  }

  @ParameterizedTest
  @FieldSource("VIEWS")
  void emptyAnswersAreSaidToBeEmpty(String view) {
    List.of(
            "/v1/launches",
            "/v1/launches/17",
            "/v1/launches/17/nodes",
            "/v1/launches/17/ranks",
            "/v1/stages",
            "/v1/images")
        .forEach(path -> api.with(path, query -> Map.of()));
    show(view);
    assertThat(tab.text()).doesNotContain("undefined", "NaN", "null", "[object", "Infinity");
    assertThat(tab.text()).containsPattern("(?i)\\bno\\b|nothing|not measured");
    assertNoComplaints();
  }

  @ParameterizedTest
  @FieldSource("VIEWS")
  void missingMembersAreShownAsNotKnown(String view) {
    List<Object> one = List.of(Map.of());
    api.with("/v1/launches", query -> Map.of("launches", one))
        .with(
            "/v1/launches/17",
            query ->
                Map.of(
                    "launch", Map.of(),
                    "stages", Map.of("spawn", Map.of()),
                    "nodes_measured", Map.of("c1", Map.of("spawn", Map.of(), "odd", Map.of()))))
        .with("/v1/launches/17/nodes", query -> Map.of("nodes", one))
        .with("/v1/launches/17/ranks", query -> Map.of("ranks", one))
        .with(
            "/v1/stages",
            query ->
                Map.of(
                    "groups",
                    List.of(Map.of("stages", Map.of("spawn", Map.of(), "hold", Map.of())))))
        .with("/v1/images", query -> Map.of("images", one));
    show(view);
    assertThat(tab.text()).doesNotContain("undefined", "NaN", "null", "[object", "Infinity");
    assertNoComplaints();
  }

  @Test
  void withoutATokenThePageSaysHowToGetOne() {
    tab.load(api.base() + "/");
    assertThat(tab.text()).contains("hpcrun dashboard", "who has it sees what you may see");
    assertThat(api.asked()).containsExactly("GET /v1/me");
  }

  @Test
  void aTokenThatEndedIsForgottenAndSaidToHaveEnded() {
    tab.load(api.base() + "/#token=old");
    assertThat(tab.text()).contains("not valid any more", "hpcrun dashboard");
    assertThat(tab.evaluate("sessionStorage.length").asInt()).isZero();
  }

  @ParameterizedTest
  @FieldSource("VIEWS")
  void problemsAreShownWithCauseAndRemedy(String view) {
    List.of("/v1/launches", "/v1/launches/17", "/v1/stages", "/v1/images")
        .forEach(
            path ->
                api.with(
                    path,
                    query -> {
                      throw Problem.unavailable("the store is <b>locked</b>", "wait a minute");
                    }));
    show(view);
    assertThat(tab.text())
        .contains("unavailable (status 503)", "the store is <b>locked</b>", "What to do: wait");
    Samples.fill(api);
    tab.evaluate("document.querySelector('#retry').click()");
    tab.waitFor(
        "document.querySelectorAll('main tbody tr').length > 0 && !document.querySelector('.problem')");
  }

  @Test
  void aLaunchThatIsNotThereIsSaidNotToBe() {
    show("#/launches/4711");
    assertThat(tab.text())
        .contains("not found (status 404)", "/v1/launches/4711 is not known here");
    show("#/nowhere");
    assertThat(tab.text()).contains("there is no view /nowhere");
    show("#/launches/%");
    assertThat(tab.text()).contains("Not possible");
  }

  @Test
  void somethingElseThanHpcrundIsSaidToBe() {
    api.with(
        "/v1/launches", query -> Answer.of("text/html", "<html>".getBytes(StandardCharsets.UTF_8)));
    show("#/launches");
    assertThat(tab.text()).contains("what answered is not hpcrund");
  }

  @Test
  void aDaemonThatIsGoneIsSaidToBeAndWhatIsShownStays() {
    show("#/launches");
    api.close();
    tab.press("r");
    tab.waitFor("document.querySelector('#said').textContent.includes('cannot be reached')");
    assertThat(rowHeadings("Launches")).hasSize(100);
    tab.go("#/nodes");
    assertThat(tab.text()).contains("hpcrund cannot be reached", "systemctl status hpcrund");
  }

  @Test
  void tenThousandNodesAreShownInPages() {
    api.with("/v1/launches/17", query -> Samples.document(17, 10_000))
        .with("/v1/launches/17/nodes", query -> Samples.nodes(10_000, query))
        .with(
            "/v1/stages",
            query ->
                Map.of(
                    "groups",
                    java.util.stream.IntStream.range(0, 10_000)
                        .mapToObj(
                            i ->
                                Map.of(
                                    "group",
                                    "c" + i,
                                    "launches",
                                    9,
                                    "stages",
                                    Map.of(
                                        "hold",
                                        Samples.summary(9, 100 + i % 7, 200, 300, "c" + i))))
                        .toList()));
    show("#/launches/17");
    assertThat(elements()).isLessThan(5_000);
    assertThat(rowHeadings("When each node")).hasSize(50).endsWith("c50");
    assertThat(rowHeadings("How long each node")).hasSize(50).startsWith("c5");
    tab.evaluate("document.querySelector('#timeline-on').click()");
    tab.waitFor("document.querySelector('#said').textContent === 'Timeline of c51 to c100'");
    tab.evaluate("document.querySelector('#measured-on').click()");
    assertThat(tab.text()).contains("51–100 of 10000");
    assertThat(elements()).isLessThan(5_000);
    tab.go("#/nodes");
    assertThat(elements()).isLessThan(2_000);
    assertNoComplaints();
  }
}
