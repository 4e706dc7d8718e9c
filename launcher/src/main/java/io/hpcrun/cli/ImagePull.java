package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.image.UserCache;
import io.hpcrun.planning.DaemonImages;
import io.hpcrun.planning.DaemonProblem;
import io.hpcrun.planning.DaemonUnavailable;
import io.hpcrun.planning.PullReport;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Progress;
import io.hpcrun.pull.PullFailure;
import io.hpcrun.pull.PullFailure.Kind;
import io.hpcrun.pull.UserImages;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * Gets an image from a registry or a server: from the site's image store if there is one,
 * otherwise, and for what is not for everybody, into the user's own cache.
 */
final class ImagePull {
  /** What is so for everybody; whatever else keeps the daemon from it need not keep the user. */
  private static final Set<Kind> FINAL =
      EnumSet.of(
          Kind.MALFORMED, Kind.FORBIDDEN, Kind.UNKNOWN, Kind.WRONG_ARCHITECTURE, Kind.UNSIGNED);

  private static final Duration FIRST_LOOK = Duration.ofMillis(100);
  private static final Duration LAST_LOOK = Duration.ofSeconds(1);

  /** A daemon that is started anew is back by then. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  /** How images of a store are called; no other file is likely to be. */
  private static final Pattern STORED = Pattern.compile(".*/sha256/([0-9a-f]{64})\\.sif");

  private static final Pattern NUMBER = Pattern.compile("(\\d{1,10})(;.*)?");
  private static final String NO_STORE = "no image store";

  private final Console console;
  private final Terminal terminal;
  private final String architecture;

  /**
   * An image on this machine.
   *
   * @param path where it is
   * @param sha256 of the file, in hexadecimal
   */
  record Pulled(Path path, String sha256) {}

  private ImagePull(Console console, String architecture) {
    this.console = console;
    this.terminal = new Terminal(console.err());
    this.architecture = architecture;
  }

  /** Gets images for machines like this one. */
  static ImagePull of(Console console) {
    return of(console, ClusterFacts.goArchitecture(System.getProperty("os.arch")));
  }

  /** Gets images for other processors. */
  static ImagePull of(Console console, String architecture) {
    return new ImagePull(console, architecture);
  }

  /**
   * Gets an image, and says which one it is.
   *
   * @throws Failure with exit code 5 if it cannot be had, 3 if the site does not allow it
   */
  Path image(String source) {
    Pulled pulled = pull(source);
    console
        .err()
        .println(
            "hpcrun: %s is sha256:%s".formatted(InspectCommand.printable(source), pulled.sha256()));
    return pulled.path();
  }

  /**
   * Gets an image.
   *
   * @throws Failure with exit code 5 if it cannot be had, 3 if the site does not allow it
   */
  Pulled pull(String text) {
    try {
      ImageSource source = ImageSource.parse(text);
      Pulled pulled = fromStore(source).orElseGet(() -> own(source));
      new ImageDigest(new UserCache(console.environment())).learn(pulled.path(), pulled.sha256());
      return pulled;
    } catch (PullFailure failure) {
      throw failure(failure.kind(), failure.getMessage(), failure.remedy());
    } finally {
      terminal.clear();
    }
  }

  /** Keeps an image of the site's store there until the job that uses it is over. */
  static void claim(Path image, String job, Map<String, String> environment) {
    Matcher stored = STORED.matcher(image.toString());
    Matcher number = NUMBER.matcher(job);
    if (stored.matches() && number.matches()) {
      try {
        DaemonImages.of(environment)
            .ifPresent(daemon -> daemon.use(stored.group(1), Long.parseLong(number.group(1))));
      } catch (DaemonUnavailable notTold) {
        LoggerFactory.getLogger(ImagePull.class).debug("{} of {}", image, job, notTold);
      }
    }
  }

  private static Failure failure(Kind kind, String found, String remedy) {
    String detail = InspectCommand.printable(found);
    return switch (kind) {
      case MALFORMED -> Failure.usage(detail, remedy);
      case FORBIDDEN -> Failure.refused(detail, remedy);
      default -> Failure.image(detail, remedy);
    };
  }

  /** Empty if the user has to fetch it himself. */
  private Optional<Pulled> fromStore(ImageSource source) {
    if (source instanceof ImageSource.Web web && web.isPrivate()) {
      return Optional.empty(); // a secret is nobody else's business
    }
    Optional<DaemonImages> store = DaemonImages.of(console.environment());
    try {
      return store.isEmpty() ? Optional.empty() : wait(store.get(), source);
    } catch (DaemonProblem problem) {
      if (problem.title().equals(NO_STORE)) {
        return Optional.empty();
      }
      return refused(source, problem.title(), problem.getMessage(), problem.remedy());
    } catch (DaemonUnavailable unavailable) {
      terminal.say("note: " + unavailable.getMessage() + "; fetching the image without it");
      return Optional.empty();
    }
  }

  private Optional<Pulled> refused(ImageSource source, String title, String found, String remedy) {
    Optional<Kind> kind =
        Stream.of(Kind.values()).filter(each -> each.title().equals(title)).findFirst();
    boolean noImage =
        source instanceof ImageSource.LocalFile && kind.filter(Kind.BROKEN::equals).isPresent();
    if (noImage || kind.filter(FINAL::contains).isPresent()) {
      throw failure(kind.get(), found, remedy);
    }
    boolean login = kind.filter(Kind.NEEDS_CREDENTIALS::equals).isPresent();
    terminal.say(
        "note: "
            + InspectCommand.printable(found)
            + (login ? "; trying with your own login" : "; fetching the image without hpcrund"));
    return Optional.empty();
  }

  private Optional<Pulled> wait(DaemonImages store, ImageSource source) {
    PullReport report = store.pull(source.text(), architecture);
    long pause = FIRST_LOOK.toMillis();
    long answered = System.nanoTime();
    while (report.path().isEmpty() && !report.state().equals("failed")) {
      show(report.state(), report.message(), report.done(), report.total());
      sleep(pause);
      pause = Math.min(LAST_LOOK.toMillis(), pause * 5 / 4);
      try {
        report = store.look(report.id());
        answered = System.nanoTime();
      } catch (DaemonUnavailable away) {
        if (System.nanoTime() - answered > PATIENCE.toNanos()) {
          throw away;
        }
        report = again(store, source, report);
      }
    }
    if (report.path().isPresent() && report.sha256().isPresent()) {
      return Optional.of(new Pulled(report.path().get(), report.sha256().get()));
    }
    return refused(source, report.problem().orElse(""), report.message(), report.remedy());
  }

  /** A daemon that was started anew knows nothing of the pull. */
  private PullReport again(DaemonImages store, ImageSource source, PullReport before) {
    try {
      return store.pull(source.text(), architecture);
    } catch (DaemonProblem refused) {
      throw refused;
    } catch (DaemonUnavailable stillAway) {
      return before;
    }
  }

  private static void sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw Failure.internal("interrupted", "try again", interrupted);
    }
  }

  private Pulled own(ImageSource source) {
    if (source instanceof ImageSource.LocalFile file) {
      return new Pulled(
          file.path(), new ImageDigest(new UserCache(console.environment())).of(file.path()));
    }
    show("resolving", "asking what the name means now", 0, 0);
    try (UserImages images = new UserImages(console.environment())) {
      UserImages.Fetched fetched = images.fetch(source, architecture, this::heard);
      return new Pulled(fetched.path(), fetched.sha256());
    }
  }

  private void heard(Progress.Stage stage, long done) {
    show(
        stage.name().toLowerCase(Locale.ROOT),
        switch (stage) {
          case PULLING -> "fetching the image";
          case CONVERTING -> "making a SIF file of its layers";
          case VERIFYING -> "checking the SIF file";
        },
        done,
        0);
  }

  private void show(String state, String message, long done, long total) {
    String bytes =
        done == 0 || !state.equals("pulling")
            ? ""
            : total == 0
                ? ", %d MB".formatted(done / 1_000_000)
                : ", %d of %d MB".formatted(done / 1_000_000, total / 1_000_000);
    terminal.status("image: " + InspectCommand.printable(message) + bytes);
  }
}
