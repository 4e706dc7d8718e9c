package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.hpcrun.daemon.api.Caller;
import io.hpcrun.pull.AllowedSources;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Progress;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.PullFailure.Kind;
import io.hpcrun.pull.Resolved;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PullsTest {
  private static final Caller ALICE = new Caller(1001, "alice", false);
  private static final Caller BOB = new Caller(1002, "bob", false);
  private static final Caller ROOT = new Caller(0, "root", true);

  @TempDir private Path directory;
  private ImageStore store;
  private Pulls pulls;
  private final Work work = new Work();

  /** Pulls that go on when the test says so. */
  private final class Work implements PullWork {
    final List<String> resolved = new CopyOnWriteArrayList<>();
    final List<String> pulled = new CopyOnWriteArrayList<>();
    final Map<String, CountDownLatch> held = new ConcurrentHashMap<>();
    final Set<String> broken = ConcurrentHashMap.newKeySet();

    void hold(String what) {
      held.put(what, new CountDownLatch(1));
    }

    void go(String what) {
      held.get(what).countDown();
    }

    private void await(String what) {
      CountDownLatch latch = held.get(what);
      try {
        if (latch != null) {
          latch.await();
        }
      } catch (InterruptedException cancelled) {
        pulled.add("cancelled " + what);
        throw new PullFailure(Kind.CANCELLED, "cancelled", "ask again");
      }
    }

    @Override
    public Resolved resolve(ImageSource source, String architecture) {
      resolved.add(source.text());
      await("resolve " + source.text());
      if (broken.contains(source.text())) {
        throw new PullFailure(Kind.NEEDS_CREDENTIALS, "not for everybody", "log in");
      }
      // The tag is the digest.
      String tag = source.text().replaceFirst(".*:", "");
      return new Resolved(
          source, architecture, Optional.of("sha256:" + tag), 1000, Optional.empty());
    }

    @Override
    public StoredImage pull(Resolved wanted, Caller user, Progress progress) {
      String tag = wanted.pin().orElseThrow();
      pulled.add(tag);
      progress.at(Progress.Stage.PULLING, 500);
      await(tag);
      Path work = store.newWork();
      try {
        byte[] content = (tag + wanted.architecture()).getBytes(StandardCharsets.UTF_8);
        Path file = Files.write(work.resolve("image.sif"), content);
        String digest =
            HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        return store.add(file, digest, wanted, user);
      } catch (IOException | java.security.NoSuchAlgorithmException failed) {
        throw new IllegalStateException(failed);
      } finally {
        store.remove(work);
      }
    }
  }

  @BeforeEach
  void open() {
    store =
        new ImageStore(
            directory.resolve("images"), 1 << 20, () -> Optional.of(Map.of()), Clock.systemUTC());
    pulls = pulls(2, 10);
  }

  private Pulls pulls(int workers, int perUser) {
    return new Pulls(
        store,
        work,
        new Pulls.Limits(
            workers, perUser, new AllowedSources(List.of("docker://r:1/", "https://"))),
        System::nanoTime);
  }

  @AfterEach
  void close() {
    pulls.close();
    store.close();
  }

  private Pull ask(Caller caller, String tag) {
    return pulls.request(caller, "docker://r:1/app:" + tag, "amd64");
  }

  private Pull until(Caller caller, Pull pull, String... states) {
    while (true) {
      Pull now = pulls.find(caller, pull.id()).orElseThrow();
      if (List.of(states).contains(now.state())) {
        return now;
      }
      pause();
    }
  }

  /** A test that hangs is ended by an interrupt. */
  private static void pause() {
    try {
      Thread.sleep(1);
    } catch (InterruptedException stopped) {
      throw new IllegalStateException(stopped);
    }
  }

  private Pull end(Caller caller, Pull pull) {
    return until(caller, pull, "ready", "failed");
  }

  @Test
  void fiftyUsersGetOneImageByOnePull() {
    work.hold("sha256:1");
    List<Pull> all = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      all.add(ask(new Caller(2000 + i, "u" + i, false), "1"));
    }
    for (int i = 0; i < 50; i++) {
      until(new Caller(2000 + i, "u" + i, false), all.get(i), "pulling");
    }
    work.go("sha256:1");
    for (int i = 0; i < 50; i++) {
      Pull ready = end(new Caller(2000 + i, "u" + i, false), all.get(i));
      assertThat(ready.state()).isEqualTo("ready");
      assertThat(ready.path()).hasValueSatisfying(path -> assertThat(path).isReadable());
      assertThat(ready.digest()).contains("sha256:1");
    }
    assertThat(work.pulled).containsExactly("sha256:1");
    assertThat(pulls.counts().misses()).isEqualTo(1);
    assertThat(pulls.counts().joins() + pulls.counts().hits()).isEqualTo(49);
    assertThat(store.all()).hasSize(1);
  }

  @Test
  void anImageThatIsThereIsAskedForAgainButNotPulled() {
    end(ALICE, ask(ALICE, "1"));
    assertThat(end(BOB, ask(BOB, "1")).state()).isEqualTo("ready");
    assertThat(work.resolved).hasSize(2);
    assertThat(work.pulled).hasSize(1);
    assertThat(pulls.counts().hits()).isEqualTo(1);
  }

  @Test
  void anotherArchitectureIsAnotherImage() {
    Pull here = end(ALICE, ask(ALICE, "1"));
    Pull there = end(ALICE, pulls.request(ALICE, "docker://r:1/app:1", "arm64"));
    assertThat(here.sha256()).isNotEqualTo(there.sha256());
    assertThat(work.pulled).hasSize(2);
  }

  @Test
  void whoStopsWaitingDoesNotStopTheOthers() {
    work.hold("sha256:1");
    Pull alices = ask(ALICE, "1");
    Pull bobs = ask(BOB, "1");
    until(ALICE, alices, "pulling");
    until(BOB, bobs, "pulling");
    assertThat(pulls.cancel(ALICE, alices.id()).orElseThrow().state()).isEqualTo("failed");
    work.go("sha256:1");
    assertThat(end(BOB, bobs).state()).isEqualTo("ready");
    assertThat(pulls.find(ALICE, alices.id()).orElseThrow().problem().orElseThrow().title())
        .isEqualTo("cancelled");
  }

  @Test
  void aPullThatNobodyWaitsForIsEndedAndCanBeAskedForAgain() {
    work.hold("sha256:1");
    Pull first = ask(ALICE, "1");
    until(ALICE, first, "pulling");
    pulls.cancel(ALICE, first.id());
    while (!work.pulled.contains("cancelled sha256:1")) {
      pause();
    }
    work.go("sha256:1");
    assertThat(end(ALICE, ask(ALICE, "1")).state()).isEqualTo("ready");
  }

  @Test
  void pullsWaitInOrderForAWorker() {
    for (String tag : List.of("1", "2", "3", "4")) {
      work.hold("sha256:" + tag);
    }
    Pull first = until(ALICE, ask(ALICE, "1"), "pulling");
    Pull second = until(BOB, ask(BOB, "2"), "pulling");
    Pull third = until(ROOT, ask(ROOT, "3"), "queued");
    Pull fourth = until(ROOT, ask(ROOT, "4"), "queued");
    assertThat(third.position()).contains(1);
    assertThat(fourth.position()).contains(2);
    assertThat(fourth.message()).contains("number 2");
    work.go("sha256:1");
    end(ALICE, first);
    until(ROOT, third, "pulling");
    assertThat(until(ROOT, fourth, "queued").position()).contains(1);
    for (String tag : List.of("2", "3", "4")) {
      work.go("sha256:" + tag);
    }
    end(BOB, second);
    end(ROOT, fourth);
    assertThat(work.pulled).containsExactly("sha256:1", "sha256:2", "sha256:3", "sha256:4");
  }

  @Test
  void oneUserDoesNotHaveAllWorkers() {
    for (String tag : List.of("1", "2", "3")) {
      work.hold("sha256:" + tag);
    }
    until(ALICE, ask(ALICE, "1"), "pulling");
    Pull second = until(ALICE, ask(ALICE, "2"), "queued");
    until(BOB, ask(BOB, "3"), "pulling");
    assertThat(pulls.find(ALICE, second.id()).orElseThrow().state()).isEqualTo("queued");
  }

  @Test
  void aPullThatOneGivesUpAndAnotherWaitsForIsTheOthers() {
    for (String tag : List.of("1", "2", "3")) {
      work.hold("sha256:" + tag);
    }
    Pull begun = until(ALICE, ask(ALICE, "1"), "pulling");
    until(BOB, ask(BOB, "1"), "pulling");
    Pull second = until(ALICE, ask(ALICE, "2"), "queued");
    pulls.cancel(ALICE, begun.id());
    until(ALICE, second, "pulling");
  }

  @Test
  void aUserWaitsForSoManyOnly() {
    pulls.close();
    pulls = pulls(2, 2);
    work.hold("sha256:1");
    work.hold("sha256:2");
    ask(ALICE, "1");
    ask(ALICE, "2");
    assertThatThrownBy(() -> ask(ALICE, "3")).isInstanceOf(TooManyPulls.class);
    assertThat(ask(BOB, "1").id()).isNotEmpty();
  }

  @Test
  void whatFailsSaysWhyToAllWhoWait() {
    work.broken.add("docker://r:1/app:9");
    Pull failed = end(ALICE, ask(ALICE, "9"));
    assertThat(failed.state()).isEqualTo("failed");
    assertThat(failed.problem().orElseThrow().title()).isEqualTo("needs credentials");
    assertThat(failed.message()).isEqualTo("not for everybody");
  }

  @Test
  void onlyOneWhoAskedAndOperatorsSeeAPull() {
    Pull pull = ask(ALICE, "1");
    assertThat(pulls.find(BOB, pull.id())).isEmpty();
    assertThat(pulls.cancel(BOB, pull.id())).isEmpty();
    assertThat(pulls.find(ROOT, pull.id())).isPresent();
  }

  @Test
  void onlyAllowedSourcesArePulled() {
    PullFailure refused =
        catchThrowableOfType(
            PullFailure.class, () -> pulls.request(ALICE, "docker://elsewhere/app", "amd64"));
    assertThat(refused.kind()).isEqualTo(Kind.FORBIDDEN);
    assertThat(refused.remedy()).contains("docker://r:1/");
  }

  @Test
  void anAddressThatMayHoldASecretIsTheUsersOwnBusiness() {
    PullFailure refused =
        catchThrowableOfType(
            PullFailure.class,
            () -> pulls.request(ALICE, "https://s.org/x.sif?signature=secret", "amd64"));
    assertThat(refused.kind()).isEqualTo(Kind.NEEDS_CREDENTIALS);
    assertThat(refused.getMessage()).doesNotContain("secret=");
    assertThat(work.resolved).isEmpty();
  }

  @Test
  void theProgressIsToldInBytes() {
    work.hold("sha256:1");
    Pull pulling = until(ALICE, ask(ALICE, "1"), "pulling");
    Pull.Progress progress = pulling.progress().orElseThrow();
    assertThat(progress.total()).contains(1000L);
    work.go("sha256:1");
    end(ALICE, pulling);
  }
}
