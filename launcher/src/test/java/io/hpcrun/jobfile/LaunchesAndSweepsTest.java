package io.hpcrun.jobfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Origin;
import io.hpcrun.request.Requests;
import io.hpcrun.request.SiteOptions;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchesAndSweepsTest {
  private static final String LAUNCHES =
      """
      image: a.sif
      env: {A: all, B: job}
      launches:
        - name: prepare
          ntasks: 1
          command: [prep, 'a b']
        - name: solve
          ntasks: 6
          cpus-per-task: 2
          env: {B: mine}
          command: [solve, '${x}']
      parameters: {x: {default: it's}}
      """;

  @Test
  void launchesAreAScriptWhoseJobIsLargeEnough() {
    LaunchSpec spec = spec(LAUNCHES);
    assertThat(spec.kind()).isEqualTo(LaunchSpec.Kind.SCRIPT);
    assertThat(spec.command()).isEmpty();
    assertThat(spec.slurm(SlurmOption.NTASKS)).contains("6");
    assertThat(spec.slurm(SlurmOption.CPUS_PER_TASK)).contains("2");
    assertThat(spec.slurm(SlurmOption.JOB_NAME)).contains("job");
    assertThat(spec.container().environment().toString()).contains("all").doesNotContain("job");
    assertThat(script(spec))
        .contains(
            "HPCRUN_ENV_B=job launch prepare --cpus-per-task=1 --nodes=1 --ntasks=1 --job-name=prepare -- prep"
                + " 'a b'\n",
            "HPCRUN_ENV_B=mine launch solve --cpus-per-task=2 --ntasks=6 --job-name=solve -- solve"
                + " 'it'\\''s'\n");
  }

  @Test
  void launchesAtOnceShareTheJob() {
    LaunchSpec spec = spec(LAUNCHES + "together: true\njob-name: mine\n");
    assertThat(spec.slurm(SlurmOption.NTASKS)).contains("7");
    assertThat(spec.slurm(SlurmOption.JOB_NAME)).contains("mine");
    assertThat(script(spec))
        .contains(
            "--cpus-per-task=1 --nodes=1 --exact --mem=0 --ntasks=1 --job-name=prepare -- prep 'a b' &");
    assertThat(script(spec(LAUNCHES + "nodes: 8\n")))
        .contains("launch solve --nodes=6 --cpus-per-task=2 --ntasks=6 ");
    assertThat(script(spec(LAUNCHES + "nodes: 6\n")))
        .contains("launch solve --cpus-per-task=2 --ntasks=6 ");
    assertThat(spec(LAUNCHES + "ntasks: 9\n").slurm(SlurmOption.NTASKS)).contains("9");
  }

  @Test
  void launchesOfOneProgramArePlannedWithIt() {
    LaunchSpec spec = spec(LAUNCHES.replace("[prep, 'a b']", "[solve, -p]"));
    assertThat(spec.command()).containsExactly(ByteString.of("solve"));
    assertThat(spec.slurm(SlurmOption.JOB_NAME)).contains("job");
  }

  private static final String SWEEP =
      """
      image: a.sif
      parameters: {n: {type: integer, default: 3}, t: {type: number, max: 10}}
      command: [app, '--t=${t}', '${k}']
      ntasks: 2
      env: {T: 't${t}'}
      sweep:
        parameters:
          t: {from: 0.5, to: 1.5, step: 0.5}
          k: [one, 'two words', '$(id)']
        at-once: 4
      """;

  @Test
  void aSweepIsAnArrayWhoseScriptHasTheValues() {
    LaunchSpec spec = spec(SWEEP);
    assertThat(spec.slurm(SlurmOption.ARRAY)).contains("0-8%4");
    assertThat(spec.slurm(SlurmOption.JOB_NAME)).contains("app");
    assertThat(spec.command()).containsExactly(ByteString.of("app"));
    assertThat(spec.container().environment()).isEmpty();
    assertThat(script(spec))
        .contains("values_0=(0.5 1.0 1.5)", "values_1=(one 'two words' '$(id)')")
        .contains("value_0=${values_0[element / 3 % 3]}", "value_1=${values_1[element / 1 % 3]}")
        .endsWith(
            "HPCRUN_ENV_T=t\"$value_0\" exec hpcrun exec -- app --t=\"$value_0\" \"$value_1\"\n");
    assertThat(spec(SWEEP, "-a", "1,3%2").slurm(SlurmOption.ARRAY)).contains("1,3%2");
  }

  @Test
  void elementsThatAreJobsMayDifferInAllOptions() {
    JobFile file =
        new JobFile(
            List.of(
                JobFileTest.part(
                    Origin.Kind.JOB_FILE,
                    "job.yaml",
                    SWEEP
                        .replace("ntasks: 2", "ntasks: ${k}")
                        .replace(
                            "[one, 'two words', '$(id)']", "[1, 2, 4]\n  zip: true\n  as: jobs"))));
    Map<String, Parameter.Value> values = file.values(List.of());
    Sweep sweep = file.sweep(values).orElseThrow();
    assertThat(sweep.size()).isEqualTo(3);
    assertThat(sweep.atOnce()).contains(4);
    assertThat(sweep.shown(2)).isEqualTo("t=1.5, k=4");
    assertThat(
            IntStream.range(0, 3)
                .mapToObj(
                    i -> {
                      LaunchSpec spec = requested(file.element(values, sweep, i), List.of()).spec();
                      return spec.slurm(SlurmOption.NTASKS).orElse("")
                          + spec.command()
                          + spec.container().environment().getFirst().value();
                    }))
        .containsExactly(
            "1[app, --t=0.5, 1]t0.5", "2[app, --t=1.0, 2]t1.0", "4[app, --t=1.5, 4]t1.5");
  }

  @Test
  void parametersMaySayHowFarASweepGoes() {
    assertThat(
            spec(SWEEP.replace("to: 1.5", "to: '${n}'"), "--array=0-17").slurm(SlurmOption.ARRAY))
        .contains("0-17");
  }

  @Test
  void launchesMayBeSwept() {
    LaunchSpec spec = spec(LAUNCHES + "sweep: {parameters: {x: [1, 2], y: [a]}}\ncomment: c\n");
    assertThat(spec.slurm(SlurmOption.ARRAY)).contains("0-1");
    assertThat(script(spec)).contains("-- solve \"$value_0\"\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ntasks: 2=>ntasks: '${t}'|line 4, column 9: 't' is swept|write 'as: jobs'",
        "image: a.sif=>image: '${k}.sif'|line 1, column 8: 'k' is swept|write 'as: jobs'",
        "to: 1.5=>to: 10.5|line 8, column 8: '10.5' is beyond the greatest of the parameter t|write 10",
        "to: 1.5=>to: 0|line 8, column 8: from 0.5 no step of 0.5 leads to 0|give a step",
        "step: 0.5=>step: 0|line 8, column 8: from 0.5 no step of 0 leads|give a step",
        "step: 0.5=>step: 0.000000001|line 8, column 8: these are 1000000001 values, of at most 100000|take a",
        "step: 0.5=>stop: 1|line 8, column 29: there is no key 'stop' here|write 'step'",
        "to: 1.5=>to: x|line 8, column 24: 'x' stands where a number|write a number",
        "from: 0.5, =>|line 8, column 8: the key 'from' is missing|write 'from: ...'",
        "at-once: 4=>at-once: 0|line 10, column 12: '0' stands where a whole number|write",
        "at-once: 4=>rate: 4|line 10, column 9: an array is submitted as a whole|leave 'rate' out",
        "at-once: 4=>as: job|line 10, column 7: there is no value 'job' here|write 'jobs'",
        "at-once: 4=>zip: 1|line 10, column 8: '1' stands where true or false|write",
        "  at-once: 4=>array: 0-3|line 10, column 1: there is a sweep|leave 'array' out",
        "[one, 'two words', '$(id)']=>[]|line 9, column 8: the list is empty|write a value",
        "[one, 'two words', '$(id)']=>[[a]]|line 9, column 9: a list stands where a text|write",
        "n: {type: integer=>k: {type: list|line 9, column 5: the parameter 'k' is a list|sweep over",
      })
  void refusesSweepsThatAreWrong(String wrong) {
    String[] change = wrong.split("\\|")[0].split("=>", -1);
    String text = SWEEP.replace(change[0], change[1]);
    assertThat(text).isNotEqualTo(SWEEP);
    String[] expected = wrong.split("\\|");
    assertThatThrownBy(() -> spec(text))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("job.yaml, " + expected[1])
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .startsWith(expected[2]);
  }

  @ParameterizedTest
  @ValueSource(strings = {"t=1|8, column 5: 't'", "k=one|9, column 5: 'k'"})
  void aParameterThatIsSweptHasNoOtherValue(String given) {
    JobFile file = new JobFile(List.of(JobFileTest.part(Origin.Kind.JOB_FILE, "job.yaml", SWEEP)));
    String[] expected = given.split("\\|");
    assertThatThrownBy(() -> file.values(List.of("n=2", expected[0])))
        .isInstanceOf(Failure.class)
        .hasMessage(
            "job.yaml, line %s is swept here, and --set gives it one value".formatted(expected[1]))
        .extracting(failure -> ((Failure) failure).remedy())
        .isEqualTo("take it out of --set, or out of the sweep");
    assertThat(file.values(List.of("n=2"))).containsOnlyKeys("n");
  }

  @Test
  void theScriptOfASweepIsKnownFromThatOfSeveralLaunches() {
    assertThat(spec(SWEEP).script().orElseThrow().isSweep()).isTrue();
    assertThat(spec(LAUNCHES).script().orElseThrow().isSweep()).isFalse();
    assertThat(
            spec(LAUNCHES + "sweep: {parameters: {x: [1, 2]}}\n").script().orElseThrow().isSweep())
        .isFalse();
  }

  @Test
  void refusesElementsWithoutAProgramAndElementsThatAreNotThere() {
    assertThatThrownBy(
            () -> spec("image: a.sif\ncommand: ['${x}']\nsweep: {parameters: {x: [a, '']}}\n"))
        .hasMessageContaining("with x= the command has no program");
    assertThatThrownBy(() -> spec(SWEEP, "--array=0-9"))
        .hasMessage("--array names the element 9, and the sweep has 9");
    assertThatThrownBy(
            () ->
                spec(
                    "image: a.sif\ncommand: a\nsweep: {zip: true, parameters: {x: [a], y: [b, c]}}\n"))
        .hasMessageContaining("line 3, column 41: y has 2 values, and x has 1");
    String thousand = "{from: 1, to: 1000}";
    assertThatThrownBy(
            () ->
                spec(
                    "image: a.sif\ncommand: a\nsweep: {parameters: {x: %s, y: %s}}\n"
                        .formatted(thousand, thousand)))
        .hasMessageContaining("the sweep has more than 100000 elements");
  }

  @Test
  void valuesAreCountedBeforeTheyAreMade() {
    String many =
        "{from: 0, to: 99999}, "
            .transform(
                each ->
                    IntStream.range(0, 32)
                        .mapToObj(i -> "p%d: %s".formatted(i, each))
                        .collect(java.util.stream.Collectors.joining()));
    String text = "image: a.sif\ncommand: a\nsweep: {zip: %s, parameters: {" + many + "}}\n";
    assertThatThrownBy(() -> spec(text.formatted(false)))
        .hasMessageContaining("the sweep has more than 100000 elements");
    assertThatThrownBy(() -> spec(text.formatted(true)))
        .hasMessageContaining("the sweep has more than 200000 values");
    assertThat(
            spec("image: a.sif\ncommand: a\nsweep: {parameters: {x: {from: 1, to: 100000}}}\n")
                .slurm(SlurmOption.ARRAY))
        .contains("0-99999");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "name: prepare=>name: solve|line 7, column 5: two launches are called 'solve'|give them",
        "name: prepare=>name: a b|line 4, column 11: 'a b' stands where a name|write a name",
        "name: prepare=>image: b.sif|line 4, column 5: 'image' is for the whole job|write it outside",
        "ntasks: 1=>bind: /x|line 5, column 5: 'bind' is for the whole job|write it outside",
        "ntasks: 1=>partition: x|line 5, column 5: 'partition' is for the whole job|write it",
        "ntasks: 1=>ntask: 1|line 5, column 5: there is no key 'ntask' here|write 'ntasks'",
        "ntasks: 1=>srun: ['--']|line 5, column 11: --srun=-- is not an option of srun|write it",
        "command: [prep, 'a b']=>command: []|line 6, column 14: the command has no words|write",
        "command: [prep, 'a b']=>command: a b|line 6, column 14: the command is one text|write a list",
        "command: [prep, 'a b']=>command: ['', b]|line 6, column 15: the text is empty|write one",
        "command: [prep, 'a b']=>comand: a|line 6, column 5: there is no key 'comand' here|write",
      })
  void refusesLaunchesThatAreWrong(String wrong) {
    String[] expected = wrong.split("\\|");
    String[] change = expected[0].split("=>", -1);
    String text = LAUNCHES.replaceFirst(java.util.regex.Pattern.quote(change[0]), change[1]);
    assertThatThrownBy(() -> spec(text))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("job.yaml, " + expected[1])
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .startsWith(expected[2]);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "env: {B: mine}=>env: {B_TOKEN: t}|line 10, column 5: the value of B_TOKEN, which looks like",
        "env: {B: mine}=>env: [B]|line 10, column 5: B is to be passed on to one launch of several",
        "ntasks: 1=>env-file: x|line 5, column 5: 'env-file' is for the whole job",
        "ntasks: 1=>clean-env: true|line 5, column 5: 'clean-env' is for the whole job",
      })
  void refusesWhatCannotStandInTheScript(String wrong) {
    refusesLaunchesThatAreWrong(wrong + "|write ");
  }

  @Test
  void aSecretThatIsSweptIsInTheEnvironmentOfEachJob() {
    String sweep =
        "image: a.sif\ncommand: a\nenv: {KEY: 'k${n}'}\nsweep:\n  parameters: {n: [1, 2]}\n";
    assertThatThrownBy(() -> spec(sweep))
        .hasMessageContaining("the values of KEY, which looks like a secret")
        .extracting(failure -> ((Failure) failure).remedy())
        .asString()
        .startsWith("write 'as: jobs'");
    JobFile file =
        new JobFile(
            List.of(JobFileTest.part(Origin.Kind.JOB_FILE, "job.yaml", sweep + "  as: jobs\n")));
    Map<String, Parameter.Value> values = file.values(List.of());
    Requests.Requested second =
        requested(file.element(values, file.sweep(values).orElseThrow(), 1), List.of());
    assertThat(second.secrets().environment()).containsExactly(Map.entry("HPCRUN_ENV_KEY", "k2"));
    assertThat(second.spec().container().choice().byName()).containsExactly("KEY");
  }

  @Test
  void refusesLaunchesBesideACommandAndNone() {
    assertThatThrownBy(() -> spec(LAUNCHES + "command: x\n"))
        .hasMessageContaining("line 3, column 1: there is a command, too");
    assertThatThrownBy(() -> spec("image: a\nlaunches: []\n"))
        .hasMessageContaining("line 2, column 11: there are no launches");
  }

  @Test
  void theProgramItselfMayBeSwept() {
    LaunchSpec spec = spec(SWEEP.replace("[app, ", "['${k}', "));
    assertThat(spec.command()).isEmpty();
    assertThat(script(spec)).contains("exec hpcrun exec -- \"$value_1\" ");
  }

  private static LaunchSpec spec(String text, String... words) {
    JobFile file = new JobFile(List.of(JobFileTest.part(Origin.Kind.JOB_FILE, "job.yaml", text)));
    Map<String, Parameter.Value> values = file.values(List.of());
    Job job =
        file.sweep(values)
            .map(sweep -> file.array(values, sweep))
            .orElseGet(() -> file.job(values));
    return requested(job, List.of(words)).spec();
  }

  private static Requests.Requested requested(Job job, List<String> words) {
    GetoptParser parser = new GetoptParser(OptionTable.ofJobs(), "submit");
    return job.requested(
        new Requests(
            parser,
            new Requests.Caller(Path.of("/work"), Map.of(), SiteOptions.NONE, source -> null)),
        parser.parse(words));
  }

  private static String script(LaunchSpec spec) {
    return spec.script().orElseThrow().text().utf8();
  }
}
