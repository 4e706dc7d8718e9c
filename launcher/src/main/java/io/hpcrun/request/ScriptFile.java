package io.hpcrun.request;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.UserScript;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A user's batch script with {@code #HPCRUN} lines beside its {@code #SBATCH} lines. Both are read
 * as sbatch reads its own (Slurm, src/sbatch/opt.c): at the beginning of a line, up to the first
 * line that is neither empty nor a comment; words end at blanks, quotes and backslashes keep them
 * together, {@code #} begins a comment.
 *
 * @param options the words of all {@code #HPCRUN} lines
 * @param script the script
 */
record ScriptFile(List<String> options, UserScript script) {
  /** sbatch's own limit (slurm.conf, SchedulerParameters max_script_size). */
  private static final long LARGEST = 4 << 20;

  private static final String OWN = "#HPCRUN";
  static final String SLURM = "#SBATCH";

  /** Whether the file at this path begins as a script does. */
  static boolean isScript(Path path) {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (java.io.InputStream in = Files.newInputStream(path)) {
      byte[] start = in.readNBytes(32);
      return start.length > 2
          && start[0] == '#'
          && start[1] == '!'
          // a SIF file begins with a launch script's first line, and its magic follows
          && !new String(start, StandardCharsets.ISO_8859_1).contains("run-singularity");
    } catch (IOException unreadable) {
      return false; // whoever opens it as an image says why
    }
  }

  /**
   * Reads a script.
   *
   * @param path the file
   * @param arguments what it gets as arguments
   * @throws Failure with exit code 2 for what is wrong in it
   */
  static ScriptFile read(Path path, List<ByteString> arguments) {
    String text;
    try {
      if (Files.size(path) > LARGEST) {
        throw Failure.usage(
            "the script " + path + " is larger than sbatch takes (4 MiB)", "make it smaller");
      }
      text = new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1);
    } catch (IOException unreadable) {
      throw Failure.usage(
          "the script " + path + " cannot be read: " + unreadable.getMessage(),
          "check its permissions");
    }
    return of(path, text, arguments);
  }

  /** The script of a text, one character for each byte, that was read from a file. */
  static ScriptFile of(Path path, String text, List<ByteString> arguments) {
    if (text.indexOf('\0') >= 0 || text.contains("\r\n")) {
      throw Failure.usage(
          "the script " + path + " holds NUL characters or DOS line ends, which sbatch refuses",
          "write it as a Unix text file (dos2unix)");
    }
    List<ByteString> directives = new ArrayList<>();
    List<String> options = new ArrayList<>();
    String[] lines = text.split("\n", -1);
    boolean head = true;
    for (int i = 0; i < lines.length; i++) {
      String line = lines[i];
      head = head && (line.isBlank() || line.startsWith("#"));
      if (line.startsWith(OWN) && !head) {
        throw Failure.usage(
            path + ", line " + (i + 1) + ": this " + OWN + " line comes after the first command",
            "move it up, beside the " + SLURM + " lines");
      }
      if (head && line.startsWith(SLURM)) {
        directives.add(ByteString.ofLatin1(line));
      } else if (head && line.startsWith(OWN)) {
        options.addAll(UserScript.words(line.substring(OWN.length()), path + ", line " + (i + 1)));
      }
    }
    return new ScriptFile(
        options,
        new UserScript(directives, interpreter(lines[0]), arguments, ByteString.ofLatin1(text)));
  }

  /**
   * The options of the {@code #SBATCH} lines, as far as they are known here: what the site says of
   * them does not count.
   */
  static Layer layer(List<ByteString> directives, Path path) {
    List<Setting> settings = new ArrayList<>();
    for (ByteString directive : directives) {
      List<String> words =
          UserScript.words(directive.latin1().substring(SLURM.length()), path.toString());
      for (int i = 0; i < words.size(); i++) {
        String word = words.get(i);
        String next = i + 1 < words.size() ? words.get(i + 1) : "";
        for (SlurmOption option : SlurmOption.values()) {
          value(option, word, next)
              .ifPresent(
                  value ->
                      settings.add(
                          new Setting(
                              option.option(),
                              List.of(value),
                              new Origin(Origin.Kind.SCRIPT, SLURM + " line of " + path))));
        }
      }
    }
    return new Layer(settings);
  }

  private static Optional<String> value(SlurmOption option, String word, String next) {
    String name = "--" + option.option();
    String letter = option.letter() == '\0' ? name : "-" + option.letter();
    if (word.equals(name) || word.equals(letter)) {
      return Optional.of(next);
    }
    if (word.startsWith(name + "=")) {
      return Optional.of(word.substring(name.length() + 1));
    }
    return word.startsWith(letter) && !letter.equals(name)
        ? Optional.of(word.substring(2))
        : Optional.empty();
  }

  /** Linux takes all after the program as one argument (execve(2), interpreter scripts). */
  private static List<ByteString> interpreter(String line) {
    String[] words = line.substring(2).strip().split("[ \t]+", 2);
    return List.of(words).stream()
        .filter(word -> !word.isEmpty())
        .map(ByteString::ofLatin1)
        .toList();
  }
}
