package io.hpcrun.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LaunchOptionsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {"-N2", "-N 2", "--nodes=2", "--nodes 2", "-N 1 -N 2", "--nodes 2 --part=p"})
  void readsOptionsAsSbatchDoes(String options) {
    assertThat(parse(options + " i.sif a").slurm(SlurmOption.NODES)).contains("2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-Jrun=1", "-J run=1", "--job-name=run=1", "--job-name run=1"})
  void takesAnEqualsSignAsPartOfTheValue(String options) {
    assertThat(parse(options + " i.sif a").slurm(SlurmOption.JOB_NAME)).contains("run=1");
  }

  @Test
  void anOptionalValueNeedsItsEqualsSign() {
    LaunchSpec spec = parse("--exclusive i.sif a");
    assertThat(spec.image()).isEqualTo(Path.of("/work/dir/i.sif"));
    assertThat(spec.slurm(SlurmOption.EXCLUSIVE)).contains("");
    assertThat(parse("--exclusive=user i.sif a").slurm(SlurmOption.EXCLUSIVE)).contains("user");
  }

  @Test
  void theImagesPathHasNoDots(@TempDir Path directory) throws IOException {
    Path inner = Files.createDirectories(directory.resolve("a/b"));
    Files.createSymbolicLink(directory.resolve("link"), inner);
    Files.createSymbolicLink(directory.resolve("broken"), directory.resolve("none"));
    assertThat(Requests.path("image", "../i.sif", inner)).isEqualTo(directory.resolve("a/i.sif"));
    assertThat(Requests.path("image", "./a/./../i..sif", directory))
        .isEqualTo(directory.resolve("i..sif"));
    assertThat(Requests.path("image", "link/../i.sif", directory))
        .isEqualTo(directory.toRealPath().resolve("a/i.sif"));
    assertThat(Requests.path("image", "broken/../i.sif", directory))
        .isEqualTo(directory.resolve("broken/../i.sif"));
    assertThat(Requests.path("image", "/../../i.sif", directory)).isEqualTo(Path.of("/i.sif"));
  }

  @Test
  void whatFollowsTheImageBelongsToTheApplication() {
    assertThat(parse("-N 2 i.sif -- hostname -f -N9 --exclusive --exclusive=x -Jx=y").command())
        .extracting(ByteString::toString)
        .containsExactly("hostname", "-f", "-N9", "--exclusive", "--exclusive=x", "-Jx=y");
    assertThat(parse("i.sif hostname -f").command())
        .extracting(ByteString::toString)
        .containsExactly("hostname", "-f");
    assertThat(parse("i.sif -- -- x").command())
        .extracting(ByteString::toString)
        .containsExactly("--", "x");
  }

  @Test
  void quotesInValuesStay() {
    LaunchSpec spec =
        parse(List.of("--env", "A=\"x\"", "--comment=\"c\"", "i.sif", "\"a\"", "'b'"));
    assertThat(spec.container().environment())
        .containsExactly(new EnvironmentVariable("A", ByteString.of("\"x\"")));
    assertThat(spec.slurm(SlurmOption.COMMENT)).contains("\"c\"");
    assertThat(spec.command()).extracting(ByteString::toString).containsExactly("\"a\"", "'b'");
  }

  @Test
  void readsContainerOptions() {
    LaunchSpec spec =
        parse(
            List.of(
                "--bind=/a",
                "--bind",
                "/b:/c:ro,/d\\:e:/f\\,g",
                "--nv",
                "--no-home",
                "--pwd=/x y",
                "--no-mount=tmp,cwd",
                "i.sif",
                "a"));
    assertThat(spec.container().binds())
        .containsExactly(
            bind("/a", "/a", false), bind("/b", "/c", true), bind("/d:e", "/f,g", false));
    assertThat(spec.container().flags()).containsExactly(ContainerFlag.NV, ContainerFlag.NO_HOME);
    assertThat(spec.container().workingDirectory()).contains(ByteString.of("/x y"));
    assertThat(spec.container().noMount()).containsExactly("tmp", "cwd");
  }

  @Test
  void theJobIsNamedAfterTheCommand() {
    assertThat(parse("i.sif /opt/app/bin/solve x").slurm(SlurmOption.JOB_NAME)).contains("solve");
    assertThat(parse(List.of("i.sif", "a b\n#c")).slurm(SlurmOption.JOB_NAME)).contains("a_b_n_c");
  }

  @Test
  void recordsGoToTheStateDirectory() {
    assertThat(parse("i.sif a").records())
        .isEqualTo(Path.of("/home/u/.local/state/hpcrun/records"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-n 0 i.sif a | '0' is not a whole number from 1 on",
        "-n x i.sif a | --ntasks (-n): 'x'",
        "-N 0 i.sif a | --nodes (-N)",
        "-t nonsense i.sif a | --time (-t): 'nonsense' is not a time",
        "-t 1:2:3:4 i.sif a | is not a time",
        "--mem=lots i.sif a | is not a size",
        "--mem=1G --mem-per-cpu=1G i.sif a | --mem and --mem-per-cpu exclude each other",
        "--array=a i.sif a | is not indices",
        "--signal=B:USR1 i.sif a | is not a signal",
        "--open-mode=x i.sif a | append or truncate",
        "-B /data i.sif a | -B is sbatch's --extra-node-info here",
        "--nosuch i.sif a | does not know the option --nosuch",
        "-Z i.sif a | does not know the option -Z",
        "--nv=1 i.sif a | option --nv takes no value",
        "--gpus-per i.sif a | could be --gpus-per",
        "--nodes | option --nodes has no value",
        "--env A i.sif a | --env A passes on your A, and it is not set here",
        "--env 1A=b i.sif a | is not a variable name",
        "--env HOME=/x i.sif a | --env cannot set HOME",
        "--env A=1 --env A=2 i.sif a | --env sets A twice",
        "--bind x i.sif a | is not an absolute path",
        "--bind /a:/b:zz i.sif a | is not SOURCE[:DESTINATION[:ro|rw]]",
        "--bind /a, i.sif a | is not an absolute path",
        "--home x i.sif a | --home x is not an absolute path",
        "--home=/x --no-home i.sif a | exclude each other",
        "--no-mount=foo i.sif a | is not a mount of Apptainer",
        "--mpi=a/b i.sif a | is not the name of a plug-in",
        "--sbatch=licenses i.sif a | is not an option of sbatch",
        "--sbatch=--wait i.sif a | makes sbatch wait",
        "--fabric=ib i.sif a | --fabric=ib is not a value of --fabric",
        "--fabric=tcp --require-fabric i.sif a | --require-fabric asks for RDMA",
        "--nv --no-nv i.sif a | --nv and --no-nv exclude each other",
        "'' | there is neither an image nor a command",
        "i.sif | there is no command after the image i.sif",
        "i.sif -- | there is no command after the image i.sif",
        "i.sif -n 4 app | the option -n is after the image",
      })
  void refusesBadInput(String words, String why) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse(words.isEmpty() ? List.of() : List.of(words.split(" "))))
        .withMessageContaining(why)
        .matches(failure -> failure.exitCode() == ExitCode.USAGE)
        .matches(failure -> !failure.remedy().isEmpty());
  }

  @Test
  void saysThatAValueIsEmpty() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse(List.of("--job-name=", "i.sif", "a")))
        .withMessage("--job-name (-J) is empty");
  }

  @Test
  void refusesControlCharactersInDirectives() {
    for (String option : List.of("-J", "-o", "--comment", "-p", "-w")) {
      assertThatExceptionOfType(Failure.class)
          .isThrownBy(() -> parse(List.of(option, "a\n#SBATCH -N 99", "i.sif", "a")))
          .withMessageContaining("is not one line of text");
    }
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse(List.of("--sbatch=--x\n#SBATCH -N 99", "i.sif", "a")))
        .withMessageContaining("is not an option of sbatch");
  }

  @Test
  void seesAnArrayHoweverItIsAskedFor() {
    assertThat(parse("--array=1-3 i.sif a").isArray()).isTrue();
    assertThat(parse("--sbatch=-a1-3 i.sif a").isArray()).isTrue();
    assertThat(parse("--sbatch=--arr=1-3 i.sif a").isArray()).isTrue();
    assertThat(parse("-N 2 i.sif a").isArray()).isFalse();
  }

  @Test
  void wrongWordsAreSaidBeforeAnImageIsFetched() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse("--stage=nowhere docker://127.0.0.1:1/x sh"))
        .withMessageContaining("--stage=nowhere");
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> parse("docker://127.0.0.1:1/x"))
        .withMessageContaining("there is no command");
  }

  private static BindMount bind(String source, String destination, boolean readOnly) {
    return new BindMount(ByteString.of(source), ByteString.of(destination), readOnly);
  }

  private static LaunchSpec parse(String words) {
    return parse(List.of(words.split(" ")));
  }

  private static LaunchSpec parse(List<String> words) {
    return new Requests(
            new GetoptParser(OptionTable.ofJobs(), "run"),
            new Requests.Caller(
                Path.of("/work/dir"),
                Map.of("HOME", "/home/u"),
                SiteOptions.NONE,
                source -> {
                  throw new AssertionError(source);
                }))
        .job(words)
        .spec();
  }
}
