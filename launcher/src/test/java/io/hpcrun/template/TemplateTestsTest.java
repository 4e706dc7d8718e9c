package io.hpcrun.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.request.Layer;
import io.hpcrun.request.SiteOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplateTestsTest {
  private static final String TEMPLATE =
      """
      description: Molecular dynamics.
      parameters:
        input: {type: path, help: the input script}
        ranks: {type: integer, default: 4, min: 1, max: 128}
        style: {choices: [fast, exact], default: fast}
      image: lammps.sif
      command: [lmp, -in, '${input}', '--style=${style}']
      ntasks: ${ranks}
      module: md
      nv: true
      env: {A: '${style}', B: b}
      tests:
      """;

  @TempDir Path directory;

  @Test
  void testsPassWhereWhatIsExpectedComesOut() throws IOException {
    assertThat(
            run(
                """
                  - name: defaults
                    set: {input: in.lj}
                    expect:
                      image: lammps.sif
                      command: [lmp, -in, in.lj, --style=fast]
                      options: {ntasks: 4, nv: true, exclusive: false, env: {A: fast}}
                  - set: {input: in.lj, ranks: 0}
                    refuse: below the least
                  - refuse: the parameter input has no value
                  - set: {input: in.lj, style: wrong}
                    refuse: none of the choices
                """))
        .extracting(TemplateTests.Outcome::name, TemplateTests.Outcome::faults)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("defaults", List.of()),
            org.assertj.core.groups.Tuple.tuple("test 2", List.of()),
            org.assertj.core.groups.Tuple.tuple("test 3", List.of()),
            org.assertj.core.groups.Tuple.tuple("test 4", List.of()));
  }

  @Test
  void resourcesArePackedOnAClusterThatATestDescribes() throws IOException {
    String text =
        """
        parameters: {cores: {type: integer, default: 1000}}
        image: a.sif
        command: a
        resources: {cores: '${cores}', memory: 1T}
        tests:
          - cluster:
              - {partition: debug, nodes: 2, cores: 128, memory: 512G}
              - {partition: cpu, nodes: 100, cores: 128, memory: 512G, max-nodes: 50}
            expect:
              options: {partition: cpu, nodes: 8, ntasks-per-node: 125, mem: 131072M}
          - set: {cores: 10000}
            cluster: [{partition: cpu, nodes: 100, cores: 128, memory: 512G, max-nodes: 50}]
            refuse: it takes 79 nodes of 128 cores, 512G of memory, and a job may have 50 there
          - cluster: [{partition: cpu, nodes: 100, cores: 128, memory: 512}]
          - expect:
              options: {nodes: 8}
        """;
    Path file = Files.writeString(directory.resolve("r.yaml"), text);
    assertThat(
            new TemplateTests(Map.of())
                .run(
                    new Templates(new TemplatePath(List.of()), directory).jobFile(file.toString())))
        .extracting(outcome -> outcome.faults().toString().replace(directory + "/", ""))
        .containsExactly(
            "[]",
            "[]",
            "[it is refused: r.yaml, line 14, column 64: '512' stands where a size with its unit: 500M, 20G or 10T belongs]",
            "[nodes is not set; 8 was expected]");
  }

  @Test
  void testsSayWhatCameOutOtherwise() throws IOException {
    assertThat(
            run(
                    """
                      - set: {input: in.lj}
                        expect:
                          image: other.sif
                          command: lmp
                          options: {ntasks: 8, nv: false, mem: 4G, env: {A: exact}}
                      - {set: {input: in.lj}, refuse: it}
                      - {set: {input: ''}}
                      - {set: {input: ''}, refuse: other}
                    """)
                .stream()
                .flatMap(outcome -> outcome.faults().stream())
                .map(fault -> fault.replace(directory + "/", "")))
        .containsExactly(
            "image is lammps.sif; other.sif was expected",
            "command is [lmp, -in, in.lj, --style=fast]; [lmp] was expected",
            "env is A=fast B=b; A=exact was expected",
            "mem is not set; 4G was expected",
            "ntasks is 4; 8 was expected",
            "nv is set; it was expected not to be",
            "it is not refused; 'it' was expected",
            "it is refused: template.yaml, line 19, column 19: '' is not a path, which the parameter"
                + " input takes",
            "it is refused with 'template.yaml, line 20, column 19: '' is not a path, which the"
                + " parameter input takes'; 'other' was expected");
  }

  @Test
  void testsThatAreWrongThemselvesAreRefused() {
    assertThatThrownBy(() -> run("  - {sets: {}}\n"))
        .hasMessageEndingWith("template.yaml, line 13, column 6: there is no key 'sets' here");
    assertThatThrownBy(() -> run("  - {expect: {options: {ntask: 1}}}\n"))
        .hasMessageContaining("there is no key 'ntask' here");
  }

  @Test
  void aTemplateIsCheckedWithDefaultsAndSamples() throws IOException {
    TemplateTests tests = tests();
    tests.check(read(TEMPLATE + "  []\n"));
    tests.check(read("parameters: {p: {type: word}}\npartition: ${p}\n"));
    assertThatThrownBy(() -> tests.check(read("parameters: {m: {}}\nmem: ${m}\n")))
        .hasMessageEndingWith(
            "template.yaml, line 2, column 6: --mem: 'text' is not a size such as 4000M or 16G");
    tests.check(read("parameters: {m: {example: 4G}}\nmem: ${m}\n"));
    assertThatThrownBy(() -> tests.check(read("command: ['${no}']\nimage: x\n")))
        .hasMessageEndingWith("template.yaml, line 1, column 11: there is no parameter 'no'");
    assertThatThrownBy(() -> tests.check(read("module: other\nimage: x\ncommand: y\n")))
        .hasMessageContaining("there is no module 'other' here");
  }

  private List<TemplateTests.Outcome> run(String text) throws IOException {
    return tests().run(read(TEMPLATE + text));
  }

  private static TemplateTests tests() {
    return new TemplateTests(
        Map.of("md", new SiteOptions.Module("md", "", List.of(), List.of(), Layer.EMPTY)));
  }

  private io.hpcrun.jobfile.JobFile read(String text) throws IOException {
    Path file = Files.writeString(directory.resolve("template.yaml"), text);
    return new Templates(new TemplatePath(List.of()), directory).template("template.yaml");
  }
}
