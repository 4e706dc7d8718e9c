package io.hpcrun.pull;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import io.hpcrun.pull.PullFailure.Kind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads a file that every user of the machine may read. The daemon may read more than its users: a
 * file that one of them names must not be handed to all because the daemon can read it. So the
 * directories on the way are entered one from the other, and owner, group and others must have the
 * right to it; no link is followed; and what counts is not the path but what was opened: the kernel
 * tells which path that is (proc(5), /proc/PID/fd), whoever renames files meanwhile. Modes are
 * looked at, not access lists: who takes the right from single users by those must take it from
 * others too.
 *
 * <p>All this is done in a process of its own, since opening a pipe, or reading from a server that
 * hangs, may never return: a process can be given up and ended, and no thread of the daemon hangs.
 */
final class PublicFile {
  private static final int NOT_PUBLIC = 20;
  private static final int MISSING = 21;
  private static final int LINK = 22;
  private static final int CHANGED = 23;

  private static final Duration LOOK_LIMIT = Duration.ofSeconds(30);

  /** Prints the state of the file PATH, copied to TO unless that is empty, if it is EXPECTED. */
  private static final String SCRIPT =
      """
      set -euo pipefail
      path=$1 to=$2 expected=$3
      cd /
      rest=${path#/}
      while [[ $rest == */* ]]; do
        name=./${rest%%/*} rest=${rest#*/}
        [[ ! -L $name ]] || exit 22
        [[ -e $name ]] || exit 21
        cd -P -- "$name" 2>/dev/null || exit 20
        mode=$((16#$(stat -c %f .)))
        (((mode & 8#111) == 8#111)) || exit 20
      done
      name=./$rest
      [[ ! -L $name ]] || exit 22
      [[ -e $name ]] || exit 21
      [[ -f $name ]] || exit 20
      { exec 3<"$name"; } 2>/dev/null || exit 20
      [[ $(readlink /proc/self/fd/3) == "$path" ]] || exit 22
      mode=$((16#$(stat -L -c %f /proc/self/fd/3)))
      (((mode & 8#170000) == 8#100000 && (mode & 8#444) == 8#444)) || exit 20
      state() { stat -L -c '%s %.9Y %.9Z %i %d' /proc/self/fd/3; }
      before=$(state)
      [[ -z $expected || $before == "$expected" ]] || exit 23
      if [[ $to ]]; then
        dd bs=128K iflag=count_bytes,fullblock count="${before%% *}" conv=sparse status=none of="$to" <&3
        [[ $(state) == "$before" ]] || exit 23
      fi
      printf '%s\\n' "$before"
      """;

  private PublicFile() {}

  /**
   * What tells the file's content from what else it may be at other times.
   *
   * @throws PullFailure of kind FORBIDDEN when others could not read it, UNKNOWN if it is not there
   */
  static Resolved resolve(ImageSource.LocalFile file, String architecture) {
    String state = run(file, Optional.empty(), "", new TimeLimit(LOOK_LIMIT));
    return new Resolved(
        file,
        architecture,
        Optional.of(pin(file, state)),
        Long.parseLong(state.split(" ")[0]),
        Optional.empty());
  }

  private static String pin(ImageSource.LocalFile file, String state) {
    return file.text() + " " + state;
  }

  /**
   * Copies the file, with its holes.
   *
   * @param pin what it was resolved to
   * @param to a new file
   * @throws PullFailure also of kind BROKEN if it is another one than that
   */
  static void copy(ImageSource.LocalFile file, Optional<String> pin, Path to, TimeLimit time) {
    String state = pin.orElseThrow().substring(pin(file, "").length());
    run(file, Optional.of(to), state, time);
  }

  private static String run(
      ImageSource.LocalFile file, Optional<Path> to, String expected, TimeLimit time) {
    String path = file.text();
    Programs.Result result;
    try {
      result =
          Programs.runWatched(
              List.of(
                  "bash",
                  "-p",
                  "-c",
                  SCRIPT,
                  "hpcrun",
                  path,
                  to.map(Path::toString).orElse(""),
                  expected),
              Set.of(),
              Map.of("LC_ALL", "C"),
              time.left(),
              line -> {});
    } catch (Failure failure) {
      throw time.ended(failure);
    }
    switch (result.exitCode()) {
      case 0 -> {
        return result.output().strip();
      }
      case MISSING ->
          throw new PullFailure(Kind.UNKNOWN, "there is no file " + path, "check the path");
      case LINK ->
          throw new PullFailure(
              Kind.FORBIDDEN,
              "the file " + path + " is reached by a symbolic link, which may lead elsewhere later",
              "give its own path: realpath " + path);
      case CHANGED ->
          throw new PullFailure(
              Kind.BROKEN, "the file " + path + " changed while it was read", "try again");
      case NOT_PUBLIC ->
          throw new PullFailure(
              Kind.FORBIDDEN,
              "the file " + path + " is not one that every user may read",
              "use it as it is: hpcrun run "
                  + path
                  + "; or let others read it, and search its directories");
      default ->
          throw new PullFailure(
              NoRoom.says(result.error()) ? Kind.NO_ROOM : Kind.BROKEN,
              "the file " + path + " cannot be copied: " + result.error().strip(),
              "try again, or tell the administrators");
    }
  }
}
