package io.hpcrun.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.List;
import java.util.stream.Stream;

/**
 * What tells one state of an image from another, without reading it whole: a SIF file's header; for
 * a sandbox, which may hold very many files, the directories and package databases that change when
 * software is installed.
 */
public final class ImageState {
  /** From the root; where libraries are, and what package managers write. */
  private static final List<String> PLACES =
      List.of(
          "",
          "etc",
          "etc/ld.so.conf.d",
          ".singularity.d/env",
          "bin",
          "lib",
          "lib64",
          "usr/bin",
          "usr/lib",
          "usr/lib64",
          "usr/local",
          "usr/local/bin",
          "usr/local/lib",
          "usr/local/lib64",
          "opt",
          "var/lib/dpkg/status",
          "var/lib/rpm",
          "lib/apk/db/installed");

  /** Directories whose own directories count as well, and the libraries in those. */
  private static final List<String> PARENTS = List.of("usr/lib", "opt", "usr/local");

  private static final int MOST_CHILDREN = 200;

  private ImageState() {}

  /** In hexadecimal. */
  public static String of(Image image) throws IOException {
    return image.header().isPresent() ? image.header().get() : ofSandbox(image.path());
  }

  private static String ofSandbox(Path root) throws IOException {
    MessageDigest digest = ImageDigest.sha256();
    add(digest, root.toString());
    for (String place : PLACES) {
      addState(digest, root.resolve(place));
    }
    for (String parent : PARENTS) {
      try (Stream<Path> children = Files.list(root.resolve(parent))) {
        children
            .filter(Files::isDirectory)
            .sorted()
            .limit(MOST_CHILDREN)
            .forEach(
                child -> {
                  addState(digest, child);
                  addState(digest, child.resolve("bin"));
                  addState(digest, child.resolve("lib"));
                });
      } catch (NoSuchFileException | NotDirectoryException none) {
        add(digest, "none");
      }
    }
    return ImageDigest.hexadecimal(digest.digest());
  }

  private static void addState(MessageDigest digest, Path file) {
    try {
      add(digest, file + " " + ImageDigest.state(file));
    } catch (IOException notThere) {
      add(digest, file + " is not there");
    }
  }

  private static void add(MessageDigest digest, String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
  }
}
