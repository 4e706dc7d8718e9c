package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.failure.Failure;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.PullFailure.Kind;
import io.hpcrun.pull.Resolved;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageStoreTest {
  @TempDir private Path directory;
  private Path root;
  private ImageStore store;
  private Instant now = Instant.parse("2026-11-21T12:00:00Z");
  private final Set<Path> used = new HashSet<>();
  private boolean known = true;

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
        1000,
        () -> known ? Optional.of(used) : Optional.empty(),
        source.withZone(ZoneOffset.UTC));
  }

  private static Resolved wanted(String tag) {
    return new Resolved(
        ImageSource.parse("docker://r:1/app:" + tag),
        "amd64",
        Optional.of("sha256:" + tag),
        0,
        Optional.empty());
  }

  private StoredImage add(String letter, int size) {
    Path work = store.newWork(0);
    try {
      Path file = Files.write(work.resolve("image.sif"), new byte[size]);
      return store.add(file, letter.repeat(64), wanted(letter), "alice");
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    } finally {
      store.remove(work);
    }
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
    assertThat(store.find(wanted("a"))).isPresent();
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
  void aPathThatAJobIsPlannedWithCountsAsHandedOut() {
    StoredImage image = add("a", 400);
    later(Duration.ofHours(2));
    add("b", 400);
    later(Duration.ofHours(2));
    store.use(store.path(image));
    store.use(Path.of("/home/alice/own.sif"));
    add("c", 400);
    assertThat(names()).containsExactly("a", "c");
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
    assertThat(store.find(wanted("a"))).contains(image);
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
    assertThat(store.size()).isEqualTo(400);
    assertThat(store.find(wanted("b"))).isEmpty();
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
    assertThat(store.find(wanted("a"))).isEmpty();
    add("a", 400);
    assertThat(store.find(wanted("a"))).isPresent();
    assertThat(store.path(image)).hasSize(400);
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
    StoredImage found = store.find(other).orElseThrow();
    assertThat(found.sha256()).isEqualTo(image.sha256());
    assertThat(found.sources()).containsExactly("docker://r:1/app:a", "docker://r:1/app:latest");
    assertThat(store.all()).containsExactly(found);
  }
}
