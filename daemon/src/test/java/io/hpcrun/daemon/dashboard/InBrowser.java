package io.hpcrun.daemon.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The browser of all tests; an API and a tab for each. */
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

  @RegisterExtension static final SharedBrowser BROWSER = new SharedBrowser();

  FakeApi api;
  Tab tab;

  @BeforeEach
  void open() throws IOException {
    api = Samples.fill(new FakeApi());
    tab = BROWSER.tab();
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
