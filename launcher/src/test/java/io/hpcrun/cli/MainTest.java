package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.spec.SlurmOption;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path home;

  @Test
  void versionIsTheProjects() {
    assertThat(run("version")).isZero();
    assertThat(text(out)).isEqualTo("hpcrun " + System.getProperty("project.version") + "\n");
  }

  @Test
  void everyOptionIsInTheHelp() {
    assertThat(run("help", "submit")).isZero();
    for (SlurmOption option : SlurmOption.values()) {
      assertThat(text(out)).contains("--" + option.option());
    }
    assertThat(text(out))
        .contains("--bind", "--env", "--mpi", "--mode", "--stage", "--dry-run", "--sbatch");
    assertThat(text(out).lines()).allMatch(line -> line.length() <= 100);
  }

  @Test
  void aFailureIsTwoLinesAndItsExitCode() {
    assertThat(run("run", "-n", "0", "i.sif", "a")).isEqualTo(2);
    assertThat(text(out)).isEmpty();
    assertThat(text(err).lines())
        .hasSize(2)
        .first()
        .isEqualTo("hpcrun: error: --ntasks (-n): '0' is not a whole number from 1 on");
  }

  @Test
  void nothingToDoIsAnError() {
    assertThat(run()).isEqualTo(2);
    assertThat(text(err)).contains("hpcrun run");
    assertThat(run("nosuch")).isEqualTo(2);
  }

  @Test
  void timingOfAnUnknownJobIsAnError() {
    assertThat(run("timing", "12")).isEqualTo(2);
    assertThat(text(err)).contains("there is no record of job 12");
    assertThat(run("timing", "../x")).isEqualTo(2);
    assertThat(run("timing")).isEqualTo(2);
    assertThat(run("timing", "1", "2")).isEqualTo(2);
  }

  @Test
  void timingPrintsTableAndJson() throws IOException {
    Path records = home.resolve(".local/state/hpcrun/records/12");
    Files.createDirectories(records);
    Files.writeString(
        records.resolve("12.0.0.job.jsonl"),
        "{\"type\":\"launch\",\"launch\":\"12.0.0\",\"state\":\"ended\",\"exit\":0,\"nodes\":1,"
            + "\"node\":\"c1\",\"submit_s\":1,\"start_s\":3,\"launch_asked_ns\":5000000000}\n");
    Files.writeString(
        records.resolve("12.0.0.node.c1.jsonl"),
        "{\"type\":\"node\",\"node\":\"c1\"}\n"
            + "{\"type\":\"rank\",\"rank\":0,\"begin_ns\":5001000000,\"exec_ns\":5002000000}\n");
    assertThat(run("timing", "12", "--ranks")).isZero();
    assertThat(text(out)).contains("queue", "2.00 s", "spawn", "1.00 ms", "rank 0");
    out.reset();
    assertThat(run("timing", "--json", "12")).isZero();
    assertThat(text(out)).startsWith("{\"schema\":\"hpcrun.timing/1\"").contains("\"queue\":{");
  }

  private int run(String... words) {
    PrintStream outStream = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8);
    Map<String, String> environment = Map.of("HOME", home.toString());
    return Main.run(List.of(words), new Console(outStream, errStream, home, environment));
  }

  private static String text(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }
}
