package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Reads what an image file says of itself: the global header of SIF (sylabs/sif, pkg/sif/sif.go:
 * launch script 32 bytes, magic 10, version 3, architecture 3, UUID 16, times of making and change
 * 8 each), or that a directory is a root file system.
 */
public final class ImageReader {
  private static final int HEADER_SIZE = 128;

  /** The header and the table of 48 parts end before this (sylabs/sif, pkg/sif/sif.go). */
  private static final int TABLE_SIZE = 32 << 10;

  private static final byte[] MAGIC = "SIF_MAGIC\0".getBytes(StandardCharsets.US_ASCII);
  private static final int MAGIC_AT = 32;
  private static final int ARCHITECTURE_AT = 45;
  private static final int ID_AT = 48;
  private static final int MADE_AT = 64;

  /** Reproducible builds write other times; SIF is not older than 2017. */
  private static final long EARLIEST = 1_483_228_800;

  private static final long LATEST = 1L << 40;

  /** SIF's architecture codes (sylabs/sif, pkg/sif/arch.go). */
  private static final Map<String, String> ARCHITECTURES =
      Map.ofEntries(
          Map.entry("01", "386"),
          Map.entry("02", "amd64"),
          Map.entry("03", "arm"),
          Map.entry("04", "arm64"),
          Map.entry("05", "ppc64"),
          Map.entry("06", "ppc64le"),
          Map.entry("07", "mips"),
          Map.entry("08", "mipsle"),
          Map.entry("09", "mips64"),
          Map.entry("10", "mips64le"),
          Map.entry("11", "s390x"),
          Map.entry("12", "riscv64"));

  /** First bytes of what users take for an image, and what it is. */
  private static final Map<String, String> OTHER_FORMATS =
      Map.of(
          "hsqs",
          "a bare squashfs file; build a SIF from it: apptainer build image.sif FILE",
          "\u001f\u008b",
          "a gzip archive (docker save?); build a SIF from it: apptainer build image.sif"
              + " docker-archive:FILE",
          "PK",
          "a zip archive; it is not an image",
          "\u007fELF",
          "a program; put the image before the command");

  private ImageReader() {}

  /**
   * Reads an image.
   *
   * @param path absolute path as the user gave it
   * @throws Failure with exit code 5 when the image is missing, cannot be read or is no image
   */
  public static Image read(Path path) {
    try {
      if (Files.isDirectory(path)) {
        return readSandbox(path);
      }
      if (Files.exists(path) && !Files.isRegularFile(path)) {
        throw Failure.image(
            "the image " + path + " is neither a file nor a directory",
            "give the path of a SIF file or of a sandbox directory");
      }
      try (SeekableByteChannel channel = Files.newByteChannel(path)) {
        return readSif(path, channel);
      }
    } catch (NoSuchFileException missing) {
      throw Failure.image("the image " + path + " does not exist", missingRemedy(path));
    } catch (AccessDeniedException denied) {
      throw Failure.image(
          "the image " + path + " may not be read by you",
          "ask its owner for read permission on it and on the directories above it");
    } catch (IOException failed) {
      throw Failure.image(
          "the image " + path + " cannot be read: " + failed.getMessage(),
          "check the file system that holds it");
    }
  }

  private static String missingRemedy(Path path) {
    for (Path parent = path.getParent(); parent != null; parent = parent.getParent()) {
      if (Files.exists(parent, LinkOption.NOFOLLOW_LINKS)) {
        return parent.equals(path.getParent())
            ? "check the name; 'ls " + parent + "' shows what is there"
            : "check the path; it exists only up to " + parent;
      }
    }
    return "check the path";
  }

  private static String fileSystem(Path path) throws IOException {
    return Files.getFileStore(path).type();
  }

  private static Image readSandbox(Path path) throws IOException {
    if (!Files.isReadable(path) || !Files.isExecutable(path)) {
      throw Failure.image(
          "the directory " + path + " may not be read by you",
          "ask its owner for read and search permission");
    }
    boolean rootFileSystem =
        Files.isDirectory(path.resolve(".singularity.d"))
            || (Files.isDirectory(path.resolve("etc"))
                && (Files.exists(path.resolve("bin"), LinkOption.NOFOLLOW_LINKS)
                    || Files.isDirectory(path.resolve("usr"))));
    if (!rootFileSystem) {
      throw Failure.image(
          "the directory " + path + " is not a sandbox image: it holds no root file system",
          "give a SIF file, or a directory made by 'apptainer build --sandbox'");
    }
    return new Image(
        path,
        Image.Format.SANDBOX,
        Optional.empty(),
        Optional.empty(),
        0,
        Optional.empty(),
        fileSystem(path));
  }

  private static Image readSif(Path path, SeekableByteChannel channel) throws IOException {
    long size = channel.size();
    ByteBuffer header = ByteBuffer.allocate(TABLE_SIZE);
    while (header.hasRemaining() && channel.read(header) >= 0) {
      // a short read is continued until the header is whole or the file ends
    }
    byte[] bytes = Arrays.copyOf(header.array(), header.position());
    if (bytes.length == 0) {
      throw Failure.image("the image " + path + " is empty", "build or copy it again");
    }
    if (bytes.length < MAGIC_AT + MAGIC.length
        || !Arrays.equals(bytes, MAGIC_AT, MAGIC_AT + MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw Failure.image("the image " + path + " is not a SIF file" + guess(bytes), remedy(bytes));
    }
    if (bytes.length < HEADER_SIZE) {
      throw Failure.image(
          "the image " + path + " is cut off: it has only " + size + " bytes",
          "build or copy it again");
    }
    String code = new String(bytes, ARCHITECTURE_AT, 2, StandardCharsets.US_ASCII);
    ByteBuffer id = ByteBuffer.wrap(bytes, ID_AT, 16);
    // The header's last fields say where the data section begins and how long it is.
    ByteBuffer offsets = ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    long dataEnd = offsets.getLong(112) + offsets.getLong(120);
    if (dataEnd > size) {
      throw Failure.image(
          "the image " + path + " is cut off: " + size + " bytes of " + dataEnd,
          "copy it again and compare the sizes");
    }
    return new Image(
        path,
        Image.Format.SIF,
        Optional.of(ARCHITECTURES.getOrDefault(code, "unknown (SIF code " + code.trim() + ")")),
        Optional.of(new UUID(id.getLong(), id.getLong()).toString()),
        size,
        Optional.of(ImageDigest.hexadecimal(ImageDigest.sha256().digest(bytes))),
        fileSystem(path),
        Optional.of(offsets.getLong(MADE_AT)).filter(made -> made > EARLIEST && made < LATEST),
        SifTable.holdsSignature(offsets));
  }

  private static String guess(byte[] bytes) {
    return otherFormat(bytes).map(format -> ": it looks like " + format.split(";")[0]).orElse("");
  }

  private static String remedy(byte[] bytes) {
    return otherFormat(bytes)
        .map(format -> format.split("; ")[1])
        .orElse("give a SIF file made by 'apptainer build' or 'apptainer pull'");
  }

  private static Optional<String> otherFormat(byte[] bytes) {
    String start = new String(bytes, StandardCharsets.ISO_8859_1);
    return OTHER_FORMATS.entrySet().stream()
        .filter(format -> start.startsWith(format.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }
}
