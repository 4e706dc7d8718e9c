package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.script.Version;
import io.hpcrun.site.Site;
import io.hpcrun.spec.ByteString;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.LoggerFactory;

/** The {@code hpcrun} command: finds the sub-command and turns failures into messages. */
public final class Main {
  private Main() {}

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    PrintStream out =
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
            false,
            StandardCharsets.UTF_8);
    PrintStream err =
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    Console console =
        new Console(out, err, Path.of(System.getProperty("user.dir")), System.getenv());
    int exitCode = run(rawWords(arguments.length), console);
    if (out.checkError() && exitCode == ExitCode.OK.code()) {
      err.println("hpcrun: error: standard output cannot be written");
      exitCode = ExitCode.INTERNAL.code();
    }
    System.exit(exitCode);
  }

  /**
   * Runs a command line.
   *
   * @param words the words after {@code hpcrun}, as Latin-1 views of their bytes
   * @param console where to print, and what the user's surroundings are
   * @return the exit code
   */
  static int run(List<String> words, Console console) {
    try {
      return dispatch(words, console);
    } catch (Failure failure) {
      console.out().flush();
      console.err().println("hpcrun: error: " + failure.getMessage());
      console.err().println("  what to do: " + failure.remedy());
      LoggerFactory.getLogger(Main.class).debug("failed", failure);
      return failure.exitCode().code();
    } catch (RuntimeException defect) {
      console.out().flush();
      console.err().println("hpcrun: error: a defect of hpcrun: " + defect);
      console
          .err()
          .println("  what to do: run it again with HPCRUN_DEBUG=1 and report what it says");
      LoggerFactory.getLogger(Main.class).error("defect", defect);
      return ExitCode.INTERNAL.code();
    }
  }

  /** With what the site says, for the sub-commands that it concerns. */
  static Console at(Console console) {
    Site site = Site.of(console.environment());
    Map<String, String> environment = new HashMap<>(site.variables());
    console.environment().forEach((name, value) -> environment.merge(name, value, Main::set));
    return new Console(console.out(), console.err(), console.workingDirectory(), environment, site);
  }

  /** An empty variable is one that is not set. */
  private static String set(String ofSite, String ofUser) {
    return ofUser.isEmpty() ? ofSite : ofUser;
  }

  private static int dispatch(List<String> words, Console console) {
    if (words.isEmpty()) {
      console.err().print(HelpText.overview());
      return ExitCode.USAGE.code();
    }
    List<String> rest = words.subList(1, words.size());
    boolean helpWanted =
        !rest.isEmpty() && (rest.getFirst().equals("--help") || rest.getFirst().equals("-h"));
    if (helpWanted) {
      return help(List.of(words.getFirst()), console);
    }
    return switch (words.getFirst()) {
      case "submit" -> SubmitCommand.run(rest, at(console));
      case "run" -> RunCommand.run(rest, at(console));
      case "exec" -> StepCommand.exec(rest, at(console));
      case "shell" -> StepCommand.shell(rest, at(console));
      case "explain" -> ExplainCommand.run(rest, at(console));
      case "template" -> TemplateCommand.run(rest, at(console));
      case "config" -> ConfigCommand.run(rest, console);
      case "policy" -> PolicyCommand.run(rest, at(console));
      case "cluster" -> ClusterCommand.run(rest, at(console));
      case "topo" -> TopoCommand.run(rest, console);
      case "pull" -> PullCommand.run(rest, at(console));
      case "images" -> ImagesCommand.run(rest, at(console));
      case "inspect" -> InspectCommand.run(rest, console);
      case "replay" -> ReplayCommand.run(rest, at(console));
      case "diff" -> DiffCommand.run(rest, at(console));
      case "timing" -> TimingCommand.run(rest, at(console));
      case "dashboard" -> DashboardCommand.run(rest, at(console));
      case "help", "--help", "-h" -> help(rest, console);
      case "version", "--version", "-V" -> {
        console.out().println("hpcrun " + Version.VERSION);
        yield ExitCode.OK.code();
      }
      default ->
          throw Failure.usage(
              "hpcrun has no sub-command '" + ByteString.ofLatin1(words.getFirst()) + "'",
              "use one of: " + String.join(", ", HelpText.COMMANDS));
    };
  }

  private static int help(List<String> words, Console console) {
    console.out().print(words.isEmpty() ? HelpText.overview() : HelpText.of(words.getFirst()));
    return ExitCode.OK.code();
  }

  /**
   * The words of the command line with their bytes. Java decodes them in the user's locale, which
   * loses what is not valid there; the kernel still has them. They are the last entries: the
   * launcher's own options come before.
   */
  private static List<String> rawWords(int count) {
    try {
      String all =
          new String(
              Files.readAllBytes(Path.of("/proc/self/cmdline")), StandardCharsets.ISO_8859_1);
      List<String> words = new ArrayList<>();
      for (int from = 0, to; (to = all.indexOf('\0', from)) >= 0; from = to + 1) {
        words.add(all.substring(from, to));
      }
      return words.subList(words.size() - count, words.size());
    } catch (IOException noProc) {
      throw new IllegalStateException("/proc is not there", noProc);
    }
  }
}
