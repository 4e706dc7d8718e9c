package io.hpcrun.daemon.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** The page by keyboard alone, on a narrow screen, for screen readers, and as pictures. */
class DashboardAccessTest extends InBrowser {
  private static final String FOCUSABLE =
      "[...document.querySelectorAll('a[href], button, input, select, summary')]"
          + ".filter((each) => each.checkVisibility())";

  @ParameterizedTest
  @FieldSource("VIEWS")
  void theKeyboardReachesEverythingAndTheFocusIsSeen(String view) {
    show(view);
    tab.evaluate("document.activeElement.blur()");
    tab.evaluate("window.all = " + FOCUSABLE);
    int all = tab.evaluate("window.all.length").asInt();
    // Of a group of radio buttons Tab reaches the chosen one; arrow keys lead to the others.
    int unchosen =
        tab.evaluate("window.all.filter((e) => e.type === 'radio' && !e.checked).length").asInt();
    tab.evaluate("window.seen = new Set()");
    List<String> unseen = new ArrayList<>();
    for (int i = 0; i < all * 4; i++) {
      tab.press("Tab");
      if (!tab.evaluate(
              "(() => { const at = document.activeElement; window.seen.add(at);"
                  + " const style = getComputedStyle(at); return at === document.body"
                  + " || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2); })()")
          .asBoolean()) {
        unseen.add(tab.focused());
      }
      if (tab.evaluate("window.all.filter((e) => window.seen.has(e)).length").asInt()
          == all - unchosen) {
        break;
      }
    }
    assertThat(texts("window.all.filter((e) => !window.seen.has(e) && e.type !== 'radio')"))
        .isEmpty();
    assertThat(unseen).isEmpty();
  }

  @Test
  void theSkipLinkComesFirstAndLeadsToTheContent() {
    tab.load(api.address());
    tab.press("Tab");
    assertThat(tab.focused()).isEqualTo("skip");
    tab.press("Enter");
    assertThat(tab.focused()).isEqualTo("main");
    assertThat(tab.evaluate("location.hash").asString()).isEqualTo("#/launches");
  }

  @Test
  void aWholeVisitTakesNoMouse() {
    tab.load(api.address());
    tab.press("/");
    tab.type("alice");
    tab.press("Enter");
    tab.waitForView("#/launches?user=alice");
    tab.evaluate("document.querySelector('#clear').focus()");
    tab.press("Tab");
    assertThat(tab.focused()).isEqualTo("live");
    tab.press("Tab");
    assertThat(tab.focused()).isEqualTo("a 1200.0.0");
    api.with("/v1/launches/0", query -> Samples.document(0, 3))
        .with("/v1/launches/0/nodes", query -> Samples.nodes(3, query))
        .with("/v1/launches/0/ranks", query -> Samples.ranks("c1", 4, query));
    tab.press("Enter");
    tab.waitForView("#/launches/0");
    assertThat(tab.focused()).startsWith("h1 Launch");
    tab.press("Tab");
    assertThat(tab.focused()).isEqualTo("all-members");
    tab.press("Tab");
    assertThat(tab.focused()).isEqualTo("span-start");
    tab.press("Tab");
    assertThat(tab.focused()).isEqualTo("a c1");
    tab.press("Enter");
    tab.waitForView("#/launches/0/nodes/c1");
    tab.press("Tab");
    assertThat(tab.focused()).isEqualTo("up");
    tab.press("Enter");
    tab.waitForView("#/launches/0");
    for (String[] way :
        new String[][] {
          {"2", "#/stages"}, {"3", "#/nodes"}, {"4", "#/images"}, {"1", "#/launches"}
        }) {
      tab.press(way[0]);
      tab.waitForView(way[1]);
      assertThat(tab.focused()).startsWith("h1");
    }
    assertNoComplaints();
  }

  @Test
  void theKeysAreExplainedAndCanBeTurnedOff() {
    show("#/launches");
    tab.evaluate("document.querySelector('#live').focus()");
    tab.press("?");
    assertThat(tab.evaluate("document.querySelector('#help').open").asBoolean()).isTrue();
    tab.press("Escape");
    assertThat(tab.evaluate("document.querySelector('#help').open").asBoolean()).isFalse();
    assertThat(tab.focused()).isEqualTo("live");
    tab.evaluate("document.querySelector('#help-open').click()");
    tab.evaluate("document.querySelector('#keys-on').click()");
    tab.evaluate("document.querySelector('#help-close').click()");
    assertThat(tab.evaluate("document.querySelector('#help').open").asBoolean()).isFalse();
    tab.press("3");
    tab.press("?");
    assertThat(tab.evaluate("location.hash").asString()).isEqualTo("#/launches");
    assertThat(tab.evaluate("document.querySelector('#help').open").asBoolean()).isFalse();
    assertNoComplaints();
  }

  @Test
  void keysThatAreTypedIntoAFieldAreText() {
    show("#/launches");
    tab.press("/");
    tab.press("3");
    assertThat(tab.evaluate("location.hash").asString()).isEqualTo("#/launches");
    assertThat(tab.evaluate("document.querySelector('#field-user').value").asString())
        .isEqualTo("3");
  }

  @Test
  void coloursFollowTheSystemUntilOthersAreChosenAndThatIsKept() {
    String ground = "getComputedStyle(document.body).backgroundColor";
    tab.load(api.address());
    String light = tab.evaluate(ground).asString();
    tab.systemColours("dark");
    String dark = tab.evaluate(ground).asString();
    assertThat(dark).isNotEqualTo(light);
    tab.press("t");
    assertThat(tab.evaluate(ground).asString()).isEqualTo(light);
    tab.load(api.base() + "/");
    assertThat(tab.evaluate(ground).asString()).isEqualTo(light);
    assertThat(tab.text()).contains("Colours: light");
    tab.press("t");
    assertThat(tab.evaluate(ground).asString()).isEqualTo(dark);
    tab.systemColours("light");
    assertThat(tab.evaluate(ground).asString()).isEqualTo(dark);
    tab.press("t");
    assertThat(tab.evaluate(ground).asString()).isEqualTo(light);
  }

  @ParameterizedTest
  @FieldSource("VIEWS")
  void nothingIsToBeScrolledSidewaysAtAZoomOf400Percent(String view) {
    show(view);
    for (int width : new int[] {320, 640, 1180, 1190, 1280}) {
      tab.size(width, 256);
      assertThat(
              texts(
                  "[...document.querySelectorAll('main *, header *, footer *')].filter((each) =>"
                      + " each.checkVisibility() && !each.closest('.unseen, .patterns, thead, dialog')"
                      + " && each.getBoundingClientRect().right > innerWidth + 1)"))
          .as("at %d", width)
          .isEmpty();
      assertThat(tab.evaluate("document.documentElement.scrollWidth").asInt()).isEqualTo(width);
    }
  }

  @ParameterizedTest
  @FieldSource("VIEWS")
  void axeFindsNoFault(String view) throws IOException {
    show(view);
    String axe;
    try (InputStream in = getClass().getResourceAsStream("/axe.min.js")) {
      axe = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })");
    tab.evaluate(axe + "; 0");
    // Contrasts are computed from the style sheet in any case (DashboardColoursTest).
    boolean both = Boolean.getBoolean("hpcrun.full") || view.equals(VIEWS.getFirst());
    for (String colours : both ? List.of("light", "dark") : List.of("light")) {
      tab.systemColours(colours);
      assertThat(
              tab.evaluate(
                      "axe.run().then((found) => found.violations.map((v) => v.id + ': '"
                          + " + v.nodes.slice(0, 3).map((n) => n.html + ' ' + n.failureSummary)))")
                  .valueStream()
                  .map(each -> each.asString())
                  .toList())
          .as(colours)
          .isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "launches, #/launches, h1, 1200, 640",
    "launch, #/launches/17, h1, 1200, 900",
    "timeline, #/launches/17, main > h2:nth-of-type(2), 1200, 800",
    "ranks, #/launches/17/nodes/c3, h1, 1200, 640",
    "stages, #/stages, h1, 1200, 760",
    "nodes, #/nodes, h1, 1200, 560",
    "phone, #/launches/17, section h2, 360, 740",
  })
  void picturesOfTheViewsAreDrawn(String name, String view, String top, int width, int height)
      throws IOException {
    tab.size(width, height);
    show(view);
    tab.evaluate("document.activeElement.blur()");
    if (!top.equals("h1")) {
      tab.evaluate("document.querySelector(" + Tab.quoted(top) + ").scrollIntoView()");
    }
    for (String colours : List.of("light", "dark")) {
      tab.systemColours(colours);
      Path file = Path.of("target", "dashboard", name + "-" + colours + ".png");
      tab.screenshot(file);
      assertThat(file).isNotEmptyFile();
    }
  }
}
