package io.hpcrun.slurm;

import io.hpcrun.process.Programs;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Asks squeue which jobs wait or run, arrays whose elements have not started among them. */
public final class QueueClient {
  private static final String NO_SUCH_JOB = "Invalid job id";
  private static final int AT_ONCE = 1000;
  private static final int FIELDS = 3;

  /**
   * Those of these jobs that are not over, with the numbers of their owners.
   *
   * @param jobs numbers of jobs, or of whole arrays
   * @throws io.hpcrun.failure.Failure with exit code 4 when Slurm does not answer
   */
  public Map<Long, Long> owners(Collection<Long> jobs) {
    Map<Long, Long> owners = new HashMap<>();
    List<Long> all = jobs.stream().distinct().sorted().toList();
    for (int from = 0; from < all.size(); from += AT_ONCE) {
      owners.putAll(ask(all.subList(from, Math.min(all.size(), from + AT_ONCE))));
    }
    return owners;
  }

  private static Map<Long, Long> ask(List<Long> jobs) {
    Programs.Result result =
        SlurmCommands.run(
            List.of(
                "squeue",
                "--noheader",
                "--states=all",
                "--Format=ArrayJobID:0|,UserID:0|,State:0",
                "--jobs=" + jobs.stream().map(String::valueOf).collect(Collectors.joining(","))));
    if (result.exitCode() != 0 && !result.error().contains(NO_SUCH_JOB)) {
      throw SlurmCommands.unanswered("squeue", result);
    }
    return parse(result.output());
  }

  /** Reads what squeue printed; lines that are no job's are left out. */
  static Map<Long, Long> parse(String output) {
    Map<Long, Long> owners = new HashMap<>();
    for (String line : output.lines().toList()) {
      String[] fields = line.strip().split("\\|", -1);
      if (fields.length == FIELDS
          && fields[0].matches("\\d{1,10}")
          && fields[1].matches("\\d{1,10}")
          && !JobStatus.ENDED.contains(fields[2].strip())) {
        owners.put(Long.parseLong(fields[0]), Long.parseLong(fields[1]));
      }
    }
    return owners;
  }
}
