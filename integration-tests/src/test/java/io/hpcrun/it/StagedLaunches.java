package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** alice's launches with {@code --stage=node} of images of 9 MiB, and what has to come of them. */
final class StagedLaunches {
  /** Begins what is said of nodes that use the shared image. */
  static final String SHARED = "the image is used from where it is: ";

  static final String SAYS = "hpcrun: ";
  static final String DIRECTORY = "/home/alice/staged/";

  private static final Pattern LAUNCH = Pattern.compile("launch (\\d+)\\.0\\.0 ");
  private static final int SHOWN = 3000;

  private final Login alice;
  private final String tiny;
  private final CaseTable table = new CaseTable("case", "exit", "message", "image from");
  private final Map<String, String> digests = new HashMap<>();

  StagedLaunches(LabCluster lab, String... images) {
    alice = lab.alice();
    tiny = lab.image("tiny");
    alice.bash("rm -rf \"$1\" && mkdir \"$1\"", DIRECTORY).succeeded();
    Stream.of(images).forEach(this::makeImage);
  }

  /** Nothing of an image is read beyond its last part, so that anything can follow. */
  void makeImage(String name) {
    String script = "{ cat \"$1\" && head -c 8M /dev/urandom; } >\"$2\" && sha256sum \"$2\"";
    Outcome made = alice.bash(script, tiny, path(name)).succeeded();
    digests.put(name, made.output().split(" ")[0]);
  }

  void removeImages() {
    alice.run("rm", "-rf", DIRECTORY).succeeded();
  }

  static String path(String image) {
    return DIRECTORY + image + ".sif";
  }

  String digest(String image) {
    return digests.get(image);
  }

  /** The names of the images' files in a cache. */
  List<String> staged(String... images) {
    return Stream.of(images).map(image -> digest(image) + ".sif").toList();
  }

  CaseTable table() {
    return table;
  }

  Outcome run(String image, String... options) {
    List<String> words = new ArrayList<>(List.of("hpcrun", "run", "--stage=node"));
    words.addAll(List.of(options));
    words.addAll(List.of(path(image), "--", "echo", "rank"));
    return alice.run(words);
  }

  static List<String> said(Outcome outcome) {
    return Stream.concat(outcome.lines().stream(), outcome.errorLines().stream())
        .filter(line -> line.startsWith(SAYS))
        .toList();
  }

  static Map<String, String> both(String from) {
    return Map.of("c1", from, "c2", from);
  }

  /** Where each node's image came from. */
  Map<String, String> from(String job) {
    Map<String, String> from = new TreeMap<>();
    NodeRecord.of(alice, job).forEach(record -> from.put(record.node(), record.imageFrom()));
    return from;
  }

  /**
   * Runs an image and checks what came of it.
   *
   * @param from where the nodes' images come from; a rank runs on each of these nodes
   * @param said how the lines begin that hpcrun says, and no others
   */
  void check(
      String what, List<String> options, String image, Map<String, String> from, String... said) {
    Outcome outcome = run(image, options.toArray(String[]::new));
    String shown = outcome.toString();
    shown = what + ": " + shown.substring(0, Math.min(SHOWN, shown.length()));
    Matcher launch = LAUNCH.matcher(outcome.error());
    assertThat(launch.find()).as(shown).isTrue();
    Map<String, String> recorded = from(launch.group(1));
    table.row(what, outcome.exitCode(), String.join("<br>", said(outcome)), recorded);
    assertThat(outcome.exitCode()).as(shown).isZero();
    assertThat(said(outcome)).as(what).hasSameSizeAs(said);
    for (String text : said) {
      assertThat(said(outcome)).as(what).anyMatch(line -> line.startsWith(SAYS + text));
    }
    assertThat(recorded).as(what).isEqualTo(from);
    assertThat(outcome.lines()).as(what).hasSize(from.size() + said.length);
    assertThat(outcome.lines().stream().filter("rank"::equals)).as(what).hasSize(from.size());
  }
}
