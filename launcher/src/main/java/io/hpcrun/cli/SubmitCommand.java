package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.slurm.SlurmClient;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;

/** {@code hpcrun submit}: submits a launch and prints the job id. */
final class SubmitCommand {
  private SubmitCommand() {}

  static int run(List<String> words, Console console) {
    GetoptParser parser =
        new GetoptParser(
            Asked.options()
                .addOption(Option.builder().longOpt("dry-run").get())
                .addOption(Option.builder().longOpt("parsable").get()),
            "submit");
    GetoptParser.Parsed parsed = parser.parse(words);
    Asked.Wanted wanted = Asked.of(words, parser, console);
    Launcher launcher = new Launcher(new SlurmClient(), console);
    boolean parsable = parsed.options().hasOption("parsable");
    if (parsed.options().hasOption("dry-run")) {
      wanted
          .jobs()
          .ifPresent(
              jobs ->
                  console
                      .err()
                      .println(
                          "hpcrun: this is the script of element %d of the sweep; --array=N shows another"
                              .formatted(jobs.elements().getFirst())));
      console.out().writeBytes(launcher.script(wanted.first()));
      return ExitCode.OK.code();
    }
    if (wanted.jobs().isPresent()) {
      return new SweepSubmission(
              wanted.jobs().get(), typed("submit", words), launcher, console, parsable)
          .submit();
    }
    print(launcher.submit(wanted.first(), typed("submit", words), false), parsable, console);
    return ExitCode.OK.code();
  }

  /** Prints the job's number, then waits for its manifest. */
  static void print(Launcher.Submitted submitted, boolean parsable, Console console) {
    String id = submitted.id();
    console.out().println(parsable ? id : "Submitted job " + id.replaceFirst(";", " to cluster "));
    if (console.out().checkError()) {
      throw Failure.internal(
          "job " + id + " is submitted, but standard output cannot be written",
          "note the job's number",
          null);
    }
    submitted.recording().await();
  }

  /** A command line. */
  static List<String> typed(String command, List<String> words) {
    List<String> typed = new ArrayList<>(List.of(command));
    typed.addAll(words);
    return typed;
  }
}
