package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.LaunchSpec;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun submit}: submits a launch and prints the job id. */
final class SubmitCommand {
  private SubmitCommand() {}

  static int run(List<String> words, Console console) {
    Options options =
        LaunchOptions.add(new Options())
            .addOption(Option.builder().longOpt("dry-run").get())
            .addOption(Option.builder().longOpt("parsable").get());
    GetoptParser.Parsed parsed = new GetoptParser(options, "submit").parse(words);
    LaunchSpec spec = LaunchOptions.spec(parsed, console.workingDirectory(), console.environment());
    Launcher launcher = new Launcher(new SlurmClient(), new ImageDigest(console.environment()));
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
}
