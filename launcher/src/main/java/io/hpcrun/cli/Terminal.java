package io.hpcrun.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the command prints for people: a status line that changes, and messages. */
final class Terminal {
  private final PrintStream err;
  private final boolean interactive;
  private String status = "";

  Terminal(PrintStream err) {
    this.err = err;
    this.interactive = isTerminal(2);
  }

  /** Whether the file descriptor is a terminal. */
  private static boolean isTerminal(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException unknown) {
      return false;
    }
  }

  /** Shows a status in place of the last one; on no terminal, nothing. */
  void status(String text) {
    if (interactive && !text.equals(status)) {
      err.print("\r\033[K" + text);
      err.flush();
      status = text;
    }
  }

  /** Takes the status line away. */
  void clear() {
    if (!status.isEmpty()) {
      err.print("\r\033[K");
      err.flush();
      status = "";
    }
  }

  /** A message that stays. */
  void say(String message) {
    clear();
    err.println("hpcrun: " + message);
  }
}
