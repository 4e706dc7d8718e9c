package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.Tool;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The picture of a node, of trees that stand for machines. */
class TopoCommandTest {
  private static final Path TREES = Path.of("../slurm-plugin-scripts/src/test/trees");

  @TempDir Path directory;

  private String topo(String... words) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
    Console console = new Console(stream, stream, directory, Map.of("HOME", directory.toString()));
    Main.run(List.of(words), console);
    return out.toString(StandardCharsets.UTF_8);
  }

  private Path tree(String name) throws IOException {
    Path tree = directory.resolve("tree");
    Tool.run(
        List.of(
            TREES.resolve("build-tree").toString(),
            TREES.resolve(name + ".tree").toString(),
            tree.toString()));
    return tree;
  }

  /** All but the machine's name, as it stands beside the tree. */
  @ParameterizedTest
  @ValueSource(strings = {"dgx-h100-ib", "dgx-h100-roce", "mi250x-slingshot", "broken"})
  void drawsThePicture(String name) throws IOException {
    String picture = topo("topo", "--root=" + tree(name)).replaceFirst("^[^\n,]*", "node");
    Path golden = TREES.resolve(name + ".txt");
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(golden, picture);
    }
    assertThat(picture).isEqualTo(Files.readString(golden));
  }

  @Test
  void printsJson() throws IOException {
    String json = topo("topo", "--json", "--root=" + tree("vm-sriov"));
    assertThat(json)
        .startsWith("{\"schema\":\"hpcrun.topology/1\",\"node\":\"")
        .contains("\"machine\":\"virtual\"", "\"virtual_function\":true")
        .contains(Files.readString(TREES.resolve("vm-sriov.json")).strip().substring(1));
  }

  @Test
  void refusesWhatItDoesNotUnderstand() {
    assertThat(topo("topo", "x"))
        .contains("takes the name of one node, or a directory, or nothing");
    assertThat(topo("topo", "--node=a b")).contains("takes the name of one node");
    assertThat(topo("topo", "--node=a", "--root=/x")).contains("takes the name of one node");
    assertThat(topo("topo", "--root=" + directory.resolve("none")))
        .contains("cannot be looked at", "give a directory");
  }
}
