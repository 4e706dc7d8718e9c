package io.hpcrun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.Failure;
import io.hpcrun.site.Site;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigCommandTest {
  private static final String SITE =
      """
      defaults: {time: 30, mem: 4G}
      partitions:
        gpu: {time: 60}
      records: {spool: /shared/spool, directory: ~/records}
      """;

  @TempDir Path directory;

  @Test
  void aSectionShowsWhatStandsInIt() throws IOException {
    assertThat(config(Map.of(), "records"))
        .contains("records.spool = /shared/spool\n", "records.directory = ~/records\n");
    assertThat(config(Map.of(), "daemon")).startsWith("daemon is not set\n");
    assertThat(config(Map.of("SBATCH_TIMELIMIT", "7"), "defaults"))
        .contains("defaults.time = 30\n", "defaults.mem = 4G\n");
    assertThat(config(Map.of(), "partitions")).startsWith("partitions.gpu.time = 60\n");
    assertThat(config(Map.of(), "partitions.gpu")).startsWith("partitions.gpu.time = 60\n");
  }

  @Test
  void aVariableOfSbatchsIsShown() throws IOException {
    Map<String, String> user = Map.of("SBATCH_TIMELIMIT", "7", "SBATCH_PARTITION", "gpu");
    assertThat(config(user, "time")).isEqualTo("time = 7\n    [variable: SBATCH_TIMELIMIT]\n");
    assertThat(config(Map.of("SBATCH_PARTITION", "gpu"), "time"))
        .startsWith("time = 60\n    [partition: ");
  }

  @Test
  void anUnknownKeyIsAnsweredByTheNearestOrWhereTheyAreListed() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> config(Map.of(), "records.spol"))
        .withMessage("there is no key or option 'records.spol'")
        .matches(failure -> failure.remedy().equals("write 'records.spool'"));
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> config(Map.of(), "nosuch"))
        .matches(failure -> failure.remedy().startsWith("'hpcrun config reference' lists"));
  }

  private String config(Map<String, String> user, String... words) throws IOException {
    Map<String, String> environment = new HashMap<>(user);
    environment.put("HOME", directory.toString());
    environment.put(
        "HPCRUN_SITE", Files.writeString(directory.resolve("site.yaml"), SITE).toString());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
    ConfigCommand.run(List.of(words), new Console(print, print, directory, environment, Site.NONE));
    return out.toString(StandardCharsets.UTF_8);
  }
}
