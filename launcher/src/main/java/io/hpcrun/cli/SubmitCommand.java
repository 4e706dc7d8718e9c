package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import java.util.EnumSet;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun submit}: submits a launch and prints the job id. */
final class SubmitCommand {
  private SubmitCommand() {}

  static int run(List<String> words, Console console) {
    GetoptParser parser =
        new GetoptParser(
            jobOptions()
                .addOption(Option.builder().longOpt("dry-run").get())
                .addOption(Option.builder().longOpt("parsable").get()),
            "submit");
    GetoptParser.Parsed parsed = parser.parse(words);
    LaunchSpec spec = LaunchOptions.job(parser, words, console);
    Launcher launcher = new Launcher(new SlurmClient(), console);
    if (parsed.options().hasOption("dry-run")) {
      console.out().writeBytes(launcher.script(spec));
      return ExitCode.OK.code();
    }
    String id = launcher.submit(spec, false);
    console
        .out()
        .println(
            parsed.options().hasOption("parsable")
                ? id
                : "Submitted job " + id.replaceFirst(";", " to cluster "));
    if (console.out().checkError()) {
      throw Failure.internal(
          "job " + id + " is submitted, but standard output cannot be written",
          "note the job's number",
          null);
    }
    return ExitCode.OK.code();
  }

  /** The options of {@code submit} and {@code run}. */
  static Options jobOptions() {
    return LaunchOptions.add(new Options(), EnumSet.allOf(SlurmOption.class))
        .addOption(Option.builder().longOpt("sbatch").hasArg().get())
        .addOption(Option.builder().longOpt("image").hasArg().get());
  }
}
