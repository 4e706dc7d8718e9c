package io.hpcrun.cli;

import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.Requests;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.RecordDirectory;
import io.hpcrun.timing.TimingTable;
import java.util.List;
import java.util.Map;

/**
 * {@code hpcrun run}: submits a launch, waits, copies its output, prints its timing and ends with
 * the application's exit code.
 */
final class RunCommand {
  /** Launches of a job whose timing is printed. */
  private static final int MOST_TABLES = 5;

  private RunCommand() {}

  static int run(List<String> words, Console console) {
    Requests.Requested requested =
        Asked.of(words, new GetoptParser(Asked.options(), "run"), console).one("run");
    LaunchSpec spec = requested.spec();
    if (spec.isArray()) {
      throw Failure.usage(
          "hpcrun run follows one job and --array makes many",
          "use 'hpcrun submit', then 'hpcrun timing JOBID'");
    }
    SlurmClient slurm = new SlurmClient();
    Interrupts interrupts = Interrupts.install();
    Launcher.Submitted submitted =
        new Launcher(slurm, console).submit(requested, SubmitCommand.typed("run", words), true);
    String job = submitted.id().split(";")[0];
    Terminal terminal = new Terminal(console.err());
    RecordDirectory records = new RecordDirectory(spec.records());
    int exitCode =
        new JobFollower(
                slurm,
                job,
                records,
                terminal,
                console.out(),
                console.err(),
                spec.slurm(SlurmOption.OPEN_MODE).filter("append"::equals).isPresent())
            .follow(interrupts);
    console.out().flush();
    submitted.recording().await();
    printTiming(job, records, slurm, terminal, console);
    return exitCode;
  }

  /** A missing or broken record is said, and changes nothing of the job's end. */
  private static void printTiming(
      String job, RecordDirectory records, SlurmClient slurm, Terminal terminal, Console console) {
    try {
      List<RecordDirectory.Launch> launches = records.launches(job);
      if (launches.isEmpty()) {
        terminal.say("job " + job + " left no timing record in " + records.path());
        return;
      }
      int left = Math.max(0, launches.size() - MOST_TABLES);
      if (left > 0) {
        terminal.say(
            "the last %d of %d launches; all: hpcrun timing %s"
                .formatted(MOST_TABLES, launches.size(), job));
      }
      for (RecordDirectory.Launch launch : launches.subList(left, launches.size())) {
        LaunchTiming timing =
            LaunchTiming.read(launch, () -> Map.copyOf(slurm.accountedTimes(job)), rank -> {});
        TimingTable.print(timing, console.err());
      }
    } catch (Failure failed) {
      terminal.say("no timing: " + failed.getMessage());
    }
  }
}
