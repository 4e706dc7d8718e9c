package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.LoggerFactory;

/**
 * The SHA-256 of an image file, remembered as long as the file stays as it is: a file of the user's
 * cache directory for each path, which holds size, modification and change time, inode and digest.
 */
public final class ImageDigest {
  private final UserCache cache;

  /** Remembers digests in the directory {@code digests} of the user's cache. */
  public ImageDigest(UserCache cache) {
    this.cache = cache;
  }

  /**
   * The digest of a file, in hexadecimal.
   *
   * @throws Failure with exit code 5 when the file cannot be read
   */
  public String of(Path image) {
    try {
      Optional<String> known = remembered(image);
      if (known.isPresent()) {
        return known.get();
      }
      String state = state(image);
      String digest = compute(image);
      if (state(image).equals(state)) {
        remember(image, state, digest);
      }
      return digest;
    } catch (IOException failed) {
      throw Failure.image(
          "the image " + image + " cannot be read: " + failed.getMessage(),
          "check the file system that holds it");
    }
  }

  /** Remembers a digest that is known already, so that it need not be computed. */
  public void learn(Path image, String digest) {
    try {
      remember(image, state(image), digest);
    } catch (IOException unreadable) {
      LoggerFactory.getLogger(ImageDigest.class).debug("{} is not remembered", image, unreadable);
    }
  }

  private void remember(Path image, String state, String digest) {
    cache.remember(place(image), (state + ' ' + digest + '\n').getBytes(StandardCharsets.UTF_8));
  }

  /** The digest, if it was computed before and the file is still the same. */
  public Optional<String> remembered(Path image) {
    try {
      return read(place(image), state(image));
    } catch (IOException unreadable) {
      return Optional.empty();
    }
  }

  private Path place(Path image) {
    return cache
        .directory()
        .resolve("digests")
        .resolve(hexadecimal(sha256().digest(image.toString().getBytes(StandardCharsets.UTF_8))));
  }

  /** Changes whenever the file does. */
  static String state(Path image) throws IOException {
    Map<String, Object> attributes =
        Files.readAttributes(image, "unix:size,lastModifiedTime,ctime,ino,dev");
    return "%s %s %s %s %s"
        .formatted(
            attributes.get("size"),
            attributes.get("lastModifiedTime"),
            attributes.get("ctime"),
            attributes.get("ino"),
            attributes.get("dev"));
  }

  private static Optional<String> read(Path remembered, String state) {
    try {
      String text = Files.readString(remembered).strip();
      return text.startsWith(state + ' ') && text.matches(".* [0-9a-f]{64}")
          ? Optional.of(text.substring(text.length() - 64))
          : Optional.empty();
    } catch (IOException notRemembered) {
      return Optional.empty();
    }
  }

  /**
   * The SHA-256 of a file as it is now, in hexadecimal. coreutils has the processor's own
   * instructions for it, ten times as fast as ours.
   */
  public static String compute(Path image) throws IOException {
    return compute(image, Duration.ofHours(2));
  }

  /**
   * The same within a time.
   *
   * @throws Failure with exit code 4 if it takes longer
   */
  public static String compute(Path image, Duration limit) throws IOException {
    Programs.Result result =
        Programs.run(List.of("sha256sum", "--", image.toString()), Set.of(), new byte[0], limit);
    // A backslash comes first when the name holds one.
    String digest = result.output().replaceFirst("^\\\\", "").split(" ")[0];
    if (result.exitCode() != 0 || !digest.matches("[0-9a-f]{64}")) {
      throw new IOException(result.error().strip());
    }
    return digest;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }

  static String hexadecimal(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
