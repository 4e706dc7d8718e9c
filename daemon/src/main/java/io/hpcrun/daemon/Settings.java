package io.hpcrun.daemon;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the administrator declares of the daemon: the section {@code daemon} of the site file.
 *
 * @param socket where it listens; default {@code /run/hpcrund/hpcrund.sock}
 * @param state its own directory, on a local disk; default {@code /var/lib/hpcrund}
 * @param spool where nodes leave records (mode 3733); without it no records are taken in
 * @param store where launches are kept
 * @param operators groups whose members see everybody's launches; default none, and root always
 *     does
 * @param limits what one user may ask for
 * @param images the image store
 * @param tcp where it listens for browsers and other machines; without it nowhere
 */
public record Settings(
    Path socket,
    Path state,
    Optional<Path> spool,
    Store store,
    List<String> operators,
    Limits limits,
    Images images,
    Optional<Tcp> tcp) {

  /** Where the daemon's settings are, unless it is started with another file. */
  public static final Path DEFAULT_FILE = Path.of("/etc/hpcrun/site.yaml");

  /**
   * Where launches are kept.
   *
   * @param url a PostgreSQL database, {@code jdbc:postgresql:...}; default SQLite in {@code state}
   * @param keepDays launches that ended longer ago are removed; default 400
   * @param keepBytes the oldest are removed when the database is larger; default 50 GiB
   */
  public record Store(Optional<String> url, Integer keepDays, Long keepBytes) {
    /** Fills in the defaults. */
    public Store {
      url = url == null ? Optional.empty() : url;
      keepDays = keepDays == null ? 400 : keepDays;
      keepBytes = keepBytes == null ? 50L << 30 : keepBytes;
    }
  }

  /**
   * HTTP over TCP, for whoever has a token.
   *
   * @param listen {@code HOST:PORT}
   * @param certificate PEM file with the server's certificate and those up to the authority; may be
   *     left out where {@code listen} is a loopback address
   * @param key PEM file with its key
   * @param url how users reach it, such as {@code https://hpcrun.example.org/}; default made from
   *     {@code listen}
   */
  public record Tcp(
      String listen, Optional<Path> certificate, Optional<Path> key, Optional<String> url) {
    /** Fills in the defaults. */
    public Tcp {
      listen = listen == null ? "" : listen;
      certificate = certificate == null ? Optional.empty() : certificate;
      key = key == null ? Optional.empty() : key;
      url = url == null ? Optional.empty() : url;
    }

    /** The part of {@code listen} before its last colon, without brackets. */
    public String host() {
      return listen
          .substring(0, Math.max(listen.lastIndexOf(':'), 0))
          .replaceFirst("^\\[(.*)]$", "$1");
    }

    /** The part of {@code listen} behind its last colon; -1 if it is no port. */
    public int port() {
      String text = listen.substring(listen.lastIndexOf(':') + 1);
      return text.matches("\\d{1,5}") && Integer.parseInt(text) <= 65_535
          ? Integer.parseInt(text)
          : -1;
    }

    /** How users reach the dashboard. */
    public String page() {
      return url.orElse((certificate.isPresent() ? "https://" : "http://") + listen + "/");
    }
  }

  /**
   * What one user may ask for.
   *
   * @param requestsPerSecond requests of one user, on average; default 200
   * @param requestBytes the largest request; default 16 MiB, for scripts of users
   * @param requestSeconds how long a request's header and its body may each take to arrive, and an
   *     answer to be taken; default 30
   * @param requestsAtOnce of all users together; more wait; default 256
   * @param requestsAtOncePerUser of one user; more are turned away; default 32
   */
  public record Limits(
      Integer requestsPerSecond,
      Long requestBytes,
      Integer requestSeconds,
      Integer requestsAtOnce,
      Integer requestsAtOncePerUser) {
    /** Fills in the defaults. */
    public Limits {
      requestsPerSecond = requestsPerSecond == null ? 200 : requestsPerSecond;
      requestBytes = requestBytes == null ? 16L << 20 : requestBytes;
      requestSeconds = requestSeconds == null ? 30 : requestSeconds;
      requestsAtOnce = requestsAtOnce == null ? 256 : requestsAtOnce;
      requestsAtOncePerUser = requestsAtOncePerUser == null ? 32 : requestsAtOncePerUser;
    }
  }

  /**
   * The image store.
   *
   * @param directory where the images are, on a file system that the nodes read; without it there
   *     is no image store
   * @param quotaBytes what the images may have on the disk; default 500 GiB
   * @param largestBytes what one image may have; default 50 GiB, or half of the quota if that is
   *     less
   * @param workers images that are fetched and converted at once; default 2
   * @param pullSeconds how long one of them may take; default 3600
   * @param pullsPerUser how many one user may wait for; default 10
   * @param sources where images may come from, as beginnings that end with a slash; default {@code
   *     docker://}, {@code oras://}, {@code library://}, {@code https://} and all files
   * @param insecureRegistries registries that are spoken to without TLS, such as {@code
   *     registry.cluster:5000}; default only those of the daemon's machine
   * @param keys public keys by which SIF files must be signed, in a file such as Apptainer's {@code
   *     pgp-public}; images with {@code docker://} have no signature and need none; default none,
   *     and signatures do not matter
   */
  public record Images(
      Optional<Path> directory,
      Long quotaBytes,
      Long largestBytes,
      Integer workers,
      Integer pullSeconds,
      Integer pullsPerUser,
      List<String> sources,
      List<String> insecureRegistries,
      Optional<Path> keys) {
    private static final long LARGEST_IMAGE = 50L << 30;

    /** Fills in the defaults. */
    public Images {
      directory = directory == null ? Optional.empty() : directory;
      quotaBytes = quotaBytes == null ? 500L << 30 : quotaBytes;
      largestBytes = largestBytes == null ? Math.min(LARGEST_IMAGE, quotaBytes / 2) : largestBytes;
      workers = workers == null ? 2 : workers;
      pullSeconds = pullSeconds == null ? 3600 : pullSeconds;
      pullsPerUser = pullsPerUser == null ? 10 : pullsPerUser;
      sources =
          sources == null
              ? List.of("docker://", "oras://", "library://", "https://", "/")
              : List.copyOf(sources);
      insecureRegistries = insecureRegistries == null ? List.of() : List.copyOf(insecureRegistries);
      keys = keys == null ? Optional.empty() : keys;
    }

    /** No image store. */
    public static Images none() {
      return new Images(null, null, null, null, null, null, null, null, null);
    }
  }

  /** Fills in the defaults. */
  public Settings {
    socket = socket == null ? Path.of("/run/hpcrund/hpcrund.sock") : socket;
    state = state == null ? Path.of("/var/lib/hpcrund") : state;
    spool = spool == null ? Optional.empty() : spool;
    store = store == null ? new Store(null, null, null) : store;
    operators = operators == null ? List.of() : List.copyOf(operators);
    limits = limits == null ? new Limits(null, null, null, null, null) : limits;
    images = images == null ? Images.none() : images;
    tcp = tcp == null ? Optional.empty() : tcp;
  }

  /** The defaults alone. */
  public static Settings defaults() {
    return new Settings(null, null, null, null, null, null, null, null);
  }
}
