package io.hpcrun.jobfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Origin;
import io.hpcrun.request.Requests;
import io.hpcrun.request.SiteOptions;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.yaml.YamlFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JobFileTest {
  private static final String JOB =
      """
      description: A relaxation.
      parameters:
        input: {type: path, help: the input file}
        steps: {type: integer, default: 1000, min: 1, max: 100000}
        more: {type: list, default: []}
      image: app.sif
      command:
        - ./app
        - --steps=${steps}
        - '${input}'
        - '${more}'
        - '$HOME $(id) $${steps} $$'
      nodes: 2
      ntasks: 8
      time: 1:30:00
      exclusive: true
      env: {INPUT: '${input}', OMP_NUM_THREADS: 4}
      bind: [/scratch, '/opt/a b:/opt/b:ro']
      constraint: [hot, cold]
      """;

  @Test
  void saysWhatOptionsSay() {
    LaunchSpec spec = spec(JOB, List.of(), "input=in put; rm -rf *");
    assertThat(spec.image()).isEqualTo(Path.of("/work/app.sif"));
    assertThat(spec.slurm(SlurmOption.NODES)).contains("2");
    assertThat(spec.slurm(SlurmOption.NTASKS)).contains("8");
    assertThat(spec.slurm(SlurmOption.TIME)).contains("1:30:00");
    assertThat(spec.slurm(SlurmOption.EXCLUSIVE)).contains("");
    assertThat(spec.slurm(SlurmOption.CONSTRAINT)).contains("hot,cold");
    assertThat(spec.slurm(SlurmOption.JOB_NAME)).contains("app");
    assertThat(spec.container().binds()).hasSize(2);
    assertThat(words(spec))
        .containsExactly("./app", "--steps=1000", "in put; rm -rf *", "$HOME $(id) ${steps} $$");
    assertThat(spec.container().environment())
        .contains(
            new EnvironmentVariable("INPUT", ByteString.of("in put; rm -rf *")),
            new EnvironmentVariable("OMP_NUM_THREADS", ByteString.of("4")));
  }

  @Test
  void aListStandsAsSeveralWordsAndValuesAreNotLookedThrough() {
    LaunchSpec spec =
        spec(JOB, List.of(), "input=${steps}", "more=-v", "more=x y", "more=", "steps=7");
    assertThat(words(spec).subList(1, 6)).containsExactly("--steps=7", "${steps}", "-v", "x y", "");
  }

  @Test
  void theCommandLineWins() {
    LaunchSpec spec =
        spec(
            JOB,
            List.of(
                "-N", "4", "--image=other.sif", "--env", "INPUT=mine", "--unset=bind,exclusive"),
            "input=a");
    assertThat(spec.image()).isEqualTo(Path.of("/work/other.sif"));
    assertThat(spec.slurm(SlurmOption.NODES)).contains("4");
    assertThat(spec.slurm(SlurmOption.EXCLUSIVE)).isEmpty();
    assertThat(spec.container().binds()).isEmpty();
    assertThat(spec.container().environment().toString()).contains("mine");
  }

  @Test
  void whatAFileExtendsIsBelowIt() {
    JobFile file =
        new JobFile(
            List.of(
                part(Origin.Kind.TEMPLATE, "base.yaml", JOB),
                part(
                    Origin.Kind.JOB_FILE,
                    "job.yaml",
                    "set: {input: mine}\nparameters: {steps: {default: 5}}\n"
                        + "nodes: 3\nexclusive: false\nenv: {OMP_NUM_THREADS: 1}\n")));
    LaunchSpec spec = requested(file, List.of()).spec();
    assertThat(words(spec)).contains("--steps=5", "mine");
    assertThat(spec.slurm(SlurmOption.NODES)).contains("3");
    assertThat(spec.slurm(SlurmOption.EXCLUSIVE)).isEmpty();
    assertThat(spec.container().environment())
        .contains(
            new EnvironmentVariable("INPUT", ByteString.of("mine")),
            new EnvironmentVariable("OMP_NUM_THREADS", ByteString.of("1")));
    assertThatThrownBy(() -> file.values(List.of("steps=0")))
        .hasMessage("--set steps: '0' is below the least of the parameter steps, 1");
    assertThat(
            requested(file, List.of()).settings().stream()
                .filter(setting -> setting.name().equals("nodes"))
                .map(setting -> setting.origin().toString()))
        .containsExactly("job file: job.yaml, line 3, column 1");
  }

  @Test
  void aProgramByItselfNeedsNoList() {
    assertThat(words(spec("image: a.sif\ncommand: hostname\n", List.of())))
        .containsExactly("hostname");
    assertThat(
            words(
                spec(
                    "image: a.sif\ncommand: [a, '', 1, null , ~x, true]\n".replace("null ,", ""),
                    List.of())))
        .containsExactly("a", "", "1", "~x", "true");
  }

  /** Mistakes in the file: place, cause and remedy. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "image: app.sif=>image: ''|line 6, column 8: |",
        "image: app.sif=>imgae: app.sif|line 6, column 1: there is no key 'imgae' here|write 'image'",
        "image: app.sif=>image: [a]|line 6, column 8: a list stands where a text|write",
        "  - ./app=>  - ''|line 8, column 5: |",
        "  - ./app=>  - [a]|line 8, column 5: a list stands where a text|write",
        "  - ./app=>  - '${inptu}'|line 8, column 5: there is no parameter 'inptu'|write ${input}",
        "  - ./app=>  - '${more}x'|line 8, column 5: |",
        "nodes: 2=>nodes: two|line 13, column 8: --nodes (-N): 'two' is not|",
        "nodes: 2=>nodes: [1, 2]|line 13, column 8: a list stands where a text|write",
        "nodes: 2=>nodes: {a: 1}|line 13, column 8: a map stands where a text|write",
        "nodes: 2=>nodes: '${input}'|line 13, column 8: |",
        "nodes: 2=>nodes: ~|line 13, column 8: nothing stands where a text|write",
        "nodes: 2=>nodes: 2\nnodes: 3|line 14, column 1: |",
        "nodes: 2=>node: 2|line 13, column 1: there is no key 'node' here|write 'nodes'",
        "time: 1:30:00=>time: soon|line 15, column 7: --time (-t): 'soon' is not|",
        "exclusive: true=>exclusive: [a]|line 16, column 12: a list stands where|write",
        "env: {INPUT=>env: {A B: 1, INPUT|line 17, column 6: --env: 'A B' is not a variable|",
        "bind: [/scratch=>bind: [scratch|line 18, column 7: --bind scratch: 'scratch' is not|",
        "constraint: [hot, cold]=>constraint: [[hot]]|line 19, column 14: a list stands where|write",
        "  steps: {type: integer=>  steps: {type: int|line 4, column 17: |write 'integer'",
        "  steps: {type: integer=>  9steps: {type: integer|line 4, column 3: '9steps' cannot name|",
        "default: 1000=>default: 1000000|line 4, column 35: |",
        "default: 1000=>default: x|line 4, column 35: |",
        "min: 1,=>min: x,|line 4, column 46: |",
        "min: 1,=>minimum: 1,|line 4, column 41: there is no key 'minimum' here|write 'min'",
        "default: []=>default: {a: b}|line 5, column 31: a map stands|write",
        "description: A relaxation.=>description: [A]|line 1, column 14: a list stands where|write",
        "description: A relaxation.=>extends: [a]|line 1, column 10: a list stands|write",
        "description: A relaxation.=>set: {stepz: 1}|line 1, column 7: there is no parameter|",
        "description: A relaxation.=>tests: {a: b}|line 1, column 8: a map stands where a list|write",
      })
  void refusesFilesThatAreWrong(String wrong) {
    String[] expected = wrong.split("\\|", -1);
    String[] change = expected[0].split("=>", -1);
    String text = JOB.replace(change[0], change[1]);
    assertThat(text).isNotEqualTo(JOB);
    assertThatThrownBy(() -> spec(text, List.of(), "input=a"))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("job.yaml, " + expected[1])
        .satisfies(
            failure -> {
              assertThat(((Failure) failure).exitCode()).isEqualTo(ExitCode.USAGE);
              assertThat(((Failure) failure).remedy()).isNotBlank().startsWith(expected[2]);
            });
  }

  /** Mistakes on the command line beside a file that is right. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "steps=1|the parameter input has no value; it is: the input file",
        "input=|--set input: '' is not a path",
        "input=a b=1|--set b: there is no parameter 'b'",
        "input=a input=b|--set gives the parameter input twice",
        "input=a steps=x|--set steps: 'x' is not a whole number",
        "input=a steps=100001|--set steps: '100001' is beyond the greatest",
        "input|--set input is not NAME=VALUE",
        "=x|--set =x is not NAME=VALUE",
      })
  void refusesValuesThatAreWrong(String given) {
    String[] parts = given.split("\\|");
    assertThatThrownBy(() -> spec(JOB, List.of(), parts[0].split(" ")))
        .hasMessageContaining(parts[1])
        .extracting(failure -> ((Failure) failure).exitCode())
        .isEqualTo(ExitCode.USAGE);
  }

  @Test
  void valuesCannotMakeAFileLarge() {
    String large = "x".repeat(1 << 18);
    assertThatThrownBy(
            () ->
                spec(
                    "parameters: {a: {}}\nimage: a.sif\ncommand: [e"
                        + ", '${a}'".repeat(32)
                        + "]\n",
                    List.of(),
                    "a=" + large))
        .hasMessageContaining("larger than what sbatch takes");
  }

  static JobFile.Part part(Origin.Kind kind, String name, String text) {
    return new JobFile.Part(
        kind, YamlFile.parse(name, text.getBytes(StandardCharsets.UTF_8)).map());
  }

  static Requests.Requested requested(JobFile file, List<String> words, String... set) {
    GetoptParser parser = new GetoptParser(OptionTable.ofJobs(), "submit");
    Requests requests =
        new Requests(
            parser,
            new Requests.Caller(
                Path.of("/work"), Map.of("HOME", "/home/u"), SiteOptions.NONE, source -> null));
    return file.job(file.values(List.of(set))).requested(requests, parser.parse(words));
  }

  private static LaunchSpec spec(String text, List<String> words, String... set) {
    return requested(new JobFile(List.of(part(Origin.Kind.JOB_FILE, "job.yaml", text))), words, set)
        .spec();
  }

  private static List<String> words(LaunchSpec spec) {
    return spec.command().stream()
        .map(word -> new String(word.bytes(), StandardCharsets.UTF_8))
        .toList();
  }
}
