package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Progress.Stage;
import io.hpcrun.pull.Resolved;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WayMakerTest {
  private static final long MIB = 1 << 20;

  private final List<Long> asked = new ArrayList<>();
  private final List<String> heard = new ArrayList<>();

  private WayMaker wayMaker(String source) {
    return new WayMaker(
        new Resolved(
            ImageSource.parse(source), "amd64", Optional.empty(), Long.MAX_VALUE, Optional.empty()),
        asked::add,
        (stage, done) -> heard.add(stage + " " + done));
  }

  @Test
  void whatIsAnnouncedMakesNoWay() {
    WayMaker maker = wayMaker("oras://r/app");
    maker.at(Stage.PULLING, 0);
    maker.at(Stage.PULLING, MIB);
    assertThat(asked).isEmpty();
    assertThat(heard).containsExactly("PULLING 0", "PULLING 1048576");
  }

  @Test
  void asMuchAsHasComeIsAskedForAndFourTimesThatForLayers() {
    for (String source : List.of("https://s.org/a.sif", "docker://r/app")) {
      WayMaker maker = wayMaker(source);
      maker.at(Stage.PULLING, 16 * MIB);
      maker.at(Stage.PULLING, 17 * MIB);
      maker.at(Stage.PULLING, 40 * MIB);
      maker.at(Stage.CONVERTING, 900 * MIB);
    }
    assertThat(asked).containsExactly(16 * MIB, 40 * MIB, 64 * MIB, 160 * MIB);
  }
}
