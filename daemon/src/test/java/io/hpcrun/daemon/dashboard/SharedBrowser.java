package io.hpcrun.daemon.dashboard;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * One browser for all tests of a JVM, started by the first class that needs it. Each of its tabs
 * has a storage of its own.
 */
public final class SharedBrowser implements BeforeAllCallback {
  private Browser browser;

  /** Lives until all tests are over. */
  private record Running(Browser browser, Path profile) implements AutoCloseable {
    static Running start() {
      Optional<Path> chromium = Browser.binary();
      assumeTrue(
          chromium.isPresent(),
          "there is no Chromium on the PATH, so the dashboard is not tested: apt install chromium");
      try {
        Path profile = Files.createTempDirectory("hpcrun-browser");
        return new Running(new Browser(chromium.get(), profile), profile);
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
    }

    @Override
    public void close() throws IOException {
      browser.close();
      List<Path> files;
      try (Stream<Path> all = Files.walk(profile)) {
        files = all.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path each : files) {
        Files.delete(each);
      }
    }
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    browser =
        context
            .getRoot()
            .getStore(ExtensionContext.Namespace.create(SharedBrowser.class))
            .getOrComputeIfAbsent(Running.class, key -> Running.start(), Running.class)
            .browser();
  }

  /** A new tab. */
  public Tab tab() {
    return browser.tab();
  }
}
