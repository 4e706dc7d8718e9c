package io.hpcrun.pull;

import io.hpcrun.image.UnpackedFiles;
import io.hpcrun.image.UserCache;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Images that the user fetched for himself, with his own logins: in the directory {@code images} of
 * the user's cache, for nobody else to read. {@code DIGEST.sif} are the images; {@code pins/} says
 * which of them a source at one moment was, and {@code sources/DIGEST} where an image came from
 * last. Of several commands that want the same, one fetches it.
 */
public final class UserImages implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UserImages.class);

  /** Names registries that are spoken to without TLS, separated by commas. */
  static final String INSECURE_VARIABLE = "HPCRUN_INSECURE_REGISTRIES";

  private static final Duration LONGEST = Duration.ofHours(12);
  private static final String SUFFIX = ".sif";

  /** Where a pull works, with the name of its lock behind it. */
  private static final String WORK = ".work-";

  private final Path directory;
  private final Map<String, String> environment;
  private final InsecureHosts insecure;
  private final Login login;
  private final Resolver resolver;

  /**
   * An image of the user's.
   *
   * @param path where it is
   * @param sha256 of the file, in hexadecimal
   */
  public record Fetched(Path path, String sha256) {}

  /**
   * An image that is there.
   *
   * @param path where it is
   * @param source where it came from last, without what may be a password or a secret; empty if
   *     that is not known, as of images that older versions fetched
   */
  public record Own(Path path, Optional<String> source) {}

  /** The images of the user with these variables. */
  public UserImages(Map<String, String> environment) {
    this.directory = new UserCache(environment).directory().resolve("images");
    this.environment = environment;
    this.insecure =
        new InsecureHosts(
            Stream.of(environment.getOrDefault(INSECURE_VARIABLE, "").split(","))
                .map(String::strip)
                .filter(host -> !host.isEmpty())
                .collect(Collectors.toSet()));
    this.login = Login.of(environment);
    this.resolver = new Resolver(login, insecure, AllowedSources.ALL, environment);
  }

  /**
   * The image of a source, fetched if it is not there.
   *
   * @param progress hears how it goes on
   * @throws PullFailure if it cannot be had
   */
  public Fetched fetch(ImageSource source, String architecture, Progress progress) {
    Resolved wanted = resolve(source, architecture);
    String pin = HexFormat.of().formatHex(sha256(wanted.key()));
    try {
      makeDirectory(directory);
      makeDirectory(directory.resolve("pins"));
      makeDirectory(directory.resolve("sources"));
      Optional<Fetched> there = wanted.pin().flatMap(known -> find(pin));
      if (there.isPresent()) {
        return there.get();
      }
      try (FileChannel channel =
              FileChannel.open(
                  directory.resolve("pins").resolve(pin + ".lock"),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        Optional<Fetched> meanwhile = wanted.pin().flatMap(known -> find(pin));
        return meanwhile.isPresent() && lock.isValid()
            ? meanwhile.get()
            : fetch(wanted, pin, progress);
      } finally {
        removeAbandoned(pin);
      }
    } catch (IOException failed) {
      throw NoRoom.writing(directory.resolve(pin), failed);
    }
  }

  /** Apptainer knows ways to log in that hpcrun does not: then the name is all that is known. */
  private Resolved resolve(ImageSource source, String architecture) {
    try {
      return resolver.resolve(source, architecture);
    } catch (PullFailure failure) {
      boolean tried = source instanceof ImageSource.Docker || source instanceof ImageSource.Web;
      if (failure.kind() != Kind.NEEDS_CREDENTIALS || !tried) {
        throw failure;
      }
      return new Resolved(source, architecture, Optional.empty(), 0, Optional.empty());
    }
  }

  private Optional<Fetched> find(String pin) {
    try {
      String digest = Files.readString(directory.resolve("pins").resolve(pin)).strip();
      Path image = directory.resolve(digest + SUFFIX);
      return digest.matches("[0-9a-f]{64}") && Files.isRegularFile(image)
          ? Optional.of(new Fetched(image, digest))
          : Optional.empty();
    } catch (IOException notThere) {
      return Optional.empty();
    }
  }

  private Fetched fetch(Resolved wanted, String pin, Progress progress) throws IOException {
    Path work = directory.resolve(WORK + pin);
    UnpackedFiles.remove(work); // of a command that was killed
    Files.createDirectory(work);
    Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwx------"));
    try (Fetcher fetcher =
        Fetcher.ofUser(login, insecure, environment, Fetcher.Limits.of(LONGEST, Long.MAX_VALUE))) {
      Fetcher.Sif fetched = fetcher.fetch(wanted, work, progress);
      Path file = fetched.file();
      String digest = fetched.sha256();
      Path image = directory.resolve(digest + SUFFIX);
      // As jobs may read the one that is there, it stays.
      if (!Files.exists(image)) {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        force(file);
        Files.move(file, image, StandardCopyOption.ATOMIC_MOVE);
      }
      Path note = Files.writeString(work.resolve("pin"), digest + "\n");
      force(note);
      keepSource(wanted, digest, work);
      Files.move(note, directory.resolve("pins").resolve(pin), StandardCopyOption.ATOMIC_MOVE);
      return new Fetched(image, digest);
    } finally {
      UnpackedFiles.remove(work);
    }
  }

  private void keepSource(Resolved wanted, String digest, Path work) throws IOException {
    Path source =
        Files.writeString(work.resolve("source"), ImageSource.shown(wanted.source().text()) + "\n");
    Files.move(
        source, directory.resolve("sources").resolve(digest), StandardCopyOption.ATOMIC_MOVE);
  }

  /** Removes what commands left that were killed: nobody holds the lock of their image. */
  private void removeAbandoned(String own) throws IOException {
    List<Path> left;
    try (Stream<Path> files = Files.list(directory)) {
      left = files.filter(file -> file.getFileName().toString().startsWith(WORK)).toList();
    }
    for (Path work : left) {
      String pin = work.getFileName().toString().substring(WORK.length());
      // By closing the file of its own lock this process would lose it.
      if (!pin.equals(own) && pin.matches("[0-9a-f]{64}")) {
        removeIfAbandoned(work, directory.resolve("pins").resolve(pin + ".lock"));
      }
    }
  }

  private static void removeIfAbandoned(Path work, Path lockFile) {
    try (FileChannel channel =
            FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock != null) {
        UnpackedFiles.remove(work);
      }
    } catch (IOException | OverlappingFileLockException notNow) {
      LOG.debug("{} is left there: {}", work, notNow.toString());
    }
  }

  /** The images that are there, by their paths. */
  public static List<Own> all(Map<String, String> environment) {
    Path directory = new UserCache(environment).directory().resolve("images");
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.toString().endsWith(SUFFIX))
          .sorted()
          .map(file -> new Own(file, source(directory, file)))
          .toList();
    } catch (IOException none) {
      return List.of();
    }
  }

  private static Optional<String> source(Path directory, Path image) {
    String digest = image.getFileName().toString().replace(SUFFIX, "");
    try {
      String text = Files.readString(directory.resolve("sources").resolve(digest)).strip();
      return Optional.of(text).filter(source -> !source.isEmpty());
    } catch (IOException notKept) {
      return Optional.empty();
    }
  }

  private static byte[] sha256(String text) {
    return Registry.sha256().digest(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void makeDirectory(Path path) throws IOException {
    Files.createDirectories(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  private static void force(Path path) throws IOException {
    try (FileChannel opened = FileChannel.open(path, Set.of(StandardOpenOption.READ))) {
      opened.force(true);
    }
  }

  @Override
  public void close() {
    resolver.close();
  }
}
