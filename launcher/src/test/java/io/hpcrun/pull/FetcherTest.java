package io.hpcrun.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FetcherTest {
  @TempDir private Path directory;
  private FakeRegistry registry;
  private Path work;

  @BeforeEach
  void start() throws IOException {
    registry = new FakeRegistry();
    work = Files.createDirectory(directory.resolve("work"));
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  private Path fetch(Resolved resolved, Duration still, long most, Progress progress) {
    try (Fetcher fetcher =
        Fetcher.anonymous(
            InsecureHosts.LOOPBACK,
            Map.of(),
            new Fetcher.Limits(Duration.ofSeconds(30), still, most, Optional.empty()))) {
      return fetcher.fetch(resolved, work, progress);
    }
  }

  private Path fetch(Resolved resolved) {
    return fetch(resolved, Duration.ofSeconds(30), 1 << 20, (stage, done) -> {});
  }

  private PullFailure failure(Resolved resolved) {
    return catchThrowableOfType(PullFailure.class, () -> fetch(resolved));
  }

  /** The header of a SIF file (sylabs/sif, pkg/sif/sif.go) and something behind it. */
  static byte[] sif(String architecture, int size) {
    byte[] bytes = new byte[size];
    byte[] head =
        "%-32sSIF_MAGIC\00001\000%s\000"
            .formatted("#!/usr/bin/env run-singularity", architecture)
            .getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(head, 0, bytes, 0, head.length);
    return bytes;
  }

  private Resolved oras(byte[] content) {
    String digest = FakeRegistry.digest(content);
    registry.on("/v2/app/blobs/" + digest, exchange -> FakeRegistry.send(exchange, 200, content));
    return new Resolved(
        ImageSource.parse("oras://" + registry.host() + "/app:1"),
        "amd64",
        Optional.of("sha256:" + "0".repeat(64)),
        content.length,
        Optional.of(digest));
  }

  @Test
  void aSifFileOfARegistryComesAsItIs() throws IOException {
    byte[] content = sif("02", 40_000);
    List<String> heard = new ArrayList<>();
    Path file =
        fetch(
            oras(content),
            Duration.ofSeconds(30),
            1 << 20,
            (stage, done) -> heard.add(stage + " " + done));
    assertThat(file).hasBinaryContent(content);
    assertThat(heard).startsWith("PULLING 0").contains("PULLING 40000").endsWith("VERIFYING 0");
  }

  @Test
  void anotherContentThanTheDigestSaysIsRefused() {
    Resolved resolved = oras(sif("02", 40_000));
    registry.on(
        "/v2/app/blobs/" + resolved.blob().orElseThrow(),
        exchange -> FakeRegistry.send(exchange, 200, sif("02", 40_001)));
    assertThat(failure(resolved).kind()).isEqualTo(Kind.BROKEN);
  }

  @Test
  void aSifFileForOtherProcessorsIsRefused() {
    assertThat(failure(oras(sif("04", 40_000))).kind()).isEqualTo(Kind.WRONG_ARCHITECTURE);
  }

  @Test
  void whatIsNoSifFileIsRefused() {
    PullFailure failure = failure(oras("<html>not found</html>".getBytes(StandardCharsets.UTF_8)));
    assertThat(failure.kind()).isEqualTo(Kind.BROKEN);
    assertThat(failure.getMessage()).doesNotContain(work.toString());
  }

  @Test
  void aDownloadThatStandsStillIsGivenUp() {
    Resolved resolved = oras(sif("02", 40_000));
    registry.on(
        "/v2/app/blobs/" + resolved.blob().orElseThrow(),
        exchange -> {
          exchange.sendResponseHeaders(200, 40_000);
          exchange.getResponseBody().write(new byte[100]);
          exchange.getResponseBody().flush();
        });
    PullFailure failure =
        catchThrowableOfType(
            PullFailure.class,
            () -> fetch(resolved, Duration.ofMillis(300), 1 << 20, (stage, done) -> {}));
    assertThat(failure.kind()).isEqualTo(Kind.UNREACHABLE);
    assertThat(failure.getMessage()).contains("100 bytes");
  }

  @Test
  void aDownloadLargerThanTheQuotaEndsThere() {
    PullFailure failure =
        catchThrowableOfType(
            PullFailure.class,
            () ->
                fetch(
                    oras(sif("02", 3 << 20)),
                    Duration.ofSeconds(30),
                    1 << 20,
                    (stage, done) -> {}));
    assertThat(failure.kind()).isEqualTo(Kind.NO_ROOM);
  }

  @Test
  void anInterruptedThreadEndsItsDownload() {
    Resolved resolved = oras(sif("02", 40_000));
    registry.on(
        "/v2/app/blobs/" + resolved.blob().orElseThrow(),
        exchange -> {
          exchange.sendResponseHeaders(200, 40_000);
          exchange.getResponseBody().write(new byte[100]);
          exchange.getResponseBody().flush();
        });
    Thread self = Thread.currentThread();
    PullFailure failure =
        catchThrowableOfType(
            PullFailure.class,
            () ->
                fetch(
                    resolved,
                    Duration.ofSeconds(30),
                    1 << 20,
                    (stage, done) -> {
                      if (done > 0) {
                        self.interrupt();
                      }
                    }));
    assertThat(Thread.interrupted()).isTrue();
    assertThat(failure.kind()).isEqualTo(Kind.CANCELLED);
  }

  private Resolved local(Path file) {
    return new Resolved(
        ImageSource.parse(file.toString()), "amd64", Optional.of("x"), 0, Optional.empty());
  }

  private Path shared(String permissions) throws IOException {
    Path real = directory.toRealPath();
    Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path file = real.resolve("app.sif");
    Files.write(file, sif("02", 40_000));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    return file;
  }

  @Test
  void aFileThatEverybodyMayReadIsCopied() throws IOException {
    assertThat(fetch(local(shared("rw-r--r--")))).hasBinaryContent(sif("02", 40_000));
  }

  @Test
  void aFileThatOthersMayNotReadIsNotHandedToThem() throws IOException {
    assertThat(failure(local(shared("rw-r-----"))).kind()).isEqualTo(Kind.FORBIDDEN);
  }

  @Test
  void aFileInADirectoryThatOthersMayNotSearchIsNotHandedToThem() throws IOException {
    Path file = shared("rw-r--r--");
    Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString("rwxr-x---"));
    assertThat(failure(local(file)).kind()).isEqualTo(Kind.FORBIDDEN);
  }

  @Test
  void linksAreNotFollowed() throws IOException {
    Path file = shared("rw-r--r--");
    Path link = Files.createSymbolicLink(file.resolveSibling("link.sif"), file);
    assertThat(failure(local(link)).kind()).isEqualTo(Kind.FORBIDDEN);
    Path way = Files.createSymbolicLink(file.resolveSibling("way"), file.getParent());
    assertThat(failure(local(way.resolve("app.sif"))).kind()).isEqualTo(Kind.FORBIDDEN);
    assertThat(failure(local(file.resolveSibling("none"))).kind()).isEqualTo(Kind.UNKNOWN);
    assertThat(failure(local(Path.of("/dev/zero"))).kind()).isEqualTo(Kind.FORBIDDEN);
  }
}
