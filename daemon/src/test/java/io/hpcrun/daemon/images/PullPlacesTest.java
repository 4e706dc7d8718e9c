package io.hpcrun.daemon.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.hpcrun.daemon.api.Caller;
import io.hpcrun.pull.AllowedSources;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Progress;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.PullFailure.Kind;
import io.hpcrun.pull.Resolved;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/**
 * However a pull ends (well, by a failure, by a defect, cancelled before, while and after it is
 * resolved and fetched), its user gets its place back, once.
 */
@Timeout(60)
class PullPlacesTest {
  private static final int PER_USER = 3;
  private static final int WORKERS = 3;
  private static final int USERS = 4;
  private static final int STEPS = 1000;

  @TempDir private Path directory;
  private ImageStore store;
  private Pulls pulls;
  private final Work work = new Work();
  private final Logger log = (Logger) LoggerFactory.getLogger(Pulls.class);

  /** Does what the source's tag says; counts what it does at once. */
  private static final class Work implements PullWork {
    final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
    final AtomicInteger pulling = new AtomicInteger();
    final AtomicInteger mostPulling = new AtomicInteger();
    final AtomicInteger mostAsked = new AtomicInteger();
    volatile CountDownLatch held = new CountDownLatch(0);

    /** The tag is USER-NUMBER-RESOLVING-PULLING. */
    private static void behave(String how) {
      try {
        switch (how) {
          case "ok" -> Thread.yield();
          case "slow" -> Thread.sleep(2);
          case "fails" -> throw new PullFailure(Kind.UNKNOWN, "there is none", "check");
          case "defect" -> throw new IllegalStateException("defect");
          case "error" -> throw new StackOverflowError("error");
          default -> throw new AssertionError(how);
        }
      } catch (InterruptedException cancelled) {
        Thread.currentThread().interrupt();
        throw new PullFailure(Kind.CANCELLED, "cancelled", "ask again");
      }
    }

    private static String[] words(ImageSource source) {
      return source.text().replaceFirst(".*:", "").split("-");
    }

    @Override
    public Resolved resolve(ImageSource source, String architecture) {
      String[] words = words(source);
      AtomicInteger own = asked.computeIfAbsent(words[0], user -> new AtomicInteger());
      mostAsked.accumulateAndGet(own.incrementAndGet(), Math::max);
      try {
        held.await();
        behave(words[2]);
        return new Resolved(source, architecture, Optional.of(words[1]), 0, Optional.empty());
      } catch (InterruptedException stopped) {
        throw new IllegalStateException(stopped);
      } finally {
        own.decrementAndGet();
      }
    }

    @Override
    public StoredImage pull(Resolved wanted, Caller user, Progress progress) {
      mostPulling.accumulateAndGet(pulling.incrementAndGet(), Math::max);
      try {
        behave(words(wanted.source())[3]);
        return StoredImage.pulled("a".repeat(64), 1, 1, wanted, user.user(), 0);
      } finally {
        pulling.decrementAndGet();
      }
    }
  }

  @BeforeEach
  void open() throws IOException {
    log.setLevel(Level.OFF); // thousands of defects, each with its stack
    store = new ImageStore(directory, 1 << 20, () -> Optional.of(Map.of()), Clock.systemUTC());
    // What every pull gives, by a name that nobody asks for.
    ImageSource other = ImageSource.parse("docker://r:1/other:1");
    store.add(
        Files.write(store.newWork().resolve("image.sif"), new byte[1]),
        "a".repeat(64),
        new Resolved(other, "amd64", Optional.of("none"), 0, Optional.empty()),
        user(0));
    pulls =
        new Pulls(
            store, work, new Pulls.Limits(WORKERS, PER_USER, AllowedSources.ALL), System::nanoTime);
  }

  @AfterEach
  void close() {
    work.held.countDown();
    pulls.close();
    store.close();
    log.setLevel(null);
  }

  private static Caller user(int number) {
    return new Caller(1000 + number, "u" + number, false);
  }

  private Pull ask(int user, String tag) {
    return pulls.request(user(user), "docker://r:1/app:u%d-%s".formatted(user, tag), "amd64");
  }

  private static <T> T one(Random random, List<T> of) {
    return of.get(random.nextInt(of.size()));
  }

  /** One user asks and cancels as fast as possible. */
  private void live(int user, long seed) {
    Random random = new Random(seed + user);
    List<Pull> own = new ArrayList<>();
    List<String> ways = List.of("ok", "slow", "fails", "defect", "error");
    for (int step = 0; step < STEPS; step++) {
      try {
        // Users share some images: the number is what is pulled.
        own.add(
            ask(
                user,
                "%d-%s-%s".formatted(random.nextInt(6), one(random, ways), one(random, ways))));
      } catch (TooManyPulls full) {
        Thread.yield();
      }
      if (!own.isEmpty() && random.nextInt(3) == 0) {
        pulls.cancel(user(user), one(random, own).id());
      }
      long waiting = own.stream().filter(each -> !isOver(user, each)).count();
      assertThat(waiting).isLessThanOrEqualTo(PER_USER);
      own.removeIf(each -> isOver(user, each));
    }
    own.forEach(each -> awaitEnd(user, each));
  }

  private boolean isOver(int user, Pull pull) {
    String state = pulls.find(user(user), pull.id()).orElseThrow().state();
    return state.equals("ready") || state.equals("failed");
  }

  private void awaitEnd(int user, Pull pull) {
    while (!isOver(user, pull)) {
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

  /** So many places and no more are free, once registries have answered what they were asked. */
  private void allPlacesAreFree(int user) {
    while (pulls.places(user(user)) > 0) {
      pause();
    }
    work.held = new CountDownLatch(1);
    List<Pull> all = new ArrayList<>();
    for (int i = 0; i < PER_USER; i++) {
      all.add(ask(user, "%d-ok-ok".formatted(900 + i)));
    }
    assertThatThrownBy(() -> ask(user, "999-ok-ok")).isInstanceOf(TooManyPulls.class);
    work.held.countDown();
    all.forEach(each -> awaitEnd(user, each));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void everyPlaceComesBackOnce(long seed) throws InterruptedException {
    Map<Thread, Throwable> broken = new ConcurrentHashMap<>();
    List<Thread> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      int user = i;
      Thread thread = Thread.ofPlatform().daemon().unstarted(() -> live(user, seed));
      thread.setUncaughtExceptionHandler(broken::put);
      thread.start();
      users.add(thread);
    }
    for (Thread each : users) {
      each.join();
    }
    assertThat(broken).isEmpty();
    assertThat(work.mostAsked.get()).isLessThanOrEqualTo(PER_USER);
    assertThat(work.mostPulling.get()).isLessThanOrEqualTo(WORKERS);
    for (int i = 0; i < USERS; i++) {
      allPlacesAreFree(i);
    }
  }

  @Test
  void whoAsksAndCancelsDoesNotAskMoreThanWhoWaits() {
    work.held = new CountDownLatch(1);
    for (int i = 0; i < PER_USER; i++) {
      pulls.cancel(user(1), ask(1, i + "-ok-ok").id());
    }
    assertThatThrownBy(() -> ask(1, "999-ok-ok")).isInstanceOf(TooManyPulls.class);
    assertThat(ask(2, "1-ok-ok").id()).isNotEmpty();
    work.held.countDown();
    allPlacesAreFree(1);
  }

  @Test
  void aDefectOfAnyKindHoldsNoPlaceAndNoWorker() {
    for (String way : List.of("defect-ok", "error-ok", "ok-defect", "ok-error")) {
      for (int i = 0; i < 2 * WORKERS; i++) {
        Pull pull = ask(1, "%d-%s".formatted(i, way));
        awaitEnd(1, pull);
        assertThat(pulls.find(user(1), pull.id()).orElseThrow().message())
            .startsWith("hpcrund failed: ");
      }
    }
    allPlacesAreFree(1);
  }

  @Test
  void cancellingIsNoFailure() {
    work.held = new CountDownLatch(1);
    pulls.cancel(user(1), ask(1, "1-ok-ok").id());
    work.held.countDown();
    awaitEnd(1, ask(1, "2-fails-ok"));
    allPlacesAreFree(1);
    assertThat(pulls.counts().failures()).isEqualTo(1);
  }
}
