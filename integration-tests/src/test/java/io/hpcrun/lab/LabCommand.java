package io.hpcrun.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The repository's {@code ./lab}: it starts Docker where that is missing, and makes the images of
 * nodes and of test programs. What it says while it works goes to standard error.
 */
public final class LabCommand {
  /** The {@code ./lab} command failed; its own message is on standard error. */
  public static final class LabFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    LabFailed(String message) {
      super(message);
    }
  }

  private LabCommand() {}

  /** The Docker tag of a flavour's nodes, made first if need be. */
  static String imageOfNodes(Flavour flavour) {
    String given = System.getProperty("hpcrun.lab.image." + flavour.option(), "");
    return given.isEmpty() ? run("build", "--slurm", flavour.option()) : given;
  }

  /** The file name of a test image in the volume of images, made first if need be. */
  static String imageOfPrograms(String name) {
    return run("image", name);
  }

  /** The distribution that {@code ./build} made last. */
  static Path distribution() {
    Path target = root().resolve("distribution/target");
    Path newest = null;
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(target, "hpcrun-*-linux-x86_64.tar.gz")) {
      for (Path file : found) {
        if (newest == null
            || Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(newest)) > 0) {
          newest = file;
        }
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
    if (newest == null) {
      throw new IllegalStateException("no distribution in " + target + ": run ./build first");
    }
    return newest;
  }

  private static Path root() {
    return Path.of(System.getProperty("hpcrun.root", "..")).toAbsolutePath().normalize();
  }

  private static String run(String... words) {
    List<String> command = new ArrayList<>(List.of(root().resolve("lab").toString()));
    command.addAll(List.of(words));
    try {
      Process lab =
          new ProcessBuilder(command)
              .directory(root().toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      lab.getOutputStream().close();
      String output = new String(lab.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int exitCode = lab.waitFor();
      if (exitCode != 0) {
        throw new LabFailed(
            "./lab "
                + String.join(" ", words)
                + " ended with exit code "
                + exitCode
                + "; its message is above, its whole output in .lab/");
      }
      return output.strip();
    } catch (IOException notStarted) {
      throw new UncheckedIOException(notStarted);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LabFailed("interrupted while ./lab " + String.join(" ", words) + " ran");
    }
  }
}
