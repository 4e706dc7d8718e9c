package io.hpcrun.pull;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Pulls, converts and verifies images with Apptainer, either as the user it is for or as nobody.
 */
final class Apptainer {
  private static final Pattern OWN =
      Pattern.compile(
          "(APPTAINER|SINGULARITY)(ENV)?_.*|DOCKER_.*|REGISTRY_AUTH_FILE|XDG_.*|DBUS_.*");
  private static final int BLOBS_DEPTH = 5;
  private static final Pattern LOGIN =
      Pattern.compile("(?i)authentication required|unauthorized|access to the resource is denied");
  private static final Pattern NAME =
      Pattern.compile("(?i)manifest unknown|name unknown|not found in registry|image .*not found");

  private final boolean anonymous;
  private final Map<String, String> environment;

  private Apptainer(boolean anonymous, Map<String, String> environment) {
    this.anonymous = anonymous;
    this.environment = environment;
  }

  /** Without any login, cache or setting of the user that this process is. */
  static Apptainer anonymous(Map<String, String> environment) {
    return new Apptainer(true, environment);
  }

  /** With the user's logins and settings. */
  static Apptainer ofUser(Map<String, String> environment) {
    return new Apptainer(false, environment);
  }

  /**
   * Pulls into a new file.
   *
   * @param source in Apptainer's words
   * @param work a directory of its own
   * @param plain whether the registry is spoken to without TLS
   * @param time how long it may take
   * @param messages hears what Apptainer says, line by line
   */
  void pull(
      String source,
      String architecture,
      Path file,
      Path work,
      boolean plain,
      TimeLimit time,
      Consumer<String> messages) {
    List<String> command =
        new ArrayList<>(List.of("apptainer", "pull", "--disable-cache", "--arch", architecture));
    if (plain) {
      command.add("--no-https");
    }
    command.addAll(List.of("--", file.toString(), source));
    Programs.Result result = run(command, work, time, messages);
    if (result.exitCode() != 0 || !Files.isRegularFile(file)) {
      throw failed(source, work, result);
    }
  }

  /**
   * Checks an image's signatures.
   *
   * @param ring public keys, as Apptainer keeps them in its file {@code pgp-public}
   * @throws PullFailure of kind UNSIGNED
   */
  void verify(Path image, Path ring, Path work, TimeLimit time) {
    Path keys = work.resolve("keys");
    try {
      // Apptainer insists on a directory and a file of the user's own.
      Files.createDirectory(
          keys, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Path copy = Files.copy(ring, keys.resolve("pgp-public"));
      Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
    } catch (IOException failed) {
      throw new PullFailure(
          Kind.UNSIGNED,
          "the site's key ring " + ring + " cannot be read, so no signature can be checked",
          "tell the administrators",
          failed);
    }
    Programs.Result result =
        run(
            List.of("apptainer", "verify", "--local", "--all", "--", image.toString()),
            Map.of("APPTAINER_KEYSDIR", keys.toString(), "SINGULARITY_KEYSDIR", keys.toString()),
            work,
            time,
            line -> {});
    if (result.exitCode() != 0) {
      throw new PullFailure(
          Kind.UNSIGNED,
          "the image is not signed by whom this site trusts (" + lastLine(result) + ")",
          "ask its author to sign it (apptainer sign), or the administrators to trust the key");
    }
  }

  private Programs.Result run(
      List<String> command, Path work, TimeLimit time, Consumer<String> messages) {
    return run(command, Map.of(), work, time, messages);
  }

  private Programs.Result run(
      List<String> command,
      Map<String, String> more,
      Path work,
      TimeLimit time,
      Consumer<String> messages) {
    Map<String, String> set = new HashMap<>(more);
    set.put("APPTAINER_TMPDIR", work.toString());
    set.put("TMPDIR", work.toString());
    Set<String> unset = Set.of();
    if (anonymous) {
      unset =
          environment.keySet().stream()
              .filter(name -> OWN.matcher(name).matches() && !set.containsKey(name))
              .collect(Collectors.toSet());
      set.put("HOME", work.toString());
      set.put("APPTAINER_CONFIGDIR", work.resolve("config").toString());
      set.put("APPTAINER_CACHEDIR", work.resolve("cache").toString());
    }
    try {
      return Programs.runWatched(command, unset, set, time.left(), messages);
    } catch (Failure failure) {
      throw time.ended(failure);
    }
  }

  private static PullFailure failed(String source, Path work, Programs.Result result) {
    String said = result.error();
    if (NoRoom.says(said)) {
      return new PullFailure(
          Kind.NO_ROOM,
          "there is no room for the image in " + work,
          "make room there, or ask the administrators");
    }
    if (LOGIN.matcher(said).find()) {
      return new PullFailure(
          Kind.NEEDS_CREDENTIALS,
          "the registry does not give " + source + " to everybody",
          "check the name; if it is private: apptainer registry login");
    }
    return NAME.matcher(said).find()
        ? new PullFailure(Kind.UNKNOWN, "there is no image " + source, "check the name and the tag")
        : new PullFailure(
            Kind.BROKEN,
            "apptainer could not pull " + source + ": " + lastLine(result),
            "try it by hand: apptainer pull image.sif " + source);
  }

  /** Apptainer ends with a line that says why; it is the image's author's text in part. */
  private static String lastLine(Programs.Result result) {
    return result
        .error()
        .lines()
        .filter(line -> !line.isBlank())
        .reduce((first, last) -> last)
        .map(line -> line.replaceFirst("^FATAL: *", ""))
        .map(ImageSource::shown)
        .orElse("exit code " + result.exitCode());
  }

  /**
   * What of an image has come over the network so far: the blobs that Apptainer has stored, or the
   * file that it writes.
   */
  static long received(Path work) {
    try (Stream<Path> files = Files.walk(work, BLOBS_DEPTH)) {
      return files
          .filter(file -> file.getParent().endsWith("blobs/sha256") || isImage(work, file))
          .mapToLong(Apptainer::size)
          .sum();
    } catch (IOException | java.io.UncheckedIOException changing) {
      return 0; // files come and go while it looks
    }
  }

  private static boolean isImage(Path work, Path file) {
    return work.equals(file.getParent()) && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException gone) {
      return 0;
    }
  }
}
