package io.hpcrun.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScratchTest {
  private static final String LEFT = "hpcrun-image1234567890123456789";

  /** What writes on, as unsquashfs does: it ends once it can write no more. */
  private static final String WRITER =
      "for ((i = 0; i < 10000; i++)); do mkdir \"$0/d$i\" && echo x >\"$0/d$i/f\" && chmod 555 \"$0/d$i\""
          + " || exit; done";

  @TempDir private Path directory;

  /** The process that a signal ends. */
  static final class Child {
    private Child() {}

    public static void main(String[] words) throws Exception {
      Scratch scratch = new Scratch(Path.of(words[0]));
      Path own = scratch.directory();
      new ProcessBuilder("setsid", "bash", "-c", WRITER, own.toString())
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
      while (Files.notExists(own.resolve("d20/f"))) {
        Thread.sleep(10);
      }
      System.out.println("writing");
      Thread.sleep(60_000);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM", "HUP"})
  void nothingStaysWhenASignalEndsTheProcess(String signal) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                directory.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader out = process.inputReader()) {
      assertThat(out.readLine()).isEqualTo("writing");
      new ProcessBuilder("kill", "-s", signal, String.valueOf(process.pid())).start().waitFor();
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(directory).isEmptyDirectory();
    Thread.sleep(200);
    assertThat(directory).as("the writer writes no more").isEmptyDirectory();
  }

  @Test
  void whatIsClosedIsGone() throws IOException {
    try (Scratch scratch = new Scratch(directory)) {
      Path locked = Files.createDirectories(scratch.directory().resolve("root/a"));
      Files.writeString(locked.resolve("f"), "x");
      Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
      assertThat(scratch.directory()).isEqualTo(locked.getParent().getParent());
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void whatTheEndRemovedIsNotTakenForTheWhole() throws IOException {
    Scratch scratch = new Scratch(directory);
    Files.writeString(scratch.directory().resolve("f"), "x");
    scratch.removeAtTheEnd();
    assertThat(directory).isEmptyDirectory();
    assertThatExceptionOfType(Failure.class).isThrownBy(scratch::directory);
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(scratch::close)
        .matches(failure -> failure.exitCode() == ExitCode.INTERNAL)
        .withMessage("interrupted");
  }

  @Test
  void removesWhatWasLeftLongAgoAndNothingElse() throws IOException {
    Path target = Files.createDirectory(directory.resolve("target"));
    Files.writeString(target.resolve("f"), "x");
    Path old = Files.createDirectories(directory.resolve(LEFT + "/root")).getParent();
    Files.createSymbolicLink(old.resolve("root/link"), target);
    Path young = Files.createDirectory(directory.resolve(LEFT.replace('1', '2')));
    Path named = Files.createDirectory(directory.resolve("hpcrun-image20260101"));
    Path link = Files.createSymbolicLink(directory.resolve(LEFT.replace('1', '3')), target);
    Path file = Files.writeString(directory.resolve(LEFT.replace('1', '4')), "x");
    Path others = Files.createDirectory(directory.resolve(LEFT.replace('1', '5')));
    boolean isRoot = Files.getAttribute(others, "unix:uid").equals(0);
    if (isRoot) {
      Files.setAttribute(others, "unix:uid", 65534);
    }
    FileTime then = FileTime.from(Instant.now().minus(Duration.ofHours(25)));
    for (Path each : new Path[] {target, old, named, file, others}) {
      Files.setLastModifiedTime(each, then);
    }
    try (Scratch scratch = new Scratch(directory)) {
      scratch.directory();
    }
    Path[] kept = {target, young, named, link, file};
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left.filter(each -> !each.equals(others))).containsExactlyInAnyOrder(kept);
    }
    assertThat(Files.exists(others)).as("another user's").isEqualTo(isRoot);
    assertThat(target.resolve("f")).exists();
  }
}
