package io.hpcrun.daemon.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A browser for all tests of a class; an API and a tab for each test. */
abstract class InBrowser {
  /** One address of each view. */
  static final List<String> VIEWS =
      List.of(
          "#/launches",
          "#/launches/17",
          "#/launches/17/nodes/c3",
          "#/stages",
          "#/stages?group=image&stage=hold",
          "#/nodes",
          "#/images");

  @TempDir private static Path profile;
  private static Browser browser;

  FakeApi api;
  Tab tab;

  @BeforeAll
  static void startBrowser() throws IOException {
    Optional<Path> chromium = Browser.binary();
    assumeTrue(
        chromium.isPresent(),
        "there is no Chromium on the PATH, so the dashboard is not tested: apt install chromium");
    browser = new Browser(chromium.get(), profile);
  }

  @AfterAll
  static void stopBrowser() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void open() throws IOException {
    api = Samples.fill(new FakeApi());
    tab = browser.tab();
    tab.systemColours("light");
  }

  @AfterEach
  void shut() {
    tab.close();
    api.close();
  }

  /** Opens a view as the address of {@code hpcrun dashboard} does. */
  void show(String view) {
    tab.load(api.address());
    tab.go(view);
  }

  void assertNoComplaints() {
    assertThat(tab.complaints()).isEmpty();
  }

  /** How many elements the page has. */
  int elements() {
    return tab.evaluate("document.querySelectorAll('*').length").asInt();
  }

  /** The texts of the first cell of each row of the table whose caption begins so. */
  List<String> rowHeadings(String caption) {
    return texts(
        "[...document.querySelectorAll('table')].find((t) => t.caption?.textContent.startsWith("
            + Tab.quoted(caption)
            + ")).querySelectorAll('tbody th')");
  }

  /** The texts of some elements. */
  List<String> texts(String elements) {
    return tab.evaluate("[...(" + elements + ")].map((each) => each.textContent)")
        .valueStream()
        .map(each -> each.asString())
        .toList();
  }
}
