package io.hpcrun.slurm;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.cluster.NodeType;
import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Asks Slurm through its own commands, as the user, with a time limit on each. */
public final class SlurmClient {
  /** Longer than Slurm's own MessageTimeout (10 s) with its retries. */
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private static final byte[] NO_INPUT = {};
  private static final Pattern JOB_ID = Pattern.compile("[0-9]+");

  /** Variables that change how the answers of Slurm's commands look. */
  private static final Set<String> FORMATS =
      Set.of(
          "SLURM_TIME_FORMAT",
          "SINFO_FORMAT",
          "SINFO_PARTITION",
          "SQUEUE_FORMAT",
          "SQUEUE_FORMAT2",
          "SACCT_FORMAT",
          "SCONTROL_ALL");

  /** {@code scontrol show config}, parsed; also the test whether slurmctld answers. */
  public Map<String, String> config() {
    return ClusterFacts.parseConfig(ask(List.of("scontrol", "show", "config")).output());
  }

  /** The plug-ins of {@code srun --mpi=list}, which prints them on standard error. */
  public List<String> mpiPlugins() {
    Programs.Result result = ask(List.of("srun", "--mpi=list"));
    return ClusterFacts.parseMpiList(result.error() + result.output());
  }

  /** Partitions and their nodes, those that are alike together. */
  public List<NodeType> nodeTypes() {
    return NodeType.parse(
        ask(List.of("sinfo", "--noheader", "--format=" + NodeType.FORMAT)).output());
  }

  /**
   * Submits a script.
   *
   * @param script the batch script, given to sbatch on standard input
   * @param unset variables that sbatch must not see because they would override the script
   * @return {@code JOBID}, or {@code JOBID;CLUSTER}, as {@code sbatch --parsable} prints it
   * @throws Failure with exit code 4 and sbatch's own words when it refuses
   */
  public String submit(byte[] script, Set<String> unset) {
    Programs.Result result = Programs.run(List.of("sbatch", "--parsable"), unset, script, LIMIT);
    String id = result.output().strip();
    if (result.exitCode() != 0 || id.isEmpty()) {
      throw Failure.slurm(
          "sbatch refused the job: " + messages(result.error()),
          "change the option that it names; 'hpcrun submit --dry-run' shows the script");
    }
    return id;
  }

  /** The job's state; empty when slurmctld has forgotten it. */
  public Optional<JobStatus> job(String id) {
    Programs.Result result =
        Programs.run(List.of("scontrol", "show", "job", id), FORMATS, NO_INPUT, LIMIT);
    if (result.exitCode() != 0) {
      if (result.error().contains("Invalid job id")) {
        return Optional.empty();
      }
      throw unreachable("scontrol show job " + id, result);
    }
    Map<String, String> fields = fields(result.output());
    String[] codes = fields.getOrDefault("ExitCode", "0:0").split(":");
    return Optional.of(
        new JobStatus(
            fields.getOrDefault("JobState", "UNKNOWN"),
            fields.getOrDefault("Reason", "None"),
            Integer.parseInt(codes[0]),
            Integer.parseInt(codes[1]),
            fields.getOrDefault("StdOut", ""),
            fields.getOrDefault("StdErr", "")));
  }

  /**
   * When the job was submitted, eligible and started, in epoch seconds, from accounting; keys
   * {@code submit_s}, {@code eligible_s}, {@code start_s}. Empty when there is no accounting or it
   * does not know the job.
   */
  public Map<String, Long> accountedTimes(String id) {
    Map<String, Long> times = new HashMap<>();
    Programs.Result result =
        Programs.run(
            List.of(
                "env",
                "SLURM_TIME_FORMAT=%s",
                "sacct",
                "-n",
                "-P",
                "-X",
                "-j",
                id,
                "-o",
                "Submit,Eligible,Start"),
            Set.of(),
            NO_INPUT,
            LIMIT);
    List<String> values = List.of(result.output().lines().findFirst().orElse("").split("\\|"));
    if (result.exitCode() == 0 && values.size() == 3) {
      List<String> names = List.of("submit_s", "eligible_s", "start_s");
      for (int i = 0; i < 3; i++) {
        if (JOB_ID.matcher(values.get(i)).matches()) {
          times.put(names.get(i), Long.parseLong(values.get(i)));
        }
      }
    }
    return times;
  }

  /** Cancels a job. */
  public void cancel(String id) {
    ask(List.of("scancel", id));
  }

  private static Programs.Result ask(List<String> command) {
    Programs.Result result = Programs.run(command, FORMATS, NO_INPUT, LIMIT);
    if (result.exitCode() != 0) {
      throw unreachable(String.join(" ", command), result);
    }
    return result;
  }

  private static Failure unreachable(String command, Programs.Result result) {
    return Failure.slurm(
        "Slurm did not answer '" + command + "': " + messages(result.error()),
        "check with 'sinfo' whether the cluster is up; nothing was changed");
  }

  /** Slurm's messages in one line, without the "sbatch: error:" before each. */
  private static String messages(String error) {
    return error
        .lines()
        .map(line -> line.replaceFirst("^[a-z]+: (error|fatal): ", ""))
        .map(line -> line.replaceFirst("^[a-z]+: ", ""))
        .filter(line -> !line.isBlank())
        .distinct()
        .collect(Collectors.joining("; "));
  }

  /**
   * The fields of {@code scontrol show job}: several in a line, except for the file names, which
   * have a line each. The first line is left out: it holds the job's name, which may look like
   * anything.
   */
  private static Map<String, String> fields(String output) {
    Map<String, String> fields = new HashMap<>();
    output
        .lines()
        .skip(1)
        .map(String::strip)
        .takeWhile(line -> !line.startsWith("JobId="))
        .forEach(
            line -> {
              boolean file = line.startsWith("Std");
              for (String field : file ? new String[] {line} : line.split(" ")) {
                int equals = field.indexOf('=');
                if (equals > 0) {
                  fields.putIfAbsent(field.substring(0, equals), field.substring(equals + 1));
                }
              }
            });
    return fields;
  }
}
