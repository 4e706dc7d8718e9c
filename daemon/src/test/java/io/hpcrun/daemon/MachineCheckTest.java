package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MachineCheckTest {
  @TempDir Path directory;

  private List<String> findings(String daemon) throws IOException {
    Path file = Files.writeString(directory.resolve("site.yaml"), "daemon: " + daemon);
    return MachineCheck.of(SettingsFile.read(file)).stream()
        .map(MachineCheck.Finding::text)
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "3777, users can list each other's records",
        "2777, users can remove each other's records",
        "1733, nobody but its user can read a record",
        "3755, only its owner can put records into it",
        "3733, ",
        "3730, "
      })
  void theSpoolsMode(String mode, String found) throws IOException {
    Path spool = Files.createDirectory(directory.resolve("spool"));
    Files.setAttribute(spool, "unix:mode", Integer.parseInt(mode, 8));
    List<String> findings = findings("{spool: " + spool + "}");
    if (found == null) {
      assertThat(findings).isEmpty();
    } else {
      assertThat(findings)
          .containsExactly("the spool %s has mode %s: %s".formatted(spool, mode, found));
    }
  }

  @Test
  void theSpoolsGroup() throws IOException {
    assumeThat(System.getProperty("user.name")).isEqualTo("root");
    Path spool = Files.createDirectory(directory.resolve("spool"));
    Files.setAttribute(spool, "unix:uid", 65534);
    Files.setAttribute(spool, "unix:mode", 03733);
    assertThat(findings("{spool: " + spool + "}"))
        .containsExactly(
            "the spool %s has the group root, in which nobody is not: it can read no record"
                .formatted(spool));
    Files.setAttribute(spool, "unix:gid", 65534);
    Files.setAttribute(spool, "unix:mode", 03733);
    assertThat(findings("{spool: " + spool + "}")).isEmpty();
  }

  @Test
  void whatIsNotThere() throws IOException {
    assertThat(
            findings(
                """
                {spool: /none/spool, operators: [no-such-group, root],
                 images: {directory: /none/images, keys: /none/keys},
                 tcp: {listen: 'localhost:1', certificate: /none/c, key: /none/k}}
                """))
        .containsExactly(
            "the spool: there is no directory /none/spool",
            "daemon.operators: there is no group no-such-group",
            "daemon.images: there is no directory /none/images",
            "daemon.images.keys: there is no file /none/keys that can be read",
            "daemon.tcp.certificate: there is no file /none/c that can be read",
            "daemon.tcp.key: there is no file /none/k that can be read");
  }

  @Test
  void aDatabaseThatDoesNotAnswerIsNamed() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("site.yaml"),
            "daemon: {state: %s, socket: %s/s, store: {url: 'jdbc:postgresql://localhost:1/x'}}"
                .formatted(directory, directory));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream err = new PrintStream(said, true, StandardCharsets.UTF_8);
    assertThat(Main.run(List.of("--config=" + file), System.out, err)).isEqualTo(1);
    assertThat(said.toString(StandardCharsets.UTF_8).lines())
        .first()
        .asString()
        .startsWith(
            "hpcrund: error: the database jdbc:postgresql://localhost:1/x cannot be opened: ");
    assertThat(said.toString(StandardCharsets.UTF_8))
        .contains("what to do")
        .doesNotContain("\tat ");
  }

  @Test
  void whatNobodySetsNeedsNothing() throws IOException {
    assertThat(findings("{}")).isEmpty();
  }
}
