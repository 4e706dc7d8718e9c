package io.hpcrun.spec;

import io.hpcrun.failure.Failure;
import java.util.ArrayList;
import java.util.List;

/**
 * A user's own batch script, which starts its launches itself with {@code hpcrun exec -- COMMAND}.
 *
 * @param directives its {@code #SBATCH} lines, as they are
 * @param interpreter the program that runs it and, at most, one argument ({@code #!})
 * @param arguments its arguments
 * @param text the whole script
 */
public record UserScript(
    List<ByteString> directives,
    List<ByteString> interpreter,
    List<ByteString> arguments,
    ByteString text) {

  /** How a job file's script begins that is one launch in each element of a job array. */
  public static final String HEAD_OF_SWEEP = "#!/bin/bash -p\n# A sweep of ";

  /** Copies the lists. */
  public UserScript {
    directives = List.copyOf(directives);
    interpreter = List.copyOf(interpreter);
    arguments = List.copyOf(arguments);
  }

  /** Whether it is a job file's one launch in each element of a job array. */
  public boolean isSweep() {
    return text.latin1().startsWith(HEAD_OF_SWEEP);
  }

  /** The script with a job name that its own directives win over, as sbatch names a script. */
  public UserScript named(String name) {
    List<ByteString> all = new ArrayList<>();
    all.add(ByteString.of("#SBATCH --job-name=" + name));
    all.addAll(directives);
    return new UserScript(all, interpreter, arguments, text);
  }

  /**
   * The words of an {@code #SBATCH} line, as sbatch reads them (Slurm, src/sbatch/opt.c).
   *
   * @param line what follows its first word
   * @param where it stands, for the message
   * @throws Failure with exit code 2 when a quote is not closed
   */
  public static List<String> words(String line, String where) {
    List<String> words = new ArrayList<>();
    StringBuilder word = null;
    char quote = 0;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (quote == 0 && Character.isWhitespace(c)) {
        if (word != null) {
          words.add(word.toString());
        }
        word = null;
        continue;
      }
      if (quote == 0 && c == '#') {
        break;
      }
      word = word == null ? new StringBuilder() : word;
      if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == '\\' && quote != '\'' && i + 1 < line.length()) {
        word.append(line.charAt(++i));
      } else {
        word.append(c);
      }
    }
    if (quote != 0) {
      throw Failure.usage(where + ": a " + quote + " is not closed", "close it in this line");
    }
    if (word != null) {
      words.add(word.toString());
    }
    return words;
  }
}
