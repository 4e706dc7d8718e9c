package io.hpcrun.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScriptFileTest {
  @TempDir private Path directory;

  @Test
  void readsTheLinesOfTheHeadOnly() throws IOException {
    ScriptFile file =
        read(
            "#!/bin/bash -l\n# a comment\n#SBATCH -N 2\n\n#HPCRUN --image=a.sif\necho\n#SBATCH -n 9\n");
    assertThat(file.options()).containsExactly("--image=a.sif");
    assertThat(file.script().directives())
        .extracting(ByteString::toString)
        .containsExactly("#SBATCH -N 2");
    assertThat(file.script().interpreter())
        .extracting(ByteString::toString)
        .containsExactly("/bin/bash", "-l");
  }

  @Test
  void keepsEveryByteOfTheScript() throws IOException {
    byte[] bytes = "#!/bin/sh\n# \u00e9\necho '\n".getBytes(StandardCharsets.ISO_8859_1);
    Path path = directory.resolve("s.sh");
    Files.write(path, bytes);
    assertThat(ScriptFile.read(path, List.of()).script().text().bytes()).isEqualTo(bytes);
  }

  @Test
  void readsWordsAsSbatchDoes() throws IOException {
    assertThat(
            read("#!/bin/sh\n#HPCRUN --env \"A=b c\" --bind=/x\\ y # why\n#HPCRUN '--env=B=\"'\n")
                .options())
        .containsExactly("--env", "A=b c", "--bind=/x y", "--env=B=\"");
  }

  @ParameterizedTest
  @CsvSource({
    "'echo\\n#HPCRUN --image=a', 'line 3: this #HPCRUN line comes after the first command'",
    "'#HPCRUN --env \"A', 'line 2: a \" is not closed'",
    "'echo\\r\\n', 'DOS line ends'"
  })
  void saysWhatIsWrongAndWhere(String text, String message) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> read("#!/bin/sh\n" + text.translateEscapes()))
        .withMessageContaining(message)
        .matches(failure -> failure.exitCode() == ExitCode.USAGE);
  }

  @Test
  void tellsAnImageFromAScript() throws IOException {
    Path image = directory.resolve("i.sif");
    Files.writeString(image, "#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0");
    assertThat(ScriptFile.isScript(image)).isFalse();
    assertThat(ScriptFile.isScript(directory)).isFalse();
    assertThat(ScriptFile.isScript(directory.resolve("none"))).isFalse();
    assertThat(ScriptFile.isScript(write("#!/bin/sh\n"))).isTrue();
  }

  @Test
  void theCommandLineWinsOverTheScript() throws IOException {
    write("#!/bin/sh\n#HPCRUN --image=a.sif --mpi=pmix --env=A=1\n");
    LaunchSpec spec = parse("--mpi=pmi2", "--env=B=2", "-N", "3", "s.sh", "x", "-y");
    assertThat(spec.kind()).isEqualTo(LaunchSpec.Kind.SCRIPT);
    assertThat(spec.mpi().plugin()).contains("pmi2");
    assertThat(spec.container().environment()).hasSize(2);
    assertThat(spec.slurm(SlurmOption.NODES)).contains("3");
    assertThat(spec.image()).isEqualTo(directory.resolve("a.sif"));
    assertThat(spec.script().orElseThrow().arguments())
        .extracting(ByteString::toString)
        .containsExactly("x", "-y");
    assertThat(spec.script().orElseThrow().directives().getFirst().toString())
        .isEqualTo("#SBATCH --job-name=s.sh");
  }

  @Test
  void refusesAScriptWithoutAnImageAndOtherWords() throws IOException {
    write("#!/bin/sh\n");
    refuses("names no image", "s.sh");
    write("#!/bin/sh\n#HPCRUN a.sif\n");
    refuses("holds 'a.sif', which is no option", "s.sh");
    refuses("is not a script", "--image=a.sif", "b.sif", "x");
  }

  private void refuses(String message, String... words) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse(words))
        .withMessageContaining(message)
        .matches(failure -> failure.exitCode() == ExitCode.USAGE);
  }

  private LaunchSpec parse(String... words) {
    return new Requests(
            new GetoptParser(OptionTable.ofJobs(), "submit"),
            new Requests.Caller(
                directory,
                Map.of("HOME", "/home/u"),
                SiteOptions.NONE,
                source -> {
                  throw new AssertionError(source);
                }))
        .job(List.of(words))
        .spec();
  }

  private Path write(String text) throws IOException {
    return Files.writeString(directory.resolve("s.sh"), text);
  }

  private ScriptFile read(String text) throws IOException {
    return ScriptFile.read(write(text), List.of());
  }
}
