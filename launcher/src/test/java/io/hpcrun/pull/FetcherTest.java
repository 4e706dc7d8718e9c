package io.hpcrun.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.process.Programs;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    return fetch(resolved, Duration.ofSeconds(30), still, most, progress);
  }

  private Path fetch(
      Resolved resolved, Duration time, Duration still, long most, Progress progress) {
    try (Fetcher fetcher =
        Fetcher.anonymous(
            InsecureHosts.LOOPBACK,
            Map.of(),
            new Fetcher.Limits(time, still, most, AllowedSources.ALL, Optional.empty()))) {
      Fetcher.Sif sif = fetcher.fetch(resolved, work, progress);
      assertThat("sha256:" + sif.sha256())
          .isEqualTo(FakeRegistry.digest(Files.readAllBytes(sif.file())));
      return sif.file();
    } catch (IOException unreadable) {
      throw new IllegalStateException(unreadable);
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
  void whatIsAnnouncedToBeTooLargeIsNotBegun() {
    Resolved resolved = oras(sif("02", 40_000));
    Resolved huge =
        new Resolved(resolved.source(), "amd64", resolved.pin(), 1L << 50, resolved.blob());
    assertThat(failure(huge).kind()).isEqualTo(Kind.NO_ROOM);
    assertThat(registry.asked).isEmpty();
    registry.on(
        "/v2/app/blobs/" + resolved.blob().orElseThrow(),
        exchange -> {
          exchange.sendResponseHeaders(200, 1L << 50);
          exchange.getResponseBody().write(0);
          exchange.getResponseBody().flush();
        });
    assertThat(failure(resolved).kind()).isEqualTo(Kind.NO_ROOM);
  }

  /** Each byte comes in time, but there are too many. */
  private void trickle(com.sun.net.httpserver.HttpExchange exchange) throws IOException {
    exchange.sendResponseHeaders(200, 40_000);
    try {
      for (int i = 0; i < 40_000; i++) {
        exchange.getResponseBody().write(0);
        exchange.getResponseBody().flush();
        Thread.sleep(20);
      }
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aDownloadThatTricklesEndsWithItsTime() {
    Resolved blob = oras(sif("02", 40_000));
    registry.on("/v2/app/blobs/" + blob.blob().orElseThrow(), this::trickle);
    registry.on("/a.sif", this::trickle);
    Resolved web =
        new Resolved(
            new ImageSource.Web(java.net.URI.create("http://" + registry.host() + "/a.sif")),
            "amd64",
            Optional.empty(),
            0,
            Optional.empty());
    for (Resolved each : List.of(blob, web)) {
      PullFailure failure =
          catchThrowableOfType(
              PullFailure.class,
              () ->
                  fetch(
                      each,
                      Duration.ofSeconds(1),
                      Duration.ofSeconds(30),
                      1 << 20,
                      (stage, done) -> {}));
      assertThat(failure.kind()).isEqualTo(Kind.TOO_SLOW);
      assertThat(failure.getMessage()).contains("after 1 s");
      work = work.resolveSibling("next");
      work.toFile().mkdir();
    }
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

  private static Resolved local(Path file) {
    try (Resolver resolver =
        new Resolver(Login.NONE, InsecureHosts.LOOPBACK, AllowedSources.ALL, Map.of())) {
      return resolver.resolve(ImageSource.parse(file.toString()), "amd64");
    }
  }

  private static Kind refused(Path file) {
    return catchThrowableOfType(PullFailure.class, () -> local(file)).kind();
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

  @ParameterizedTest
  @ValueSource(strings = {"rw-r-----", "rw----r--", "-wxr--r--"})
  void aFileThatSomeMayNotReadIsNotHandedToThem(String permissions) throws IOException {
    Path file = shared(permissions);
    assertThat(refused(file)).isEqualTo(Kind.FORBIDDEN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxr-x---", "rwx---r-x", "rwxr--r--"})
  void aFileInADirectoryThatSomeMayNotSearchIsNotHandedToThem(String permissions)
      throws IOException {
    Path file = shared("rw-r--r--");
    Files.setPosixFilePermissions(file.getParent(), PosixFilePermissions.fromString(permissions));
    assertThat(refused(file)).isEqualTo(Kind.FORBIDDEN);
    assertThat(refused(file.resolveSibling("none")))
        .as("whether it is there is not told either")
        .isEqualTo(Kind.FORBIDDEN);
  }

  @Test
  void linksAreNotFollowed() throws IOException {
    Path file = shared("rw-r--r--");
    Path link = Files.createSymbolicLink(file.resolveSibling("link.sif"), file);
    assertThat(refused(link)).isEqualTo(Kind.FORBIDDEN);
    Path way = Files.createSymbolicLink(file.resolveSibling("way"), file.getParent());
    assertThat(refused(way.resolve("app.sif"))).isEqualTo(Kind.FORBIDDEN);
    assertThat(refused(file.resolveSibling("none"))).isEqualTo(Kind.UNKNOWN);
    assertThat(refused(Path.of("/dev/zero"))).isEqualTo(Kind.FORBIDDEN);
    assertThat(refused(file.getParent())).isEqualTo(Kind.FORBIDDEN);
    assertThat(refused(file.resolve("x"))).isEqualTo(Kind.FORBIDDEN);
  }

  @Test
  void aPipeHoldsNobodyUp() throws IOException {
    Path pipe = shared("rw-r--r--").resolveSibling("pipe");
    Programs.Result made =
        Programs.run(
            List.of("mkfifo", pipe.toString()), Set.of(), new byte[0], Duration.ofSeconds(10));
    assertThat(made.exitCode()).isZero();
    assertThat(refused(pipe)).isEqualTo(Kind.FORBIDDEN);
  }

  @Test
  void namesAreNoShellWords() throws IOException {
    Path file = shared("rw-r--r--");
    for (String name : List.of("-n", "$(id)", "a;b'c\"d", "*", "\\x")) {
      Path odd = Files.createDirectories(file.resolveSibling(name)).resolve(name + ".sif");
      Files.copy(file, odd);
      Files.setPosixFilePermissions(odd, PosixFilePermissions.fromString("rw-r--r--"));
      Files.setPosixFilePermissions(odd.getParent(), PosixFilePermissions.fromString("rwxr-xr-x"));
      assertThat(fetch(local(odd))).hasBinaryContent(sif("02", 40_000));
      Files.delete(work.resolve("image.sif"));
    }
  }

  /** Whoever changes links while the daemon walks: it reads the named file or nothing. */
  @Test
  void aLinkThatComesMeanwhileIsNotFollowed() throws IOException, InterruptedException {
    Path file = shared("rw-r--r--");
    Path dir = Files.createDirectory(file.resolveSibling("dir"));
    Path other = Files.createDirectory(file.resolveSibling("other"));
    File link = Files.createSymbolicLink(file.resolveSibling("link"), other).toFile();
    for (Path each : List.of(dir, other)) {
      Files.setPosixFilePermissions(each, PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.copy(file, each.resolve("app.sif"));
      Files.setPosixFilePermissions(
          each.resolve("app.sif"), PosixFilePermissions.fromString("rw-r--r--"));
    }
    Files.write(other.resolve("app.sif"), sif("02", 50_000));
    Path named = Files.move(dir, file.resolveSibling("named"));
    File here = named.toFile();
    File away = dir.toFile();
    AtomicBoolean over = new AtomicBoolean();
    Thread swapper =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!over.get()) {
                    here.renameTo(away);
                    link.renameTo(here);
                    here.renameTo(link);
                    away.renameTo(here);
                  }
                });
    try {
      for (int i = 0; i < 60; i++) {
        try {
          assertThat(local(named.resolve("app.sif")).bytes()).isEqualTo(40_000);
        } catch (PullFailure refused) {
          assertThat(refused.kind()).isIn(Kind.FORBIDDEN, Kind.UNKNOWN);
        }
      }
    } finally {
      over.set(true);
      swapper.join();
    }
  }

  @Test
  void aFileThatIsAnotherOneThanItWasResolvedToIsNotTaken() throws IOException {
    Path file = shared("rw-r--r--");
    Resolved before = local(file);
    Files.write(file, sif("02", 40_001));
    PullFailure failure = failure(before);
    assertThat(failure.kind()).isEqualTo(Kind.BROKEN);
    assertThat(failure.getMessage()).contains("changed while it was read");
  }

  private Path sparse(long size) throws IOException {
    Path file = shared("rw-r--r--");
    try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
      large.setLength(size);
    }
    return file;
  }

  @Test
  void aFileWithHolesKeepsThem() throws IOException {
    Path file = sparse(200 << 20);
    List<Long> heard = new CopyOnWriteArrayList<>();
    Path fetched =
        fetch(local(file), Duration.ofSeconds(30), 1 << 30, (stage, done) -> heard.add(done));
    assertThat(fetched).hasSize(200 << 20);
    assertThat(DiskUse.of(fetched, Duration.ofSeconds(10))).isLessThan(1 << 20);
    assertThat(heard).allMatch(done -> done < 1 << 20);
  }

  @Test
  void aFileIsReadNoLongerThanAPullMayTake() throws IOException {
    Resolved huge = local(sparse(1L << 42));
    long began = System.nanoTime();
    PullFailure failure =
        catchThrowableOfType(
            PullFailure.class,
            () ->
                fetch(
                    huge,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(30),
                    Long.MAX_VALUE,
                    (stage, done) -> {}));
    assertThat(failure.kind()).isEqualTo(Kind.TOO_SLOW);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void anInterruptedThreadEndsItsCopy() throws IOException {
    Resolved huge = local(sparse(1L << 42));
    Thread self = Thread.currentThread();
    Thread.ofVirtual()
        .start(
            () -> {
              while (!Files.exists(work.resolve("image.sif"))) {
                Thread.onSpinWait();
              }
              self.interrupt();
            });
    PullFailure failure =
        catchThrowableOfType(
            PullFailure.class,
            () -> fetch(huge, Duration.ofSeconds(30), Long.MAX_VALUE, (stage, done) -> {}));
    assertThat(Thread.interrupted()).isTrue();
    assertThat(failure.kind()).isEqualTo(Kind.CANCELLED);
  }
}
