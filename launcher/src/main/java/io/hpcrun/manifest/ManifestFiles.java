package io.hpcrun.manifest;

import io.hpcrun.failure.Failure;
import io.hpcrun.timing.RecordDirectory;
import io.hpcrun.yaml.TrustedFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Manifests in the user's record directory: {@code JOB/manifest.json}, one for each submission, so
 * one for all elements of an array; and the key of their digests, {@code manifest.key}. Only the
 * owner can read them; they appear whole or not at all.
 */
public final class ManifestFiles {
  private static final String MANIFEST = "manifest.json";
  private static final String KEY = "manifest.key";
  private static final int KEY_BYTES = 32;

  /** A manifest holds the script. */
  private static final long LARGEST = 64 << 20;

  private static final FileAttribute<?> OWN_FILE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static final FileAttribute<?> OWN_DIRECTORY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final Path records;

  /** Those beside these records. */
  public ManifestFiles(RecordDirectory records) {
    this.records = records.path();
  }

  /**
   * Writes the manifest of a job.
   *
   * @throws IOException when that is not possible
   */
  public void write(Manifest manifest) throws IOException {
    Path directory = records.resolve(manifest.submission().job());
    Files.createDirectories(directory, OWN_DIRECTORY);
    Path temporary = write(directory, ManifestJson.write(manifest));
    try {
      Files.move(
          temporary,
          directory.resolve(MANIFEST),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static Path write(Path directory, byte[] content) throws IOException {
    Path temporary = Files.createTempFile(directory, ".manifest", ".tmp", OWN_FILE);
    try {
      return Files.write(temporary, content);
    } catch (IOException noRoom) {
      Files.deleteIfExists(temporary);
      throw noRoom;
    }
  }

  /**
   * The manifest of a job; of an array's element, the array's. Empty if there is none.
   *
   * @param job a job's number, or {@code 12_3}
   * @throws Failure with exit code 2 when it cannot be read or is of another version
   */
  public Optional<Manifest> read(String job) {
    Path file = records.resolve(job.split("_")[0]).resolve(MANIFEST);
    try {
      return Optional.of(
          ManifestJson.read(bytes(file))
              .orElseThrow(() -> unreadable(file, "it is no " + ManifestJson.SCHEMA)));
    } catch (NoSuchFileException none) {
      return Optional.empty();
    } catch (IOException failed) {
      throw unreadable(file, TrustedFile.cause(failed));
    }
  }

  private static byte[] bytes(Path file) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    if (!attributes.isRegularFile()) {
      throw new IOException("it is not a regular file");
    }
    if (attributes.size() > LARGEST) {
      throw new IOException("it is larger than %d MiB".formatted(LARGEST >> 20));
    }
    return Files.readAllBytes(file);
  }

  private static Failure unreadable(Path file, String reason) {
    return Failure.usage(
        "the manifest " + file + " cannot be read: " + reason,
        "check its permissions; remove it if it was changed by hand");
  }

  /**
   * What takes secrets out, with this directory's key, which is made if there is none.
   *
   * @throws IOException when it cannot be read or made
   */
  public Masking masking() throws IOException {
    Path file = records.resolve(KEY);
    if (!Files.exists(file)) {
      makeKey(file);
    }
    String text = new String(bytes(file), StandardCharsets.US_ASCII).strip();
    if (!text.matches("[0-9a-f]{" + 2 * KEY_BYTES + "}")) {
      throw new IOException(file + " is no key");
    }
    return new Masking(HexFormat.of().parseHex(text));
  }

  private void makeKey(Path file) throws IOException {
    Files.createDirectories(records, OWN_DIRECTORY);
    byte[] key = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(key);
    Path temporary =
        write(records, (HexFormat.of().formatHex(key) + "\n").getBytes(StandardCharsets.US_ASCII));
    try {
      Files.createLink(file, temporary); // of two who make one at once, the first wins
    } catch (FileAlreadyExistsException another) {
      return; // made meanwhile
    } catch (UnsupportedOperationException | IOException noLinks) {
      Files.move(temporary, file);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
