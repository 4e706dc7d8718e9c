package io.hpcrun.script;

import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.UserScript;
import java.util.List;

/**
 * Renders a batch script that starts several launches, or another one in each element of a job
 * array, with {@code hpcrun exec}. All that comes from outside is quoted: it is words, never
 * source.
 */
public final class LaunchScript {
  private static final String HEAD = "#!/bin/bash -p\n# ";

  private final StringBuilder text = new StringBuilder();

  /**
   * A launch.
   *
   * @param name letters, digits, {@code _} and {@code -}; empty where it needs none
   * @param options of srun, as words
   * @param environment variables for the application
   * @param command the command's words
   */
  public record Launch(
      String name,
      List<String> options,
      List<EnvironmentVariable> environment,
      List<ByteString> command) {
    /** Copies the lists. */
    public Launch {
      options = List.copyOf(options);
      environment = List.copyOf(environment);
      command = List.copyOf(command);
    }
  }

  private final Slots slots;

  private LaunchScript(Slots slots) {
    this.slots = slots;
  }

  /**
   * One launch, of which each element of a job array has another.
   *
   * @param file where the launch stands, for the reader
   * @param slots what differs between the elements
   */
  public static ByteString one(String file, Launch launch, Slots slots) {
    LaunchScript script = new LaunchScript(slots);
    script.head(UserScript.HEAD_OF_SWEEP, file + ".");
    script.line(script.words("exec hpcrun exec", launch));
    return script.toBytes();
  }

  /**
   * Launches one after the other; the first that fails ends the script with its exit code.
   *
   * @param what what the launches are of, for the reader
   * @param slots what differs between the elements of a job array
   */
  public static ByteString inOrder(String what, List<Launch> launches, Slots slots) {
    LaunchScript script = new LaunchScript(slots);
    script.head(HEAD, what + ", one launch after the other; the first that fails ends the job.");
    script.text.append(
        """
        stopped=''
        trap 'stopped=1' TERM
        launch() {
          local name=$1 code
          shift
          hpcrun exec "$@"
          code=$?
          if ((code)); then
            printf 'hpcrun: the launch %s ended with %d, and the job with it\\n' "$name" "$code" >&2
            exit "$code"
          fi
          [[ -z $stopped ]] || exit 143
        }
        """);
    launches.forEach(launch -> script.line(script.words("launch " + launch.name(), launch)));
    return script.toBytes();
  }

  /**
   * Launches all at once; the script ends when all have, with the exit code of the first of the
   * list that failed.
   *
   * @param what what the launches are of, for the reader
   * @param slots what differs between the elements of a job array
   */
  public static ByteString together(String what, List<Launch> launches, Slots slots) {
    LaunchScript script = new LaunchScript(slots);
    script.head(HEAD, what + ", all launches at once; the job ends when all have.");
    script.line("trap ':' TERM");
    script.line("names=() processes=()");
    for (Launch launch : launches) {
      script.line(script.words("hpcrun exec", launch) + " &");
      script.line("names+=(" + launch.name() + ") processes+=(\"$!\")");
    }
    script.text.append(
        """
        code=0
        for i in "${!names[@]}"; do
          wait "${processes[i]}"
          ended=$?
          while ((ended > 128)) && kill -0 "${processes[i]}" 2>/dev/null; do # a signal ended the wait
            wait "${processes[i]}"
            ended=$?
          done
          if ((ended)); then
            printf 'hpcrun: the launch %s ended with %d\\n' "${names[i]}" "$ended" >&2
            ((code)) || code=$ended
          fi
        done
        exit "$code"
        """);
    return script.toBytes();
  }

  private void head(String start, String comment) {
    // A file's name may hold anything.
    line(start + ByteString.of(ByteString.of(comment).toString()).latin1());
    text.append(slots.source());
  }

  /** {@code START --option… -- WORD…}, after the variables. */
  private String words(String start, Launch launch) {
    StringBuilder words = new StringBuilder();
    for (EnvironmentVariable variable : launch.environment()) {
      words
          .append("HPCRUN_ENV_")
          .append(variable.name())
          .append('=')
          .append(slots.quote(variable.value()))
          .append(' ');
    }
    words.append(start);
    launch.options().forEach(option -> words.append(' ').append(ShellWord.quote(option)));
    // The agent takes the last option for an image if it ends in .sif: a launch's name never does.
    words.append(launch.name().isEmpty() ? "" : " --job-name=" + launch.name()).append(" --");
    launch.command().forEach(word -> words.append(' ').append(slots.quote(word)));
    return words.toString();
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  private ByteString toBytes() {
    return ByteString.ofLatin1(text.toString());
  }
}
