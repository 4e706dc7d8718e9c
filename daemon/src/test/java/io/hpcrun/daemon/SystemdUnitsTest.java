package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The units of the distribution, as systemd itself reads them. */
class SystemdUnitsTest {
  private static final Path UNITS = Path.of("..", "distribution/src/main/dist/systemd");

  /** The first that judges a unit which is not installed. */
  private static final int OFFLINE_SINCE = 250;

  @TempDir private Path directory;

  private record Said(int exitCode, String text) {}

  private static Said run(List<String> words) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Said(process.waitFor(), text);
  }

  /** The units, with a program where the service's is expected. */
  @BeforeEach
  void copy() throws IOException {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/systemd-analyze")),
        "there is no systemd-analyze, so the units are not checked: apt install systemd");
    Path program = Files.writeString(directory.resolve("hpcrund"), "#!/bin/sh\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
    for (String unit : List.of("hpcrund.service", "hpcrund.socket")) {
      String text = Files.readString(UNITS.resolve(unit));
      Files.writeString(
          directory.resolve(unit), text.replace("/opt/hpcrun/bin/hpcrund", program.toString()));
    }
  }

  private Said analyze(String... words) throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("systemd-analyze"));
    all.addAll(List.of(words));
    return run(all);
  }

  @Test
  void systemdFindsNoFault() throws IOException, InterruptedException {
    Said said =
        analyze(
            "verify",
            "--man=no",
            directory.resolve("hpcrund.service").toString(),
            directory.resolve("hpcrund.socket").toString());
    assertThat(said.text()).isEmpty();
    assertThat(said.exitCode()).isZero();
  }

  @Test
  void systemdFindsAFaultThatIsThere() throws IOException, InterruptedException {
    Path service = directory.resolve("hpcrund.service");
    Files.writeString(
        service, Files.readString(service).replace("KillMode=mixed", "KillMode=sometimes"));
    assertThat(analyze("verify", "--man=no", service.toString()).text()).contains("sometimes");
  }

  /** systemd-analyze(1) calls up to 5.0 of 10 points of exposure medium. */
  @Test
  void theServiceIsLittleExposed() throws IOException, InterruptedException {
    Matcher version = Pattern.compile("systemd (\\d+)").matcher(analyze("--version").text());
    assumeTrue(
        version.find() && Integer.parseInt(version.group(1)) >= OFFLINE_SINCE,
        "this systemd-analyze judges only what is installed");
    Said said =
        analyze(
            "security",
            "--offline=true",
            "--threshold=40",
            "--no-pager",
            directory.resolve("hpcrund.service").toString());
    System.out.println(said.text().strip().lines().toList().getLast());
    assertThat(said.exitCode()).as(said.text()).isZero();
  }
}
