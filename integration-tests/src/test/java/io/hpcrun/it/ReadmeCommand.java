package io.hpcrun.it;

import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A command of a README's {@code console} block: a line that begins with {@code $ }, those below it
 * that begin with {@code > } and go on with it, and the lines after them, which are what it prints.
 * In those {@code …} stands for any text, and alone on a line for any further lines; lines may come
 * in another order, since those of ranks do, and the width of blanks does not count. A command ends
 * with 0, unless the next one is {@code echo $?}, which shows what else.
 *
 * @param words what is typed
 * @param shown what the README says that it prints
 */
record ReadmeCommand(String words, List<String> shown) {
  private static final String BEGIN = "```console";
  private static final String END = "```";
  private static final String PROMPT = "$ ";
  private static final String GOES_ON = "> ";
  private static final String ANY = "…";

  /** What may be said on a busy machine. */
  private static final String SLOW = "hpcrun: note: hpcrund did not answer within";

  private static final Pattern ENDED = Pattern.compile("\n@@ended (\\d+)@@\n");

  /** The commands of a README, in their order. */
  static List<ReadmeCommand> of(Path readme) throws IOException {
    List<ReadmeCommand> commands = new ArrayList<>();
    boolean inside = false;
    boolean first = false;
    boolean typing = false;
    for (String line : Files.readAllLines(readme)) {
      if (!inside) {
        inside = line.strip().equals(BEGIN);
        first = inside;
      } else if (line.strip().equals(END)) {
        inside = false;
      } else if (line.startsWith(PROMPT)) {
        commands.add(new ReadmeCommand(line.substring(PROMPT.length()), new ArrayList<>()));
        first = false;
        typing = true;
      } else if (typing && (line + " ").startsWith(GOES_ON)) {
        String more = (line + " ").substring(GOES_ON.length()).stripTrailing();
        ReadmeCommand begun = commands.removeLast();
        commands.add(new ReadmeCommand(begun.words() + "\n" + more, begun.shown()));
      } else if (first) {
        throw new AssertionError(readme + ": a console block begins without a command: " + line);
      } else if (!line.isBlank()) {
        typing = false;
        commands.getLast().shown().add(line);
      }
    }
    return commands;
  }

  /**
   * Types the commands in one shell, one after the other.
   *
   * @return what differs from what the README says; nothing if all is as it says
   */
  static List<String> differences(Login login, String directory, List<ReadmeCommand> commands) {
    String script =
        commands.stream()
            .map(command -> "{\n" + command.words() + "\n} 2>&1\nended $?\n")
            .collect(
                Collectors.joining(
                    "",
                    "ended() { printf '\\n@@ended %d@@\\n' \"$1\"; return \"$1\"; }\n"
                        + "exec </dev/null\ncd \"$1\" || exit\n",
                    "exit 0\n"));
    Outcome outcome = login.run("timeout", "300", "bash", "-c", script, "bash", directory);
    List<String> differences = new ArrayList<>();
    Matcher ended = ENDED.matcher(outcome.output());
    int from = 0;
    for (int n = 0; n < commands.size(); n++) {
      ReadmeCommand command = commands.get(n);
      if (!ended.find()) {
        differences.add("'%s' did not end: %s".formatted(command.words(), outcome));
        break;
      }
      boolean codeIsShown =
          n + 1 < commands.size() && commands.get(n + 1).words().strip().equals("echo $?");
      String printed = outcome.output().substring(from, ended.start());
      if (!codeIsShown && !ended.group(1).equals("0")) {
        differences.add("'%s' ended with %s".formatted(command.words(), ended.group(1)));
      }
      List<String> wrong = command.wrong(printed.getBytes(StandardCharsets.UTF_8));
      if (!wrong.isEmpty()) {
        differences.add(
            "'%s':%n  %s%n-- it printed%n%s"
                .formatted(command.words(), String.join("\n  ", wrong), printed));
      }
      from = ended.end();
    }
    return differences;
  }

  private List<String> wrong(byte[] output) {
    List<String> left =
        new String(output, StandardCharsets.UTF_8)
            .lines()
            .map(ReadmeCommand::narrow)
            .filter(line -> !line.isEmpty() && !line.startsWith(SLOW))
            .collect(Collectors.toCollection(ArrayList::new));
    List<String> wrong = new ArrayList<>();
    boolean more = false;
    for (String line : shown) {
      if (line.strip().equals(ANY)) {
        more = true;
        continue;
      }
      Pattern pattern =
          Pattern.compile(
              Stream.of(narrow(line).split(ANY, -1))
                  .map(Pattern::quote)
                  .collect(Collectors.joining(".*")));
      left.stream()
          .filter(printed -> pattern.matcher(printed).matches())
          .findFirst()
          .ifPresentOrElse(left::remove, () -> wrong.add("not printed: " + line));
    }
    if (!more) {
      left.forEach(line -> wrong.add("not in the README: " + line));
    }
    return wrong;
  }

  private static String narrow(String line) {
    return line.strip().replaceAll("\\s+", " ");
  }
}
