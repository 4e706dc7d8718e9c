package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsFileTest {
  @TempDir Path directory;

  @Test
  void everySettingIsRead() throws IOException {
    Settings settings =
        read(
            """
            daemon:
              socket: /s
              state: /st
              spool: /sp
              operators: [staff]
              store: {url: 'jdbc:postgresql://db/x', keep: 10d, size: 2G}
              limits:
                requests-per-second: 1
                request-size: 1M
                request-time: 2s
                requests-at-once: 3
                requests-at-once-per-user: 4
              images:
                directory: /i
                quota: 1G
                largest: 500M
                workers: 5
                pull-time: 1min
                pulls-per-user: 6
                sources: ['docker://registry.site/', /]
                insecure-registries: ['r:5000']
                keys: /k
              tcp: {listen: 'h:1', certificate: /c, key: /y, url: 'https://h/'}
            """);
    assertThat(settings)
        .isEqualTo(
            new Settings(
                Path.of("/s"),
                Path.of("/st"),
                Optional.of(Path.of("/sp")),
                new Settings.Store(Optional.of("jdbc:postgresql://db/x"), 10, 2L << 30),
                List.of("staff"),
                new Settings.Limits(1, 1L << 20, 2, 3, 4),
                new Settings.Images(
                    Optional.of(Path.of("/i")),
                    1L << 30,
                    500L << 20,
                    5,
                    60,
                    6,
                    List.of("docker://registry.site/", "/"),
                    List.of("r:5000"),
                    Optional.of(Path.of("/k"))),
                Optional.of(
                    new Settings.Tcp(
                        "h:1",
                        Optional.of(Path.of("/c")),
                        Optional.of(Path.of("/y")),
                        Optional.of("https://h/")))));
  }

  @Test
  void withoutSettingsTheDefaultsCount() throws IOException {
    assertThat(read("")).isEqualTo(Settings.defaults());
    assertThat(read("daemon: {store: {}, limits: {}, images: {}}")).isEqualTo(Settings.defaults());
    assertThat(read("records: {spool: /shared/spool}").spool()).contains(Path.of("/shared/spool"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{sokcet: /x}|line 1, column 10: there is no key 'sokcet' here",
        "{socket: x}|line 1, column 18: 'x' stands where an absolute path",
        "{state: 1}|line 1, column 17: '1' stands where an absolute path",
        "{operators: staff}|line 1, column 21: 'staff' stands where a list",
        "{store: {url: 'jdbc:mysql:x'}}|line 1, column 23: 'jdbc:mysql:x' stands where a database",
        "{store: {keep: 400}}|line 1, column 24: '400' stands where a time with its unit",
        "{store: {keep: 1s}}|line 1, column 24: '1s' is less than a day",
        "{limits: {requests-at-once: 0}}|column 37: '0' stands where a whole number from 1",
        "{limits: {request-size: 1}}|line 1, column 33: '1' stands where a size",
        "{images: {sources: [docker://x]}}|line 1, column 29: 'docker://x' stands where the begin",
        "{images: {quota: 1G, largest: 2G}}|column 18: 'largest' is more than 'quota'",
        "{images: {insecure-registries: [a b]}}|line 1, column 41: 'a b' stands where HOST",
        "{tcp: {listen: host}}|line 1, column 24: 'host' stands where HOST:PORT",
        "{tcp: {listen: 'h:99999'}}|line 1, column 24: 'h:99999' stands where HOST:PORT",
        "{tcp: {listen: 'host:1'}}|line 1, column 24: host is not a loopback address",
        "{tcp: {listen: 'localhost:1', key: /k}}|certificate and key go together",
        "{tcp: {url: 'https://x/'}}|line 1, column 15: the key 'listen' is missing",
      })
  void mistakesHaveTheirPlace(String daemon, String message) {
    assertThatThrownBy(() -> read("daemon: " + daemon))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("site.yaml, line 1, column")
        .hasMessageContaining(message);
  }

  private Settings read(String text) throws IOException {
    return SettingsFile.read(Files.writeString(directory.resolve("site.yaml"), text));
  }
}
