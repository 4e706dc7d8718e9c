package io.hpcrun.daemon.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * Records are files that users wrote: what stands in them must not act in an operator's browser.
 */
class DashboardHostileTest extends InBrowser {
  @BeforeEach
  void hostileAnswers() {
    api.with("/v1/me", query -> Map.of("uid", 1, "user", Samples.HOSTILE.get(0), "operator", true))
        .with(
            "/v1/launches", query -> Map.of("launches", launches(), "next", Samples.HOSTILE.get(3)))
        .with("/v1/launches/17", query -> document())
        .with(
            "/v1/launches/17/nodes",
            query ->
                Map.of(
                    "nodes",
                    Samples.HOSTILE.stream()
                        .map(word -> everyMember(Samples.node(1), word, List.of("ranks", "record")))
                        .toList()))
        .with(
            "/v1/launches/17/ranks",
            query ->
                Map.of(
                    "ranks",
                    Samples.HOSTILE.stream()
                        .map(
                            word ->
                                Samples.members(
                                    "rank", word,
                                    "local", word,
                                    "begin_ns", word,
                                    "stages_ns",
                                        word.length() % 2 == 0 ? word : Map.of("run", word),
                                    "network", word))
                        .toList()))
        .with(
            "/v1/stages",
            query ->
                Map.of(
                    "groups",
                    Samples.HOSTILE.stream()
                        .map(
                            word ->
                                Samples.members(
                                    "group", word,
                                    "launches", word,
                                    "stages",
                                        Map.of(
                                            "spawn", Samples.summary(3, 4, 5, 6, word),
                                            "hold", Samples.summary(3, 4, 5, 6, word))))
                        .toList()))
        .with(
            "/v1/images",
            query ->
                Map.of(
                    "images",
                    Samples.HOSTILE.stream()
                        .map(word -> everyMember(image(), word, List.of("sources")))
                        .toList()));
  }

  private static Map<String, Object> image() {
    return Samples.members(
        "sources",
        Samples.HOSTILE,
        "path",
        "",
        "size",
        1,
        "digests",
        "",
        "pulled_by",
        "",
        "used_s",
        1);
  }

  private static List<Object> launches() {
    List<Object> all = new ArrayList<>();
    for (String word : Samples.HOSTILE) {
      all.add(everyMember(Samples.launch(2), word, List.of()));
      all.add(everyMember(Samples.launch(2), word, List.of("state", "begun_ns", "exit")));
    }
    return all;
  }

  private static Map<String, Object> document() {
    Map<String, Object> document = Samples.document(17, 1);
    Map<String, Object> record = new TreeMap<>();
    Map<String, Object> measured = new TreeMap<>();
    Map<String, Object> stages = new TreeMap<>();
    for (String word : Samples.HOSTILE) {
      record.put(word, word);
      measured.put(word, Map.of("spawn", Samples.summary(4, 5, 6, 7, word), word, word));
      stages.put(word, Samples.summary(4, 5, 6, 7, word));
    }
    stages.put("spawn", Samples.summary(4, 5, 6, 7, Samples.HOSTILE.get(0)));
    record.put("launch_asked_ns", Samples.HOSTILE.get(0));
    document.put("launch", everyMember(Samples.launch(2), Samples.HOSTILE.get(1), List.of()));
    document.put("record", record);
    document.put("stages", stages);
    document.put("nodes_measured", measured);
    document.put("networks", Map.of(Samples.HOSTILE.get(0), 4));
    document.put("remarks", Samples.HOSTILE);
    return document;
  }

  private static Map<String, Object> everyMember(
      Map<String, Object> like, String word, List<String> but) {
    like.replaceAll((name, value) -> but.contains(name) ? value : word);
    return like;
  }

  @ParameterizedTest
  @FieldSource("VIEWS")
  void whatUsersWroteStaysText(String view) {
    show(view);
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
    tab.evaluate("document.querySelectorAll('main a').forEach((each) => each.focus())");
    assertThat(
            tab.evaluate("document.querySelectorAll('img, iframe, object, embed, b').length")
                .asInt())
        .isZero();
    assertThat(tab.evaluate("document.querySelectorAll('script').length").asInt()).isEqualTo(2);
    assertThat(
            tab.evaluate(
                    "[...document.querySelectorAll('a[href]')]"
                        + ".filter((each) => !each.getAttribute('href').startsWith('#')).length")
                .asInt())
        .isZero();
    assertThat(
            tab.evaluate(
                    "[...document.querySelectorAll('*')].flatMap((each) => each.getAttributeNames())"
                        + ".filter((name) => name.startsWith('on') || name === 'style').length")
                .asInt())
        .isZero();
    assertThat(tab.evaluate("typeof window.harmed").asString()).isEqualTo("undefined");
    assertThat(tab.text())
        .contains("<img src=x onerror=\"window.harmed=1\">")
        .doesNotContain("\u202e", "\u001b", "a".repeat(1000));
    assertThat(tab.evaluate("document.documentElement.scrollWidth <= 1280").asBoolean()).isTrue();
    assertNoComplaints();
  }

  @ParameterizedTest
  @FieldSource("io.hpcrun.daemon.dashboard.Samples#HOSTILE")
  void aLinkToANodeOfAnyNameAsksForThatNode(String name) {
    api.with(
        "/v1/launches/17/nodes",
        query -> Map.of("nodes", List.of(everyMember(Samples.node(1), name, List.of("record")))));
    show("#/launches/17");
    int before = api.asked().size();
    tab.evaluate("document.querySelector('.bars').closest('tr').querySelector('a').click()");
    tab.waitFor("document.querySelector('h1').textContent.startsWith('Ranks on')");
    assertThat(api.asked().subList(before, api.asked().size()))
        .allMatch(each -> each.startsWith("GET /v1/launches/17"));
  }

  @Test
  void thePolicyKeepsScriptsAndMarkupOut() {
    show("#/launches");
    assertThatThrownBy(() -> tab.evaluate("document.body.innerHTML = '<p>x</p>'"))
        .hasMessageContaining("TrustedHTML");
    assertThatThrownBy(
            () -> tab.evaluate("document.createElement('script').text = 'window.harmed=1'"))
        .hasMessageContaining("TrustedScript");
    assertThatThrownBy(
            () -> tab.evaluate("document.body.setAttribute('onclick', 'window.harmed=1')"))
        .hasMessageContaining("TrustedScript");
    assertThatThrownBy(() -> tab.evaluate("import('http://127.0.0.2:1/x.js')"));
    tab.complaints();
    tab.evaluate(
        "new Promise((done) => { const i = new Image(); i.onerror = done; i.onload = done;"
            + " i.src = 'http://127.0.0.2:1/x.png'; })");
    tab.evaluate("fetch('http://127.0.0.2:1/').catch(() => 0)");
    assertThat(tab.complaints())
        .hasSizeGreaterThanOrEqualTo(2)
        .allMatch(each -> each.contains("Content Security Policy"));
    assertThat(tab.evaluate("typeof window.harmed").asString()).isEqualTo("undefined");
  }
}
