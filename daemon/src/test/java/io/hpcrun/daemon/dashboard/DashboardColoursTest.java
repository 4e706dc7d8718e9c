package io.hpcrun.daemon.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Contrasts as WCAG 2.2 computes them, of all colours that can come upon each other. */
class DashboardColoursTest {
  private static final Path CSS =
      Path.of("src/main/resources/io/hpcrun/daemon/dashboard/style.css");
  private static final Pattern COLOUR =
      Pattern.compile("--([a-z-]+): light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\);");

  private static Map<String, String> colours(String scheme) throws IOException {
    Map<String, String> colours = new LinkedHashMap<>();
    Matcher found = COLOUR.matcher(Files.readString(CSS));
    while (found.find()) {
      colours.put(found.group(1), found.group(scheme.equals("light") ? 2 : 3));
    }
    return colours;
  }

  private static double luminance(String colour) {
    double[] weights = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
      double part = Integer.parseInt(colour.substring(1 + 2 * i, 3 + 2 * i), 16) / 255.0;
      sum += weights[i] * (part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4));
    }
    return sum;
  }

  private static double contrast(String one, String other) {
    double a = luminance(one);
    double b = luminance(other);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }

  private static void assertContrast(String scheme, String kind, double least) throws IOException {
    Map<String, String> colours = colours(scheme);
    assertThat(colours.keySet().stream().filter(name -> name.startsWith(kind))).isNotEmpty();
    colours.forEach(
        (name, colour) -> {
          if (name.startsWith(kind)) {
            for (String ground : new String[] {"ground-page", "ground-part"}) {
              assertThat(contrast(colour, colours.get(ground)))
                  .as("%s on %s, %s", name, ground, scheme)
                  .isGreaterThanOrEqualTo(least);
            }
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"light", "dark"})
  void textIsReadableOnEveryGround(String scheme) throws IOException {
    assertContrast(scheme, "text-", 4.5);
  }

  @ParameterizedTest
  @ValueSource(strings = {"light", "dark"})
  void barsAndEdgesAreVisibleOnEveryGround(String scheme) throws IOException {
    assertContrast(scheme, "bar-", 3);
  }

  @Test
  void coloursAreNamedAtOnePlaceOnly() throws IOException {
    String css = Files.readString(CSS);
    String rules = css.substring(css.indexOf("}\n") + 2);
    assertThat(rules).doesNotContainPattern("#[0-9a-f]{3,8}\\b|rgb|hsl|:\\s*(white|black|red)\\b");
    assertThat(css).doesNotContainPattern("\\scolor: var\\(--(?!text-)");
    assertThat(css).doesNotContainPattern("background: var\\(--(?!ground-)");
  }

  @Test
  void theComputationKnowsTheExtremes() {
    assertThat(contrast("#000000", "#ffffff")).isEqualTo(21);
    assertThat(contrast("#777777", "#ffffff")).isBetween(4.4, 4.5);
  }
}
