package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.hpcrun.daemon.Records;
import io.hpcrun.daemon.store.Arrival;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IngestTest {
  private static final Ingest.Pace OFTEN =
      new Ingest.Pace(
          Duration.ofMillis(20),
          Duration.ofMillis(1),
          Duration.ofMillis(20),
          Duration.ofDays(1),
          Duration.ZERO);

  private static final Ingest.Pace SELDOM =
      new Ingest.Pace(
          Duration.ofDays(1),
          Duration.ofMillis(1),
          Duration.ofMillis(20),
          Duration.ofDays(1),
          Duration.ofDays(1));

  @TempDir private Path directory;
  private final long uid = FileOwner.uid(Path.of("/proc/self"));
  private Path spool;
  private LaunchStore store;
  private Ingest ingest;
  private int files;

  IngestTest() throws IOException {}

  @BeforeEach
  void open() throws IOException {
    spool = Files.createDirectory(directory.resolve("spool"));
    store =
        LaunchStore.open(
            "jdbc:sqlite:" + directory.resolve("store.db"),
            new Properties(),
            InstantSource.system());
  }

  @AfterEach
  void close() {
    if (ingest != null) {
      ingest.close();
    }
    store.close();
  }

  @Test
  void whatWaitsIsStoredAndRemoved() throws IOException {
    put(Records.node("1.0.0", uid, 5, "c1", 0, 100));
    put(Records.launch("1.0.0", uid, 5, "ended", 1, 100, ""));
    start(OFTEN);
    await(() -> ingest.figures().stored() == 2);
    awaitEmpty();
    assertThat(ingest.figures().ranks()).isEqualTo(100);
    assertThat(ingest.figures().quarantined()).isZero();
    assertThat(store.size().launches()).containsOnlyKeys(LaunchState.ENDED);
  }

  @Test
  void aFileThatComesIsTakenAtOnce() throws IOException {
    start(SELDOM);
    put(Records.launch("1.0.0", uid, 5, "ended", 1, 100, ""));
    await(() -> ingest.figures().stored() == 1); // by its event: the next look is in a day
  }

  @Test
  void whatAnEarlierRunHadTakenIsReadFirst() throws IOException {
    start(OFTEN);
    ingest.close();
    Files.writeString(
        spool.resolve(".taken/x"), Records.launch("1.0.0", uid, 5, "ended", 1, 100, ""));
    start(SELDOM);
    await(() -> ingest.figures().stored() == 1);
    awaitEmpty();
  }

  @Test
  void filesOfTheSameNameDoNotReplaceOneAnother() throws IOException, UnfitException {
    for (int run = 0; run < 2; run++) { // also after the daemon was started anew
      Spool opened = spool();
      for (int i = 0; i < 10; i++) {
        assertThat(opened.take(put("x", "same.jsonl"))).isPresent();
      }
    }
    assertThat(list(spool.resolve(".taken"))).hasSize(20);
  }

  @Test
  void aNameOfAnyLengthAndAnyBytesIsTaken() throws IOException {
    put(Records.launch("1.0.0", uid, 5, "ended", 1, 1, ""), "x".repeat(255));
    put(Records.launch("2.0.0", uid, 5, "ended", 1, 1, ""), "*? \n-ä");
    start(OFTEN);
    await(() -> ingest.figures().stored() == 2);
    awaitEmpty();
  }

  @Test
  void aFileThatItsOwnerTakesBackIsNoFault() throws IOException, UnfitException {
    assertThat(spool().take(spool.resolve("gone"))).isEmpty();
  }

  @Test
  void whatIsNoRecordIsSetAside() throws IOException, InterruptedException {
    put("{\"type\":");
    put("");
    put(Records.launch("1.0.0", uid + 1, 5, "ended", 1, 1, "")); // another user's
    Files.createDirectories(spool.resolve("directory/full"));
    Path secret = Files.writeString(directory.resolve("secret"), "x");
    Files.createSymbolicLink(spool.resolve("link"), secret);
    Files.createSymbolicLink(spool.resolve("loop"), spool.resolve("loop"));
    run("mkfifo", spool.resolve("pipe").toString());
    Files.write(spool.resolve("large"), new byte[100_001]);
    put(Records.launch("1.0.0", uid, 5, "ended", 1, 1, ""));
    start(OFTEN);
    await(() -> ingest.figures().quarantined() == 8 && ingest.figures().stored() == 1);
    awaitEmpty();
    assertThat(list(spool.resolve(".quarantine"))).hasSize(8);
    assertThat(secret).hasContent("x");
    assertThat(ingest.figures().unreadable()).isZero();
  }

  @Test
  void emptyDirectoriesAndOddNamesOfUsersGo() throws IOException {
    Files.createDirectory(spool.resolve("empty"));
    Files.createDirectory(spool.resolve(".hidden"));
    Files.createDirectory(spool.resolve(".tmp.directory"));
    Files.writeString(spool.resolve(".odd"), "x");
    Files.createDirectory(spool.resolve("lost+found"));
    Files.writeString(spool.resolve(".nfs0001"), "still open somewhere");
    ingest = Ingest.start(spool(), store, OFTEN, () -> Instant.now().plus(Duration.ofHours(25)));
    await(
        () ->
            Stream.of("empty", ".hidden", ".tmp.directory", ".odd")
                .noneMatch(name -> Files.exists(spool.resolve(name))));
    assertThat(list(spool))
        .containsExactlyInAnyOrder(".taken", ".quarantine", "lost+found", ".nfs0001");
    assertThat(list(spool.resolve(".quarantine"))).isEmpty();
    assertThat(ingest.figures().quarantined()).isZero();
  }

  @Test
  void whatWasSetAsideGoesAfterAMonth() throws IOException {
    put("no record");
    start(OFTEN);
    await(() -> ingest.figures().quarantined() == 1);
    ingest.close();
    start(OFTEN);
    put(Records.launch("1.0.0", uid, 5, "ended", 1, 1, ""));
    await(() -> ingest.figures().stored() == 1);
    ingest.close();
    assertThat(list(spool.resolve(".quarantine"))).hasSize(1);
    ingest = Ingest.start(spool(), store, OFTEN, () -> Instant.now().plus(Duration.ofDays(31)));
    await(() -> isEmpty(spool.resolve(".quarantine")));
  }

  private static boolean isEmpty(Path directory) {
    try {
      return list(directory).isEmpty();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  @Test
  void aFileBelongsToWhomTheFileSystemSays() throws IOException {
    put(Records.launch("1.0.0", 4711, 5, "ended", 1, 1, ""));
    ingest =
        Ingest.start(
            Spool.open(spool, 100_000, file -> new FileOwner(4711, Optional.of("eva"))),
            store,
            OFTEN,
            InstantSource.system());
    await(() -> ingest.figures().stored() == 1);
    assertThat(
            store
                .launches(LaunchFilter.all(), Viewer.user(4711), 1, Optional.empty())
                .launches()
                .getFirst()
                .user())
        .contains("eva");
  }

  @Test
  void anotherUsersFileIsTakenForThatUserOnly() throws IOException {
    assumeRoot();
    Path theirs = put(Records.launch("1.0.0", 65_534, 5, "ended", 1, 1, ""), ".tmp.a");
    Path forged = put(Records.launch("2.0.0", 0, 5, "ended", 1, 1, ""), ".tmp.b");
    for (Path file : List.of(theirs, forged)) {
      Files.setAttribute(file, "unix:uid", 65_534, LinkOption.NOFOLLOW_LINKS);
      Files.move(file, spool.resolve(file.getFileName().toString().substring(5)));
    }
    start(OFTEN);
    await(() -> ingest.figures().stored() == 1 && ingest.figures().quarantined() == 1);
    assertThat(
            store.launches(LaunchFilter.all(), Viewer.user(65_534), 9, Optional.empty()).launches())
        .hasSize(1);
    assertThat(store.launches(LaunchFilter.all(), Viewer.user(0), 9, Optional.empty()).launches())
        .isEmpty();
  }

  @Test
  void aDirectoryForTakenFilesThatSomebodyElseMadeIsRefused() throws IOException {
    Files.createSymbolicLink(spool.resolve(".taken"), directory);
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(this::spool)
        .withMessageContaining(".taken was made by somebody else");
    Files.delete(spool.resolve(".taken"));
    assumeRoot();
    Files.createDirectory(spool.resolve(".taken"));
    Files.setAttribute(spool.resolve(".taken"), "unix:uid", 65_534);
    assertThatExceptionOfType(Failure.class).isThrownBy(this::spool);
  }

  @Test
  void nobodyElseCanLookIntoTheDaemonsDirectories() throws IOException {
    Files.createDirectory(spool.resolve(".taken"));
    Files.setPosixFilePermissions(
        spool.resolve(".taken"), PosixFilePermissions.fromString("rwxrwxrwx"));
    spool();
    for (String name : List.of(".taken", ".quarantine")) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(spool.resolve(name))))
          .isEqualTo("rwx------");
    }
  }

  /** Whatever time their owner has given them. */
  @Test
  void halfWrittenFilesAreLeftAloneAndRemovedAfterADay() throws IOException {
    Path past = put("{", ".tmp.past");
    Files.setLastModifiedTime(past, FileTime.from(Instant.now().minus(Duration.ofDays(99))));
    Path future = put("{", ".tmp.future");
    Files.setLastModifiedTime(future, FileTime.from(Instant.now().plus(Duration.ofDays(99))));
    AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
    AtomicInteger looks = start(OFTEN, now);
    await(() -> looks.get() > 6);
    assertThat(past).exists();
    assertThat(future).exists();
    now.set(Instant.now().plus(Duration.ofHours(25)));
    await(() -> !Files.exists(past) && !Files.exists(future));
    assertThat(list(spool.resolve(".quarantine"))).isEmpty();
  }

  @Test
  void aClockThatJumpsAYearAheadTakesNothingFromANodeThatWrites() throws IOException {
    Path partial = put("{", ".tmp.partial");
    Ingest.Pace patient =
        new Ingest.Pace(
            OFTEN.scan(),
            OFTEN.firstPause(),
            OFTEN.longestPause(),
            Duration.ofDays(1),
            Duration.ofHours(1));
    AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
    AtomicInteger looks = start(patient, now);
    await(() -> looks.get() > 2);
    now.set(Instant.now().plus(Duration.ofDays(365)));
    int before = looks.get();
    await(() -> looks.get() > before + 3);
    assertThat(partial).exists();
  }

  @Test
  void clocksThatJumpMakeNoNegativeLag() throws IOException {
    Path file = put(Records.launch("1.0.0", uid, 5, "ended", 1, 1, ""), ".tmp.x");
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plus(Duration.ofDays(99))));
    Files.move(file, spool.resolve("x.jsonl"));
    start(OFTEN);
    await(() -> ingest.figures().stored() == 1);
    assertThat(ingest.figures().lag()).isZero();
    Path past = put(Records.launch("2.0.0", uid, 5, "ended", 1, 1, ""), ".tmp.y");
    Files.setLastModifiedTime(past, FileTime.from(Instant.now().minus(Duration.ofDays(99))));
    Files.move(past, spool.resolve("y.jsonl"));
    await(() -> ingest.figures().stored() == 2);
    assertThat(ingest.figures().lag()).isGreaterThan(Duration.ofDays(98));
  }

  @Test
  void filesWaitWhileTheStoreFailsAndGoInWhenItWorksAgain() throws IOException {
    LaunchStore closed =
        LaunchStore.open(
            "jdbc:sqlite:" + directory.resolve("closed.db"),
            new Properties(),
            InstantSource.system());
    closed.close();
    AtomicReference<Intake.Sink> sink = new AtomicReference<>(closed::store);
    for (int i = 0; i < 700; i++) {
      put(Records.launch(i + ".0.0", uid, 5, "ended", 1, 1, ""));
    }
    ingest =
        Ingest.start(
            spool(), arrivals -> sink.get().store(arrivals), OFTEN, InstantSource.system());
    await(() -> ingest.figures().storeFailures() >= 3);
    assertThat(ingest.figures().trouble()).isPresent();
    awaitWaiting(700); // a file that is being taken may be listed in both directories
    sink.set(store::store);
    await(() -> ingest.figures().stored() == 700);
    awaitEmpty();
    assertThat(ingest.figures().trouble()).isEmpty();
  }

  @Test
  void stoppingDoesNotWaitForAStoreThatFails() throws IOException {
    LaunchStore closed = store;
    closed.close();
    put(Records.launch("1.0.0", uid, 5, "ended", 1, 1, ""));
    start(
        new Ingest.Pace(
            OFTEN.scan(),
            Duration.ofDays(1),
            Duration.ofDays(1),
            OFTEN.abandonedAge(),
            OFTEN.abandonedPatience()));
    await(() -> ingest.figures().storeFailures() == 1);
    ingest.close();
    assertThat(ingest.isAlive()).isFalse();
    assertThat(waiting()).isEqualTo(1);
  }

  @Test
  void aBatchThatIsBeingStoredIsFinishedBeforeTheStop() throws IOException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    put(Records.launch("1.0.0", uid, 5, "ended", 1, 1, ""));
    ingest =
        Ingest.start(
            spool(),
            arrivals -> {
              begun.countDown();
              awaitLatch(go);
              return store.store(arrivals);
            },
            OFTEN,
            InstantSource.system());
    awaitLatch(begun);
    Thread stopping = Thread.ofPlatform().start(ingest::close);
    go.countDown();
    await(() -> !stopping.isAlive());
    assertThat(ingest.figures().stored()).isEqualTo(1);
    assertThat(waiting()).isZero();
  }

  @Test
  void aRecordThatTheStoreRefusesKeepsNoOtherOut() throws IOException {
    for (int i = 0; i < 100; i++) {
      put(Records.launch(i + ".0.0", uid, 5, "ended", 1, 1, ""));
    }
    ingest =
        Ingest.start(
            spool(),
            arrivals -> {
              List<Arrival> changed = new ArrayList<>(arrivals);
              changed.replaceAll(
                  each -> each.key().launch().equals("42.0.0") ? refused(each) : each);
              return store.store(changed);
            },
            OFTEN,
            InstantSource.system());
    await(() -> ingest.figures().stored() == 99 && ingest.figures().quarantined() == 1);
    awaitEmpty();
  }

  /** No store takes a node without a name. */
  private static Arrival refused(Arrival arrival) {
    return new Arrival.OfNode(arrival.key(), Optional.empty(), null, 0, "", "", new byte[0]);
  }

  private Spool spool() {
    return Spool.open(spool, 100_000, FileOwner.fromFileSystem());
  }

  /** Starts with a clock of its own; the number that is returned tells how often it was read. */
  private AtomicInteger start(Ingest.Pace pace, AtomicReference<Instant> now) {
    AtomicInteger looks = new AtomicInteger();
    ingest =
        Ingest.start(
            spool(),
            store,
            pace,
            () -> {
              looks.incrementAndGet();
              return now.get();
            });
    return looks;
  }

  private void start(Ingest.Pace pace) {
    ingest = Ingest.start(spool(), store, pace, InstantSource.system());
  }

  private Path put(String text) throws IOException {
    return put(text, "file" + files++ + ".jsonl");
  }

  private Path put(String text, String name) throws IOException {
    Path file = spool.resolve(name);
    write(file, text);
    return file;
  }

  private void write(Path file, String text) throws IOException {
    Path partial = directory.resolve("partial");
    Files.writeString(partial, text);
    Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private long waiting() throws IOException {
    return list(spool).stream().filter(name -> !name.startsWith(".")).count()
        + list(spool.resolve(".taken")).size();
  }

  private void awaitEmpty() {
    awaitWaiting(0);
  }

  private void awaitWaiting(long files) {
    await(
        () -> {
          try {
            return waiting() == files;
          } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
          }
        });
  }

  private static List<String> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      try {
        Thread.sleep(5);
      } catch (InterruptedException tooLong) {
        throw new IllegalStateException(tooLong);
      }
    }
  }

  private static void awaitLatch(CountDownLatch latch) {
    await(() -> latch.getCount() == 0);
  }

  private static void run(String... command) throws IOException, InterruptedException {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  private void assumeRoot() {
    assumeThat(uid).as("only root can give a file to another user").isZero();
  }
}
