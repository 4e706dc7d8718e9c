package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplateCommandTest {
  private static final String LAMMPS =
      """
      description: |
        Molecular dynamics with LAMMPS.
        More of it.
      parameters:
        input: {type: path, help: the input script, example: in.lj}
        ranks: {type: integer, default: 4, min: 1, max: 128}
      image: lammps.sif
      command: [lmp, -in, '${input}']
      ntasks: ${ranks}
      tests:
        - {name: small, set: {input: in.lj}, expect: {options: {ntasks: 4}}}
      """;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path home;
  private Path templates;

  @BeforeEach
  void templates() throws IOException {
    templates = Files.createDirectories(home.resolve(".config/hpcrun/templates"));
    Files.writeString(templates.resolve("lammps.yaml"), LAMMPS);
  }

  @Test
  void listsAndShows() throws IOException {
    Files.writeString(templates.resolve("broken.yaml"), "nodes: [\n");
    assertThat(run("template")).isZero();
    assertThat(text(out))
        .contains("broken               broken: ", "this is not YAML")
        .contains("lammps               Molecular dynamics with LAMMPS.\n");
    assertThat(run("template", "show", "lammps")).isZero();
    assertThat(text(out))
        .contains("More of it.")
        .contains("hpcrun submit --template=lammps --set=input=in.lj")
        .contains("ranks            integer, from 1, to 128, default '4'")
        .contains("input            path, must be given\n    the input script");
    out.reset();
    assertThat(run("template", "show", "lammps", "--json")).isZero();
    assertThat(Json.read(out.toByteArray()).orElseThrow())
        .containsEntry("name", "lammps")
        .containsKey("parameters");
    assertThat(run("template", "show")).isEqualTo(2);
    assertThat(run("template", "show", "lamps")).isEqualTo(2);
    assertThat(text(err)).contains("write 'lammps'");
    assertThat(run("template", "list", "x")).isEqualTo(2);
    assertThat(run("template", "shew", "lammps")).isEqualTo(2);
  }

  @Test
  void checksAndTests() throws IOException {
    assertThat(run("template", "check")).isZero();
    assertThat(run("template", "test")).isZero();
    assertThat(text(out)).isEqualTo("lammps: good\nlammps: small: passed\ntests passed: 1\n");
    Path bad =
        Files.writeString(home.resolve("bad.yaml"), LAMMPS.replace("ntasks: 4", "ntasks: 5"));
    assertThat(run("template", "test", "lammps", bad.toString())).isEqualTo(2);
    assertThat(text(out)).contains("small: FAILED", "ntasks is 4; 5 was expected");
    assertThat(text(err)).contains("1 of 2 tests failed");
    Files.writeString(bad, "ntask: 4\n");
    assertThat(run("template", "check", "./bad.yaml")).isEqualTo(2);
    assertThat(text(err)).contains("bad.yaml, line 1, column 1: there is no key 'ntask' here");
  }

  @Test
  void checksWhatFollowsABrokenTemplate() throws IOException {
    Files.writeString(templates.resolve("a.yaml"), "nodes: [\n");
    Files.writeString(templates.resolve("z.yaml"), "ntask: 4\n");
    assertThat(run("template", "check")).isEqualTo(2);
    assertThat(text(out))
        .contains("a: broken: ", "a.yaml, line 2, column 1: this is not YAML")
        .contains("lammps: good\n")
        .contains("z: broken: ", "there is no key 'ntask' here\n    what to do: write 'ntasks'\n");
    assertThat(text(err)).contains("2 of 3 templates are broken");
  }

  @Test
  void theLetterOfTheTimeLimitMayNameATemplate() {
    // What is missing is said of the template: it was found.
    assertThat(run("submit", "-t", "lammps", "-N2")).isEqualTo(2);
    assertThat(run("submit", "-tlammps", "-t", "10")).isEqualTo(2);
    assertThat(run("submit", "--template=lammps")).isEqualTo(2);
    assertThat(text(err).lines().filter(line -> line.contains("the parameter input has no value")))
        .hasSize(3);
    err.reset();
    assertThat(run("submit", "-t", "lamps")).isEqualTo(2);
    assertThat(text(err)).contains("-t 'lamps' is neither a time", "write 'lammps'");
    err.reset();
    assertThat(run("submit", "-t", "lammps", "i.sif", "a")).isEqualTo(2);
    assertThat(text(err)).contains("--time (-t): 'lammps' is not a time");
    err.reset();
    assertThat(run("submit", "--template=lammps", "i.sif", "a")).isEqualTo(2);
    assertThat(text(err)).contains("'i.sif' stands beside the template lammps");
    err.reset();
    assertThat(run("submit", "--set=a=b", "i.sif", "a")).isEqualTo(2);
    assertThat(text(err)).contains("--set gives a parameter of a job file or template");
  }

  @Test
  void optionsStandOnBothSidesOfAJobFile() throws IOException {
    Files.writeString(home.resolve("job.yaml"), "extends: lammps\nimage: none.sif\n");
    assertThat(run("submit", "-N2", "job.yaml", "--set", "input=x", "--dry-run")).isEqualTo(5);
    assertThat(text(err)).contains(home + "/none.sif");
    err.reset();
    assertThat(run("submit", "job.yaml", "--", "x")).isEqualTo(2);
    assertThat(text(err)).contains("'x' stands beside the job file job.yaml");
    err.reset();
    assertThat(run("submit", "nojob.yaml")).isEqualTo(2);
    assertThat(text(err)).contains("there is no file " + home + "/nojob.yaml");
    err.reset();
    assertThat(run("submit", "--set", "input=\u00ff", "job.yaml")).isEqualTo(2);
    assertThat(text(err)).contains("not valid UTF-8");
  }

  private int run(String... words) {
    Console console =
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            home,
            Map.of("HOME", home.toString(), "HPCRUN_SITE", "none"));
    return Main.run(List.of(words), console);
  }

  private static String text(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }
}
