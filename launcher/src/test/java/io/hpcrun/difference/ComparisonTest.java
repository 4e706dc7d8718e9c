package io.hpcrun.difference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.difference.Difference.Section;
import io.hpcrun.failure.Failure;
import io.hpcrun.manifest.Manifest;
import io.hpcrun.manifest.Submissions;
import io.hpcrun.timing.RecordDirectory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComparisonTest {
  private static final long MS = 1_000_000;

  @TempDir private Path directory;

  private Submissions user() {
    return Submissions.of(directory);
  }

  private static List<String> differences(Manifest one, Manifest other) {
    return Comparison.of(Side.of("1", one), Side.of("2", other)).stream()
        .map(ComparisonTest::line)
        .toList();
  }

  private static String line(Difference each) {
    return "%s %s: %s -> %s"
        .formatted(each.section().label(), each.what(), each.before(), each.after());
  }

  @Test
  void theSameTwiceDiffersInNothing() {
    String[] words = {"-N", "2", "--env=HF_TOKEN=abc", "/a.sif", "--", "app", "--password=x"};
    assertThat(differences(user().manifest(words), user().manifest(words))).isEmpty();
  }

  @Test
  void optionsAreNamedWithWhoSaidThem() {
    assertThat(
            differences(
                user().manifest("-N", "2", "--env=A=1", "--env=B=1", "/a.sif", "app"),
                user().manifest("-N", "4", "--nv", "--env=A=2", "--env=C=", "/a.sif", "app")))
        .contains(
            "options --env A: 1 -> 2",
            "options --env B: 1 -> ",
            "options --env C:  -> ''",
            "options --nodes: 2 [option: command line] -> 4 [option: command line]",
            "options --nv:  -> yes [option: command line]");
  }

  @Test
  void wordsOfTheCommandAreNamed() {
    assertThat(
            differences(
                user()
                    .manifest("/a.sif", "--", "app", "--steps=100", "gr\u00c3\u00b6\u00c3\u009fe"),
                user().manifest("/a.sif", "--", "app", "--steps=200", "x")))
        .containsExactly(
            "command argument 1: --steps=100 -> --steps=200",
            "command argument 2: gr\u00f6\u00dfe -> x");
    assertThat(
            differences(
                user().manifest("/a.sif", "--", "app", "-n", "1"),
                user().manifest("/a.sif", "--", "app")))
        .containsExactly("command command: app -n 1 -> app");
  }

  @Test
  void secretsThatChangedAreNamedAndNotShown() {
    List<Difference> found =
        Comparison.of(
            Side.of(
                "1",
                user().with("DB_PASSWORD", "one").manifest("--env=HF_TOKEN=a", "/a.sif", "app")),
            Side.of(
                "2",
                user().with("DB_PASSWORD", "two").manifest("--env=HF_TOKEN=b", "/a.sif", "app")));
    assertThat(found)
        .map(ComparisonTest::line)
        .containsExactly(
            "options --env HF_TOKEN: *** -> ***", "environment DB_PASSWORD: *** -> ***");
    assertThat(found).allMatch(each -> each.note().equals("changed; its value is not kept"));
  }

  @Test
  void digestsWithAnotherKeySayNothing() {
    Submissions user = user().with("MINE", "x");
    Manifest other =
        new Submissions(
                user.environment(),
                directory,
                new io.hpcrun.manifest.Masking(new byte[] {1}),
                user.slurm(),
                user.imageState())
            .manifest("--env=HF_TOKEN=a", "/a.sif", "app");
    assertThat(differences(user.manifest("--env=HF_TOKEN=a", "/a.sif", "app"), other)).isEmpty();
  }

  @Test
  void variablesWhoseValuesAreKeptComeFirst() {
    assertThat(
            differences(
                user().with("AAA", "1").with("OMP_NUM_THREADS", "1").manifest("/a.sif", "app"),
                user().with("AAA", "2").with("OMP_NUM_THREADS", "8").manifest("/a.sif", "app")))
        .containsExactly("environment OMP_NUM_THREADS: 1 -> 8", "environment AAA: *** -> ***");
  }

  @Test
  void anotherImageAtTheSamePathAndAnotherSlurmAreNamed() {
    List<Difference> found =
        Comparison.of(
            Side.of("1", user().manifest("/a.sif", "app")),
            Side.of(
                "2",
                user().withImage("e".repeat(64)).withSlurm("25.05.1").manifest("/a.sif", "app")));
    assertThat(found.getFirst().section()).isEqualTo(Section.IMAGE);
    assertThat(found.getFirst().note()).contains("the file at this path is another one");
    assertThat(found).map(ComparisonTest::line).contains("versions Slurm: 24.11.5 -> 25.05.1");
  }

  @Test
  void decisionsAreNamedWithTheirReasons() {
    List<Difference> found =
        Comparison.of(
            Side.of("1", user().manifest("/a.sif", "app")),
            Side.of("2", user().manifest("--mode=exec", "/a.sif", "app")));
    assertThat(found)
        .filteredOn(each -> each.section() == Section.DECISIONS && each.what().equals("mode"))
        .singleElement()
        .satisfies(
            each -> {
              assertThat(each.before()).isEqualTo("auto");
              assertThat(each.after()).isEqualTo("exec");
              assertThat(each.note()).contains("you asked for it");
            });
  }

  @Test
  void aLineOfAScriptIsNamed() throws IOException {
    Path script = directory.resolve("job.sh");
    Files.writeString(script, "#!/bin/bash\n#HPCRUN --image=/a.sif\nhpcrun exec -- a\nexit\n");
    Manifest one = user().manifest("job.sh");
    Files.writeString(script, "#!/bin/bash\n#HPCRUN --image=/a.sif\nhpcrun exec -- b\nexit\n");
    assertThat(differences(one, user().manifest("job.sh")))
        .containsExactly("command script, line 3: hpcrun exec -- a -> hpcrun exec -- b");
  }

  @Test
  void launchesWithoutManifestsAreComparedByTheirRecords() throws IOException {
    launch("1", "\"exit\":0,\"mpi\":\"pmix\",\"hpcrun\":\"0.1.0\",\"image\":\"/a.sif\"");
    node("1", "c1", "\"kernel\":\"6.1\",\"driver_nvidia\":\"550.1\"", 10);
    node("1", "c2", "\"kernel\":\"6.1\"", 10);
    launch("2", "\"exit\":139,\"mpi\":\"pmi2\",\"hpcrun\":\"0.2.0\",\"image\":\"/a.sif\"");
    node("2", "c1", "\"kernel\":\"6.1\",\"driver_nvidia\":\"570.2\"", 10);
    node("2", "c3", "\"kernel\":\"6.8\"", 400);
    RecordDirectory records = new RecordDirectory(directory);
    List<Difference> found = Comparison.of(Side.read("1", records), Side.read("2", records));
    assertThat(found)
        .map(ComparisonTest::line)
        .containsExactly(
            "outcome exit code: 0 -> 139",
            "decisions mpi: pmix -> pmi2",
            "versions hpcrun: 0.1.0 -> 0.2.0",
            "nodes nodes: c[1-2] -> c[1,3]",
            "nodes NVIDIA driver: 550.1 -> 570.2",
            "nodes kernel: 6.1 -> 6.1 (c1), 6.8 (c3)",
            "timing check: 10.0 ms -> 400 ms");
    assertThat(found.getLast().note()).isEqualTo("at most, 40 times as long; slowest c3");
  }

  @Test
  void aDriverThatOtherNodesLackIsNamedUnlessTheirRecordsAreOlder() throws IOException {
    launch("1", "\"exit\":0");
    node("1", "c1", "\"kernel\":\"6.1\",\"driver_nvidia\":\"550.1\"", 1);
    launch("2", "\"exit\":0");
    node("2", "c2", "\"kernel\":\"6.1\"", 1);
    launch("3", "\"exit\":0");
    node("3", "c2", "\"mode\":\"join\"", 1);
    RecordDirectory records = new RecordDirectory(directory);
    assertThat(Comparison.of(Side.read("1", records), Side.read("2", records)))
        .map(ComparisonTest::line)
        .containsExactly("nodes nodes: c1 -> c2", "nodes NVIDIA driver: 550.1 -> ");
    assertThat(Comparison.of(Side.read("1", records), Side.read("3", records)))
        .map(ComparisonTest::line)
        .containsExactly("nodes nodes: c1 -> c2");
  }

  @Test
  void devicesAreReadFromTheTopology() throws IOException {
    String gpus =
        "{\"kind\":\"nvidia\",\"model\":\"H100\"},{\"kind\":\"nvidia\",\"model\":\"H100\"}";
    String port =
        "{\"port\":\"mlx5_0:1\",\"link\":\"InfiniBand\",\"rate_gbps\":%s,\"state\":\"ACTIVE\"}";
    launch("1", "\"exit\":0");
    node(
        "1",
        "c1",
        "\"kernel\":\"6\",\"topology\":{\"gpus\":[%s],\"ports\":[%s]}"
            .formatted(gpus, port.formatted(400)),
        1);
    launch("2", "\"exit\":0");
    node(
        "2",
        "c1",
        "\"kernel\":\"6\",\"topology\":{\"gpus\":[],\"ports\":[%s],\"problems\":[\"a GPU is missing\"]}"
            .formatted(port.formatted(200)),
        1);
    RecordDirectory records = new RecordDirectory(directory);
    assertThat(Comparison.of(Side.read("1", records), Side.read("2", records)))
        .map(ComparisonTest::line)
        .containsExactly(
            "nodes GPUs: 2 x H100 -> ",
            "nodes network ports: mlx5_0:1 InfiniBand 400 Gb/s ACTIVE -> mlx5_0:1 InfiniBand 200"
                + " Gb/s ACTIVE",
            "nodes problems of devices:  -> a GPU is missing");
  }

  @Test
  void smallDifferencesOfTimesAreNone() throws IOException {
    launch("1", "\"exit\":0");
    node("1", "c1", "\"kernel\":\"6.1\"", 100);
    launch("2", "\"exit\":0");
    node("2", "c1", "\"kernel\":\"6.1\"", 140);
    RecordDirectory records = new RecordDirectory(directory);
    Side one = Side.read("1", records);
    Side other = Side.read("2", records);
    assertThat(Comparison.of(one, other)).isEmpty();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    DifferenceTable.print(
        one, other, List.of(), new PrintStream(out, true, StandardCharsets.UTF_8));
    assertThat(out.toString(StandardCharsets.UTF_8)).endsWith("\n\nnothing differs\n");
  }

  @Test
  void theLastRunOfAJobCountsAndEachLaunchOfAScriptIsCompared() throws IOException {
    Files.createDirectories(directory.resolve("1"));
    record("1", "1.0.0", "\"exit\":1");
    record("1", "1.1.0", "\"exit\":0");
    record("1", "1.1.1", "\"exit\":7");
    launch("2", "\"exit\":0");
    RecordDirectory records = new RecordDirectory(directory);
    assertThat(Side.read("1", records).launches())
        .map(Side.Launch::id)
        .containsExactly("1.1.0", "1.1.1");
    assertThat(Comparison.of(Side.read("1", records), Side.read("2", records)))
        .map(ComparisonTest::line)
        .containsExactly("outcome launches: 2 -> 1");
    assertThat(Comparison.of(Side.read("1.1.1", records), Side.read("2", records)))
        .map(ComparisonTest::line)
        .containsExactly("outcome exit code: 7 -> 0");
  }

  @Test
  void anArrayNeedsAnElement() throws IOException {
    launch("5_1", "\"exit\":0");
    launch("5_2", "\"exit\":0");
    Files.createDirectories(directory.resolve("5")); // its manifest is there
    RecordDirectory records = new RecordDirectory(directory);
    assertThat(Side.read("5_2", records).launches()).hasSize(1);
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> Side.read("5", records))
        .withMessageContaining("array of 2 elements");
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> Side.read("6", records))
        .withMessageContaining("nothing is known of 6");
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> Side.read("../6", records))
        .withMessageContaining("not a job id");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "c1 c1",
        "c1,c2,c3 c[1-3]",
        "c3,c1,c7 c[1,3,7]",
        "n09,n10,n9 n09,n[9-10]",
        "a,c1,b a,b,c1"
      })
  void nodesAreListedInShort(String nodes, String list) {
    assertThat(NodeList.of(List.of(nodes.split(",")))).isEqualTo(list);
  }

  private void launch(String job, String members) throws IOException {
    Files.createDirectories(directory.resolve(job));
    record(job, job + ".0.0", members);
  }

  private void record(String job, String launch, String members) throws IOException {
    Files.writeString(
        directory.resolve(job).resolve(launch + ".job.jsonl"),
        "{\"type\":\"launch\",\"launch\":\"%s\",\"state\":\"ended\",%s}\n"
            .formatted(launch, members));
  }

  private void node(String job, String node, String members, long checkMs) throws IOException {
    Files.writeString(
        directory.resolve(job).resolve(job + ".0.0.node." + node + ".jsonl"),
        "{\"type\":\"node\",\"node\":\"%s\",%s,\"check_begin_ns\":0,\"check_end_ns\":%d}\n"
            .formatted(node, members, checkMs * MS));
  }
}
