package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.daemon.api.Caller;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.PullFailure.Kind;
import io.hpcrun.pull.Resolved;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageStoreTest {
  private static final int KIB = 1024;

  @TempDir private Path directory;
  private Path root;
  private ImageStore store;
  private Instant now = Instant.parse("2026-11-21T12:00:00Z");
  private final Set<Path> used = new LinkedHashSet<>();
  private boolean known = true;
  private int asked;
  private final SlowDisk disk = new SlowDisk();

  /** Tells who waits for it, and has as many free bytes as the test says. */
  private final class SlowDisk extends Disk {
    private final AtomicLong free = new AtomicLong(Long.MAX_VALUE);
    private final List<Path> waitedForWithTheLock = new CopyOnWriteArrayList<>();
    private volatile CyclicBarrier together = new CyclicBarrier(1);

    @Override
    void force(Path path) throws IOException {
      if (Thread.holdsLock(store)) {
        waitedForWithTheLock.add(path);
      }
      if (path.endsWith("image.sif")) {
        try {
          together.await();
        } catch (InterruptedException | BrokenBarrierException stopped) {
          throw new IllegalStateException(stopped);
        }
      }
      super.force(path);
    }

    @Override
    long free(Path directory) {
      return free.get();
    }
  }

  @BeforeEach
  void open() {
    root = directory.resolve("images");
    store = store();
  }

  @AfterEach
  void close() {
    store.close();
  }

  private ImageStore store() {
    InstantSource source = () -> now;
    return new ImageStore(
        root,
        1000 * KIB,
        () -> {
          asked++;
          return known ? Optional.of(Map.of(1L, used)) : Optional.empty();
        },
        source.withZone(ZoneOffset.UTC),
        disk);
  }

  private static Resolved wanted(String tag) {
    return new Resolved(
        ImageSource.parse("docker://r:1/app:" + tag),
        "amd64",
        Optional.of("sha256:" + tag),
        0,
        Optional.empty());
  }

  /** A SIF file for amd64 (sylabs/sif, pkg/sif/sif.go), as it counts on the disk. */
  private static byte[] sif(int size) {
    byte[] bytes = new byte[size];
    byte[] head =
        "%-32sSIF_MAGIC\00001\00002\000"
            .formatted("#!/usr/bin/env run-singularity")
            .getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(head, 0, bytes, 0, head.length);
    return bytes;
  }

  private StoredImage add(String letter, int size) {
    Path work = store.newWork();
    try {
      Path file = Files.write(work.resolve("image.sif"), sif(size * KIB));
      return store.add(file, letter.repeat(64), wanted(letter), user(letter));
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    } finally {
      store.remove(work);
    }
  }

  /** A user of this name; each has another number. */
  private static Caller user(String name) {
    return new Caller(1000 + name.hashCode(), name, false);
  }

  private List<String> names() {
    return store.all().stream().map(image -> image.sha256().substring(0, 1)).sorted().toList();
  }

  private void later(Duration time) {
    now = now.plus(time);
  }

  @Test
  void anImageIsWholeReadableByAllAndNamedByItsDigest() throws IOException {
    StoredImage image = add("a", 100);
    Path path = store.path(image);
    assertThat(path).isEqualTo(root.resolve("sha256").resolve("a".repeat(64) + ".sif"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("r--r--r--");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path.getParent())))
        .isEqualTo("rwxr-xr-x");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root.resolve(".work"))))
        .isEqualTo("rwx------");
    assertThat(root.resolve(".work")).isEmptyDirectory();
  }

  @Test
  void theLeastRecentlyUsedGoesFirst() {
    add("a", 400);
    later(Duration.ofHours(2));
    add("b", 400);
    later(Duration.ofHours(2));
    assertThat(store.find(wanted("a"), user("bob"))).isPresent();
    later(Duration.ofHours(2));
    add("c", 400);
    assertThat(names()).containsExactly("a", "c");
  }

  @Test
  void anImageOfAJobStaysHoweverOldItIs() {
    used.add(store.path(add("a", 400)));
    later(Duration.ofDays(100));
    add("b", 400);
    later(Duration.ofHours(2));
    add("c", 400);
    assertThat(names()).containsExactly("a", "c");
  }

  @Test
  void whatWasHandedOutWithinTheHourStays() {
    add("a", 400);
    later(Duration.ofMinutes(59));
    add("b", 400);
    PullFailure full = catchThrowableOfType(PullFailure.class, () -> add("c", 400));
    assertThat(full.kind()).isEqualTo(Kind.NO_ROOM);
    assertThat(names()).containsExactly("a", "b");
    later(Duration.ofMinutes(2));
    add("c", 400);
    assertThat(names()).containsExactly("b", "c");
  }

  @Test
  void whatTheJobsOfOneUserKeepIsHalfOfTheStoreThoseFirstThatCameFirst() {
    for (String each : List.of("a", "b", "c", "d")) {
      used.add(store.path(add(each, 240)));
    }
    later(Duration.ofHours(2));
    add("e", 500);
    assertThat(names()).containsExactly("a", "b", "e");
    assertThat(catchThrowableOfType(PullFailure.class, () -> add("f", 250)).kind())
        .as("what is left is in use")
        .isEqualTo(Kind.NO_ROOM);
  }

  @Test
  void whoKeepsHalfOfTheStoreIsHandedOutNoMore() {
    add("a", 300);
    add("b", 300);
    Caller bob = user("bob");
    assertThat(store.find(wanted("a"), bob)).isPresent();
    PullFailure refused =
        catchThrowableOfType(PullFailure.class, () -> store.find(wanted("b"), bob));
    assertThat(refused.kind()).isEqualTo(Kind.NO_ROOM);
    assertThat(refused).hasMessageContaining("images of yours");
    assertThat(store.find(wanted("a"), bob)).as("what is kept for him anyway").isPresent();
    assertThat(store.find(wanted("b"), user("carol"))).isPresent();
    later(Duration.ofHours(2));
    assertThat(store.find(wanted("b"), bob)).isPresent();
  }

  @Test
  void imagesOfJobsAndThoseHandedOutAreOneShare() {
    used.add(store.path(add("a", 300)));
    add("b", 300);
    store.lookAtJobs();
    Caller ofJobs = new Caller(1, "bob", false);
    assertThat(catchThrowableOfType(PullFailure.class, () -> store.find(wanted("b"), ofJobs)))
        .isNotNull();
    used.clear();
    store.lookAtJobs();
    assertThat(store.find(wanted("b"), ofJobs)).isPresent();
  }

  @Test
  void askingAgainAndAgainKeepsNoMoreThanAShare() {
    Caller bob = user("bob");
    List<String> all = List.of("a", "b", "c", "d");
    all.forEach(each -> add(each, 240));
    for (int i = 0; i < 3; i++) {
      later(Duration.ofMinutes(50));
      all.forEach(each -> catchThrowable(() -> store.find(wanted(each), bob)));
    }
    add("e", 500);
    assertThat(names()).containsExactly("a", "b", "e");
  }

  @Test
  void oneLargeImageIsKeptThoughItIsMoreThanAShare() {
    used.add(store.path(add("a", 700)));
    later(Duration.ofHours(2));
    assertThat(catchThrowableOfType(PullFailure.class, () -> add("b", 700)).kind())
        .isEqualTo(Kind.NO_ROOM);
    assertThat(names()).containsExactly("a");
  }

  @Test
  void whatWasHandedOutBeforeARestartStaysForTheHour() {
    add("a", 600);
    later(Duration.ofMinutes(10));
    store.close();
    store = store();
    assertThat(catchThrowableOfType(PullFailure.class, () -> add("b", 600)).kind())
        .isEqualTo(Kind.NO_ROOM);
    later(Duration.ofHours(1));
    add("b", 600);
    assertThat(names()).containsExactly("b");
  }

  @Test
  void nothingIsRemovedWhenTheJobsAreNotKnown() {
    add("a", 400);
    add("b", 400);
    later(Duration.ofHours(2));
    known = false;
    assertThat(catchThrowableOfType(PullFailure.class, () -> add("c", 400)).kind())
        .isEqualTo(Kind.NO_ROOM);
    assertThat(names()).containsExactly("a", "b");
  }

  @Test
  void nothingIsRemovedForAnImageThatWouldNotFitAllTheSame() {
    used.add(store.path(add("a", 400)));
    add("b", 400);
    later(Duration.ofHours(2));
    assertThat(catchThrowableOfType(PullFailure.class, () -> add("c", 700)).kind())
        .isEqualTo(Kind.NO_ROOM);
    assertThat(catchThrowableOfType(PullFailure.class, () -> add("d", 1001)).kind())
        .isEqualTo(Kind.NO_ROOM);
    assertThat(names()).containsExactly("a", "b");
  }

  @Test
  void whatIsKnownOfImagesOutlivesTheDaemon() {
    StoredImage image = add("a", 400);
    later(Duration.ofHours(2));
    store.close();
    store = store();
    assertThat(store.all()).containsExactly(image);
    assertThat(store.used(image)).isEqualTo(Instant.parse("2026-11-21T12:00:00Z"));
    assertThat(store.find(wanted("a"), user("bob"))).contains(image);
    assertThat(store.used(image)).isEqualTo(now);
  }

  @Test
  void leftOversOfAKilledDaemonAreRemovedAndHalfImagesNeverSeen() throws IOException {
    add("a", 400);
    Path left = Files.createDirectories(root.resolve(".work/pull1/rootfs/locked"));
    Files.write(left.resolve("half"), new byte[10]);
    Files.setPosixFilePermissions(left, PosixFilePermissions.fromString("r-x------"));
    Files.createSymbolicLink(root.resolve(".work/pull1/link"), root.resolve("sha256"));
    store.close();
    store = store();
    assertThat(root.resolve(".work")).isEmptyDirectory();
    assertThat(names()).containsExactly("a");
    assertThat(root.resolve("sha256").resolve("a".repeat(64) + ".sif")).isRegularFile();
  }

  @Test
  void anImageWithoutAnEntryIsKeptAndAnEntryWithoutAnImageIsNot() throws IOException {
    add("a", 400);
    add("b", 300);
    store.close();
    Files.delete(root.resolve(".index").resolve("a".repeat(64) + ".json"));
    Files.delete(root.resolve("sha256").resolve("b".repeat(64) + ".sif"));
    store = store();
    assertThat(names()).containsExactly("a");
    assertThat(store.all().getFirst().sources()).isEmpty();
    assertThat(store.size()).isEqualTo(400 * KIB);
    assertThat(store.find(wanted("b"), user("bob"))).isEmpty();
  }

  @Test
  void anEntryThatIsNoJsonIsReplaced() throws IOException {
    add("a", 400);
    store.close();
    for (String text : List.of("", "{", "null", "{\"sha256\":\"b\"}", "[1]")) {
      Files.writeString(root.resolve(".index").resolve("a".repeat(64) + ".json"), text);
      store = store();
      assertThat(names()).as(text).containsExactly("a");
      store.close();
    }
    store = store();
  }

  @Test
  void anImageThatSomebodyCutIsNotHandedOut() throws IOException {
    StoredImage image = add("a", 400);
    Files.setPosixFilePermissions(store.path(image), PosixFilePermissions.fromString("rw-r--r--"));
    Files.write(store.path(image), new byte[399]);
    assertThat(store.find(wanted("a"), user("bob"))).isEmpty();
    add("a", 400);
    assertThat(store.find(wanted("a"), user("bob"))).isPresent();
    assertThat(store.path(image)).hasSize(400 * KIB);
  }

  @Test
  void twoDaemonsDoNotKeepImagesInOneDirectory() {
    assertThatThrownBy(this::store)
        .isInstanceOf(Failure.class)
        .hasMessageContaining("another hpcrund");
  }

  @Test
  void anotherTagOfTheSameImageIsNotedWithIt() {
    StoredImage image = add("a", 400);
    Resolved other =
        new Resolved(
            ImageSource.parse("docker://r:1/app:latest"),
            "amd64",
            Optional.of("sha256:a"),
            0,
            Optional.empty());
    StoredImage found = store.find(other, user("bob")).orElseThrow();
    assertThat(found.sha256()).isEqualTo(image.sha256());
    assertThat(found.sources()).containsExactly("docker://r:1/app:a", "docker://r:1/app:latest");
    assertThat(store.all()).containsExactly(found);
  }

  @Test
  void nobodyWaitsForTheDiskOfOthers() {
    add("a", 400);
    add("b", 400);
    assertThat(disk.waitedForWithTheLock).isEmpty();
  }

  @Test
  void imagesThatComeTogetherDoNotHaveMoreThanTheQuota() throws InterruptedException {
    add("a", 600);
    disk.together = new CyclicBarrier(3);
    List<Thread> pulls =
        Stream.of("b", "c", "d")
            .map(each -> Thread.ofVirtual().start(() -> catchThrowable(() -> add(each, 300))))
            .toList();
    for (Thread each : pulls) {
      each.join();
    }
    assertThat(names()).hasSize(2).contains("a");
    assertThat(store.size()).isEqualTo(900 * KIB);
  }

  @Test
  void aFileFullOfHolesCountsAsWhatItHasOnTheDisk() throws IOException {
    Path work = store.newWork();
    Path file = Files.write(work.resolve("image.sif"), sif(4 * KIB));
    try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
      large.setLength(10_000 * KIB);
    }
    StoredImage image = store.add(file, "a".repeat(64), wanted("a"), user("alice"));
    assertThat(image.size()).isEqualTo(10_000 * KIB);
    assertThat(store.size()).isLessThan(100 * KIB);
    assertThat(store.find(wanted("a"), user("bob"))).contains(image);
  }

  @Test
  void whatAPullHasBroughtMakesIdleImagesGoAndNoMoreThanThat() {
    add("a", 300);
    later(Duration.ofHours(2));
    add("b", 300);
    later(Duration.ofHours(2));
    disk.free.set(100 * KIB);
    store.makeWay(100 * KIB);
    assertThat(names()).containsExactly("a", "b");
    store.makeWay(200 * KIB);
    assertThat(names()).containsExactly("b");
  }

  @Test
  void slurmIsNotAskedAgainAndAgainWhenNothingCanGo() {
    add("a", 300);
    disk.free.set(0);
    asked = 0;
    for (int i = 0; i < 10; i++) {
      store.makeWay(200 * KIB);
    }
    assertThat(asked).isEqualTo(1);
    later(Duration.ofHours(2));
    store.makeWay(200 * KIB);
    assertThat(names()).isEmpty();
  }

  /** An image whose name is its digest, as it is outside tests. */
  private StoredImage real(String user, Resolved wanted) throws IOException {
    Path work = store.newWork();
    Path file = Files.write(work.resolve("image.sif"), sif(100 * KIB));
    StoredImage image = store.add(file, ImageDigest.compute(file), wanted, user(user));
    store.remove(work);
    return image;
  }

  private Path entry(StoredImage image) {
    return root.resolve(".index").resolve(image.sha256() + ".json");
  }

  @Test
  void anImageThatLostItsEntryIsFetchedOnceMoreAndNotForEver() throws IOException {
    StoredImage image = real("alice", wanted("x"));
    Object inode = Files.getAttribute(store.path(image), "unix:ino");
    store.close();
    Files.delete(entry(image));
    store = store();
    assertThat(store.all().getFirst().architecture()).isEqualTo("amd64");
    assertThat(store.find(wanted("x"), user("bob"))).isEmpty();
    real("bob", wanted("x"));
    assertThat(store.find(wanted("x"), user("bob"))).isPresent();
    assertThat(Files.getAttribute(store.path(image), "unix:ino"))
        .as("jobs may read it: it stays if it is what its name says")
        .isEqualTo(inode);
  }

  @Test
  void aFileThatSomebodyPutThereIsNoImageBecauseOfItsName() throws IOException {
    StoredImage image = real("alice", wanted("x"));
    store.close();
    Files.delete(entry(image));
    Path path = store.path(image);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r--r--"));
    byte[] other = sif(100 * KIB);
    other[99] = 1;
    Files.write(path, other);
    store = store();
    real("bob", wanted("x"));
    assertThat(ImageDigest.compute(path)).isEqualTo(image.sha256());
  }

  @Test
  void anEntryThatIsRemovedWhileTheDaemonRunsIsMadeAnew() throws IOException {
    StoredImage image = real("alice", wanted("x"));
    Files.delete(entry(image));
    assertThat(store.find(wanted("x"), user("bob"))).isPresent();
    assertThat(entry(image)).exists();
    Files.delete(entry(image));
    assertThat(store.used(image)).isEqualTo(now);
    assertThat(entry(image)).exists();
    later(Duration.ofHours(2));
    store.close();
    store = store();
    assertThat(store.find(wanted("x"), user("bob"))).isPresent();
  }

  @Test
  void anImageOfManyNamesIsKnownByTheLatest() throws IOException {
    for (int i = 0; i < 100; i++) {
      real("alice", wanted("tag" + i));
    }
    assertThat(store.find(wanted("tag99"), user("bob"))).isPresent();
    assertThat(store.find(wanted("tag1"), user("bob"))).isEmpty();
  }

  @Test
  void theFileThatAnImageWasMadeOfIsItsGiversBusiness() throws IOException {
    Resolved file =
        new Resolved(
            ImageSource.parse("/home/alice/secret-project.sif"),
            "amd64",
            Optional.of("/home/alice/secret-project.sif 1"),
            0,
            Optional.empty());
    real("alice", file);
    StoredImage image = real("bob", wanted("x"));
    assertThat(image.sourcesFor("alice"))
        .containsExactly("/home/alice/secret-project.sif", "docker://r:1/app:x");
    assertThat(image.sourcesFor("bob")).containsExactly("docker://r:1/app:x");
    real("bob", file);
    store.close();
    store = store();
    assertThat(store.all().getFirst().sourcesFor("bob")).hasSize(2);
    assertThat(store.all().getFirst().sourcesFor("carol")).hasSize(1);
  }
}
