package io.hpcrun.template;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.JobFile;
import io.hpcrun.jobfile.Parameter;
import io.hpcrun.jobfile.Sweep;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.request.SiteOptions;
import io.hpcrun.yaml.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

class JobFileFuzzTest {
  private static final String JOB =
      """
      description: A sweep of launches.
      image: a.sif
      nodes: 2
      time: 1:30:00
      env: {A: '${k}', B: 4}
      bind: [/scratch, '/opt/a b:/opt/b:ro']
      parameters:
        t: {type: number, default: 0.5, min: 0.1, max: 10}
        k: {type: word, default: one, choices: [one, two]}
      launches:
        - {name: first, ntasks: 1, command: [prep, '${t}']}
        - name: second
          ntasks: 4
          env: {C: c}
          command: [solve, '${k}']
      sweep:
        parameters:
          t: {from: 0.5, to: 1.5, step: 0.5}
          k: [one, two]
        at-once: 2
      """;

  private static final String TEMPLATE =
      """
      description: Molecular dynamics.
      parameters:
        input: {type: path, help: the input script, example: in.lj}
        ranks: {type: integer, default: 4, min: 1, max: 128}
        more: {type: list, default: [a, b]}
      image: lammps.sif
      command: [lmp, -in, '${input}', '${more}']
      ntasks: ${ranks}
      nv: true
      tests:
        - name: defaults
          set: {input: in.lj}
          expect:
            image: lammps.sif
            command: [lmp, -in, in.lj, a, b]
            options: {ntasks: 4, nv: true, exclusive: false}
        - set: {input: in.lj, ranks: 0}
          refuse: below the least
      """;

  @Property(tries = 3_000, shrinking = ShrinkingMode.OFF)
  void whateverStandsInAJobFileIsTakenOrRefusedWithItsPlace(@ForAll long seed) throws IOException {
    attempt(
        Mutations.of(JOB, seed),
        file -> {
          Map<String, Parameter.Value> values = file.values(List.of());
          Optional<Sweep> sweep = file.sweep(values);
          GetoptParser parser = new GetoptParser(OptionTable.ofJobs(), "submit");
          Requests requests =
              new Requests(
                  parser,
                  new Requests.Caller(
                      Path.of("/work"), Map.of(), SiteOptions.NONE, source -> Path.of("/fetched")));
          sweep
              .map(each -> file.array(values, each))
              .orElseGet(() -> file.job(values))
              .requested(requests, parser.parse(List.of()));
        });
  }

  @Property(tries = 2_000, shrinking = ShrinkingMode.OFF)
  void whateverStandsInATemplateIsTakenOrRefusedWithItsPlace(@ForAll long seed) throws IOException {
    attempt(
        Mutations.of(TEMPLATE, seed),
        file -> {
          TemplateTests tests = new TemplateTests(Map.of());
          tests.check(file);
          tests.run(file);
        });
  }

  private static void attempt(byte[] text, java.util.function.Consumer<JobFile> use)
      throws IOException {
    Path directory = Files.createTempDirectory("job-fuzz");
    Path file = directory.resolve("job.yaml");
    try {
      Files.write(file, text);
      use.accept(new Templates(new TemplatePath(List.of()), directory).jobFile(file.toString()));
    } catch (Failure refused) {
      assertThat(refused.exitCode()).isEqualTo(ExitCode.USAGE);
      assertThat(refused.getMessage()).isNotBlank().doesNotContain("Exception");
      assertThat(refused.remedy()).isNotBlank();
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }
}
