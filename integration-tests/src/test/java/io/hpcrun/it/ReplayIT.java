package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Timing;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code hpcrun replay} and {@code hpcrun diff} of real launches, and the manifests that they read.
 */
class ReplayIT {
  private static final String RECORDS = "/home/alice/replay/records";
  private static final String IMAGE = "/home/alice/replay/app.sif";
  private static final String OPTION_SECRET = "hidden-in-an-option-4711";
  private static final String VARIABLE_SECRET = "hidden-in-a-variable-4712";
  private static final String OTHER_SECRET = "another-secret-4713";
  private static final JsonMapper JSON = new JsonMapper();

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login plain = lab.alice().with("HPCRUN_RECORDS", RECORDS);
  private final Login alice =
      plain.with("OMP_NUM_THREADS", "4").with("MINE", "private").with("MY_TOKEN", VARIABLE_SECRET);

  private final Jobs jobs = new Jobs(lab.alice());
  private final String tiny = lab.image("tiny");
  private final String other = lab.image("hello-openmpi");
  private final List<Outcome> said = new ArrayList<>();
  private String first;
  private String second;
  private String changed;
  private String array;
  private byte[] script;

  private String submit(Login login, String... options) {
    List<String> words = new ArrayList<>(List.of("hpcrun", "submit", "--parsable"));
    words.addAll(List.of(options));
    words.addAll(List.of("--env=APP_PASSWORD=" + OPTION_SECRET, IMAGE, "--"));
    words.addAll(List.of("sh", "-c", "echo $MODE $OMP_NUM_THREADS $PWD; exit $1", "sh", "0"));
    return here(login, words).succeeded().output().strip();
  }

  /** In the directory of this test. */
  private Outcome here(Login login, List<String> words) {
    List<String> command = new ArrayList<>(List.of("env", "--chdir=/home/alice/replay"));
    command.addAll(words);
    return heard(login.run(command));
  }

  private Outcome heard(Outcome outcome) {
    said.add(outcome);
    return outcome;
  }

  @BeforeAll
  void launch() {
    lab.alice().run("mkdir", "-p", "/home/alice/replay").succeeded();
    lab.alice().run("cp", tiny, IMAGE).succeeded();
    first = submit(alice, "-w", "c1", "--mem=1G", "--env=MODE=fast", "-o", "out-%j");
    // Slurm forgets it soon.
    script = lab.alice().run("scontrol", "write", "batch_script", first, "-").succeeded().out();
    second = submit(alice, "-w", "c1", "--mem=1G", "--env=MODE=fast", "-o", "out-%j");
    changed =
        submit(
            alice.with("OMP_NUM_THREADS", "8").with("MINE", "changed"),
            "-w",
            "c2",
            "--mem=2G",
            "--env=MODE=slow",
            "-o",
            "out-%j");
    array = submit(alice, "--array=1-2", "--mem=1G", "-o", "out-%A_%a");
    jobs.awaitEnd(List.of(first, second, changed, array));
  }

  @Test
  void theSameTwiceDiffersInNothingButTimes() {
    assertThat(differences(first, second)).allMatch(each -> section(each).equals("timing"));
  }

  @Test
  void whatChangedIsNamed() {
    List<String> lines =
        differences(first, changed).stream()
            .filter(each -> !section(each).equals("timing"))
            .map(
                each ->
                    "%s %s: %s -> %s"
                        .formatted(
                            section(each),
                            each.get("what").asString(),
                            each.path("before").asString(""),
                            each.path("after").asString("")))
            .toList();
    assertThat(lines)
        .contains(
            "options --env MODE: fast -> slow",
            "options --mem: 1G [option: command line] -> 2G [option: command line]",
            "options --nodelist: c1 [option: command line] -> c2 [option: command line]",
            "environment OMP_NUM_THREADS: 4 -> 8",
            "environment MINE: *** -> ***",
            "nodes nodes: c1 -> c2")
        .noneMatch(line -> line.startsWith("image") || line.startsWith("versions"));
    assertThat(heard(alice.run("hpcrun", "diff", first, changed)).succeeded().output())
        .contains("options\n", "  --env MODE: fast -> slow\n", "environment\n");
  }

  @Test
  void aReplayIsTheSameScriptAndTheSameJobFromAnyShell() {
    Login shell = plain.with("MY_TOKEN", VARIABLE_SECRET).with("APP_PASSWORD", OPTION_SECRET);
    Outcome dry =
        heard(shell.with("OMP_PROC_BIND", "close").run("hpcrun", "replay", "--dry-run", first));
    assertThat(dry.succeeded().out()).isEqualTo(script);
    assertThat(dry.error())
        .contains(
            "is that of job " + first + ", byte for byte", "OMP_NUM_THREADS", "OMP_PROC_BIND");
    String again =
        heard(shell.run("hpcrun", "replay", first, "--parsable")).succeeded().output().strip();
    jobs.awaitEnd(again);
    assertThat(output(again)).isEqualTo("fast 4 /home/alice/replay\n").isEqualTo(output(first));
    assertThat(differences(first, again))
        .filteredOn(each -> !section(each).equals("timing"))
        .map(each -> each.get("what").asString())
        // The shell has what the other did not keep.
        .containsExactlyInAnyOrder("MINE", "APP_PASSWORD");
  }

  @Test
  void aReplayKeepsTheRulesOfNow() {
    String directory = "/home/alice/replay/";
    String rules =
        """
        contact: help@example.org
        rules: [{id: no-shells, reason: No shells here., forbid: {command: sh}}]
        """;
    lab.alice().write(directory + "policy.yaml", rules.getBytes(StandardCharsets.UTF_8));
    lab.alice()
        .write(
            directory + "site.yaml",
            ("policy: " + directory + "policy.yaml\n").getBytes(StandardCharsets.UTF_8));
    Outcome refused =
        heard(
            alice
                .with("ANY", OPTION_SECRET)
                .with("HPCRUN_SITE", directory + "site.yaml")
                .run("hpcrun", "replay", first));
    assertThat(refused.exitCode()).as("%s", refused).isEqualTo(3);
    assertThat(refused.error()).contains("policy no-shells: No shells here");
  }

  @Test
  void aReplayWithoutItsSecretsIsRefused() {
    Outcome none = heard(plain.run("hpcrun", "replay", first));
    assertThat(none.exitCode()).as("%s", none).isEqualTo(3);
    assertThat(none.error()).contains("--env=APP_PASSWORD=***");
    Login shell = plain.with("APP_PASSWORD", OPTION_SECRET);
    Outcome unset = heard(shell.run("hpcrun", "replay", first));
    assertThat(unset.exitCode()).as("%s", unset).isEqualTo(3);
    assertThat(unset.error()).contains("MY_TOKEN is not set");
    Login another = shell.with("MY_TOKEN", OTHER_SECRET);
    assertThat(heard(another.run("hpcrun", "replay", first)).error())
        .contains("MY_TOKEN has another value");
    heard(another.run("hpcrun", "replay", "--force", "--dry-run", first)).succeeded();
  }

  @Test
  void anotherImageAtTheSamePathIsRefusedAndNamed() {
    String path = "/home/alice/replay/moving.sif";
    lab.alice().run("cp", tiny, path).succeeded();
    String before = submitPlain(path);
    lab.alice().run("cp", other, path).succeeded();
    String after = submitPlain(path);
    Outcome refused = heard(plain.run("hpcrun", "replay", before));
    assertThat(refused.exitCode()).as("%s", refused).isEqualTo(3);
    assertThat(refused.error()).contains(path + " is not the one of job " + before, "content:");
    heard(plain.run("hpcrun", "replay", before, "--force", "--dry-run")).succeeded();
    assertThat(differences(before, after))
        .filteredOn(each -> section(each).equals("image"))
        .singleElement()
        .satisfies(
            each -> assertThat(each.get("note").asString()).contains("the file at this path"));
    lab.alice().run("rm", path).succeeded();
    Outcome gone = heard(plain.run("hpcrun", "replay", before));
    assertThat(gone.exitCode()).as("%s", gone).isEqualTo(5);
    lab.alice().run("scancel", before, after).succeeded();
  }

  private String submitPlain(String image) {
    return heard(plain.run("hpcrun", "submit", "--parsable", "--hold", image, "--", "true"))
        .succeeded()
        .output()
        .strip();
  }

  @Test
  void aScriptIsReplayedAsItWas() {
    String file = "/home/alice/replay/steps.sh";
    String script =
        "#!/bin/bash\n#SBATCH -n 1 --hold\n#HPCRUN --image=%s\nhpcrun exec -- echo one\n";
    lab.alice().write(file, script.formatted(tiny).getBytes(StandardCharsets.UTF_8));
    String job =
        heard(plain.run("hpcrun", "submit", "--parsable", file, "a b"))
            .succeeded()
            .output()
            .strip();
    byte[] submitted =
        lab.alice().run("scontrol", "write", "batch_script", job, "-").succeeded().out();
    lab.alice().run("rm", file).succeeded();
    Outcome replay = heard(plain.run("hpcrun", "replay", "--dry-run", job)).succeeded();
    assertThat(replay.out()).isEqualTo(submitted);
    assertThat(replay.error()).contains("what runs is what was submitted then");
    lab.alice().run("scancel", job).succeeded();
  }

  @Test
  void elementsOfAnArrayShareAManifestAndAreComparedOneByOne() {
    assertThat(Timing.of(plain, array).launches()).hasSize(2);
    assertThat(differences(array + "_1", array + "_2"))
        .filteredOn(each -> Set.of("options", "command", "environment").contains(section(each)))
        .isEmpty();
    Outcome whole = heard(plain.run("hpcrun", "diff", array, first));
    assertThat(whole.exitCode()).as("%s", whole).isEqualTo(2);
    assertThat(whole.error()).contains("an array of 2 elements", array + "_1");
  }

  @Test
  void aLaunchWithoutAManifestIsComparedByItsRecords() {
    lab.alice()
        .bash("cp -r \"$1\" \"$1-old\" && rm \"$1-old\"/*/manifest.json", RECORDS)
        .succeeded();
    Login old = plain.with("HPCRUN_RECORDS", RECORDS + "-old");
    assertThat(heard(old.run("hpcrun", "diff", first, changed)).succeeded().output())
        .contains("nodes: c1 -> c2")
        .doesNotContain("OMP_NUM_THREADS");
    Outcome none = heard(old.run("hpcrun", "replay", first));
    assertThat(none.exitCode()).as("%s", none).isEqualTo(2);
    assertThat(none.error()).contains("job " + first + " has no manifest");
  }

  @Test
  void aManifestThatCannotBeWrittenIsSaidAndTheJobIsSubmitted() {
    Outcome outcome =
        heard(
            plain
                .with("HPCRUN_RECORDS", "/etc/passwd")
                .run("hpcrun", "submit", "--parsable", "--hold", tiny, "--", "true"));
    assertThat(outcome.succeeded().output()).matches("\\d+\n");
    assertThat(outcome.errorLines())
        .singleElement()
        .asString()
        .startsWith("hpcrun: note: job " + outcome.output().strip() + " has no manifest");
    lab.alice().run("scancel", outcome.output().strip()).succeeded();
  }

  @AfterAll
  void noSecretIsInRecordsOrInWhatWasSaid() {
    for (String secret : List.of(OPTION_SECRET, VARIABLE_SECRET, OTHER_SECRET)) {
      Outcome found =
          lab.alice().bash("grep -rl -- \"$1\" \"$2\" /home/alice/replay/out-*", secret, RECORDS);
      assertThat(found.exitCode()).as("%s", found).isEqualTo(1);
      assertThat(said)
          .allSatisfy(
              outcome ->
                  assertThat(outcome.output() + outcome.error())
                      .satisfies(text -> assertThat(withoutScript(text)).doesNotContain(secret)));
    }
    assertThat(
            lab.alice()
                .run("find", RECORDS, "-name", "manifest*", "!", "-perm", "600")
                .succeeded()
                .output())
        .isEmpty();
  }

  /** A job script has to have the values of --env. */
  private static String withoutScript(String text) {
    return text.startsWith("#!/bin/bash") ? "" : text;
  }

  private List<JsonNode> differences(String one, String another) {
    JsonNode document =
        JSON.readTree(heard(alice.run("hpcrun", "diff", "--json", one, another)).succeeded().out());
    assertThat(document.get("schema").asString()).isEqualTo("hpcrun.diff/1");
    return document.get("differences").valueStream().collect(Collectors.toList());
  }

  private static String section(JsonNode difference) {
    return difference.get("section").asString();
  }

  private String output(String job) {
    return new String(lab.alice().read("/home/alice/replay/out-" + job), StandardCharsets.UTF_8);
  }
}
