package io.hpcrun.spec;

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
}
