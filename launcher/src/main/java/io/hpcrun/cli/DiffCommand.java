package io.hpcrun.cli;

import io.hpcrun.difference.Comparison;
import io.hpcrun.difference.Difference;
import io.hpcrun.difference.DifferenceJson;
import io.hpcrun.difference.DifferenceTable;
import io.hpcrun.difference.Side;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.spec.ByteString;
import io.hpcrun.timing.RecordDirectory;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun diff A B}: what differs between two launches. */
final class DiffCommand {
  private DiffCommand() {}

  static int run(List<String> words, Console console) {
    Options options = new Options().addOption(Option.builder().longOpt("json").get());
    GetoptParser parser = new GetoptParser(options, "diff");
    List<String> jobs = new ArrayList<>();
    boolean json = false;
    for (List<String> rest = words; !rest.isEmpty(); ) { // options may stand anywhere
      GetoptParser.Parsed parsed = parser.parse(rest);
      json |= parsed.options().hasOption("json");
      parsed.rest().stream().limit(1).forEach(job -> jobs.add(ByteString.ofLatin1(job).toString()));
      rest = parsed.rest().isEmpty() ? List.of() : parsed.rest().subList(1, parsed.rest().size());
    }
    if (jobs.size() != 2) {
      throw Failure.usage(
          "hpcrun diff compares two jobs, and %d were named".formatted(jobs.size()),
          "write: hpcrun diff JOBID JOBID [--json]");
    }
    RecordDirectory records = RecordDirectory.of(console.environment());
    Side before = Side.read(jobs.getFirst(), records);
    Side after = Side.read(jobs.getLast(), records);
    List<Difference> differences = Comparison.of(before, after);
    if (json) {
      console.out().writeBytes(DifferenceJson.write(before, after, differences));
      console.out().println();
    } else {
      DifferenceTable.print(before, after, differences, console.out());
    }
    return ExitCode.OK.code();
  }
}
