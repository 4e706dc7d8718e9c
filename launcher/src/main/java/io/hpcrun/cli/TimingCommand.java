package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.slurm.JobStatus;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.ByteString;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.RecordDirectory;
import io.hpcrun.timing.TimingJson;
import io.hpcrun.timing.TimingTable;
import java.util.List;
import java.util.function.Consumer;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun timing [JOBID]}: how long each stage of a job's launches took. */
final class TimingCommand {
  private static final String ONCE_STARTED =
      "records are made by 'hpcrun run' and 'hpcrun submit', once the job has started";

  private TimingCommand() {}

  static int run(List<String> words, Console console) {
    Options options =
        new Options()
            .addOption(Option.builder().longOpt("ranks").get())
            .addOption(Option.builder().longOpt("json").get());
    GetoptParser.Around parsed = new GetoptParser(options, "timing").parseAround(words);
    if (parsed.operands().size() > 1) {
      throw Failure.usage(
          "hpcrun timing takes one job id", "write: hpcrun timing [JOBID] [--ranks] [--json]");
    }
    RecordDirectory records = RecordDirectory.of(console.environment());
    String job =
        parsed.operands().stream()
            .findFirst()
            .or(records::newestJob)
            .orElseThrow(
                () ->
                    Failure.usage(
                        "there is no record of any job in " + records.path(), ONCE_STARTED));
    if (!job.matches("[0-9]{1,18}(_[0-9]{1,9})?")) {
      throw Failure.usage(
          "'" + ByteString.ofLatin1(job) + "' is not a job id",
          "give a number such as 12, or 12_3 for an array's element");
    }
    List<RecordDirectory.Launch> launches = records.launches(job);
    if (launches.isEmpty()) {
      throw Failure.usage(
          "there is no record of job " + job + " in " + records.path(), ONCE_STARTED);
    }
    boolean ranks = parsed.has("ranks");
    if (parsed.has("json")) {
      printJson(launches, ranks, console);
    } else {
      printTables(launches, ranks, console);
    }
    return ExitCode.OK.code();
  }

  private static void printTables(
      List<RecordDirectory.Launch> launches, boolean ranks, Console console) {
    boolean first = true;
    for (RecordDirectory.Launch launch : launches) {
      if (!first) {
        console.out().println();
      }
      first = false;
      Consumer<LaunchTiming.Rank> print =
          ranks ? rank -> TimingTable.printRank(rank, console.out()) : rank -> {};
      TimingTable.print(read(launch, print), console.out());
    }
  }

  private static void printJson(
      List<RecordDirectory.Launch> launches, boolean ranks, Console console) {
    try (TimingJson json = new TimingJson(console.out())) {
      for (RecordDirectory.Launch launch : launches) {
        json.begin(ranks);
        Consumer<LaunchTiming.Rank> rank = ranks ? json::rank : ignored -> {};
        json.launch(read(launch, rank), ranks);
      }
    }
  }

  private static LaunchTiming read(
      RecordDirectory.Launch launch, Consumer<LaunchTiming.Rank> ranks) {
    LaunchTiming timing =
        LaunchTiming.read(launch, () -> new SlurmClient().accountedTimes(job(launch)), ranks);
    if (timing.texts().getOrDefault("state", "").equals("running") && isOver(job(launch))) {
      timing.remark("the job is over; it was ended before it could write its last record");
    }
    return timing;
  }

  private static boolean isOver(String job) {
    try {
      return new SlurmClient().job(job).map(JobStatus::ended).orElse(true);
    } catch (Failure noSlurm) {
      return false;
    }
  }

  private static String job(RecordDirectory.Launch launch) {
    return launch.id().split("\\.")[0];
  }
}
