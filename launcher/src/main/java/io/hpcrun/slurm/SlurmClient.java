package io.hpcrun.slurm;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.cluster.NodeType;
import io.hpcrun.cluster.Partition;
import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks Slurm through its own commands, as the user, with a time limit on each. */
public final class SlurmClient {
  private static final Logger LOG = LoggerFactory.getLogger(SlurmClient.class);

  private final JobStates states = new JobStateClient();

  /** {@code scontrol show config}, parsed; also the test whether slurmctld answers. */
  public Map<String, String> config() {
    return ClusterFacts.parseConfig(
        SlurmCommands.ask(List.of("scontrol", "show", "config")).output());
  }

  /** The plug-ins of {@code srun --mpi=list}, which prints them on standard error. */
  public List<String> mpiPlugins() {
    Programs.Result result = SlurmCommands.ask(List.of("srun", "--mpi=list"));
    return ClusterFacts.parseMpiList(result.error() + result.output());
  }

  /** Partitions and their nodes, those that are alike together. */
  public List<NodeType> nodeTypes() {
    return NodeType.parse(
        SlurmCommands.ask(List.of("sinfo", "--noheader", "--exact", "--format=" + NodeType.FORMAT))
            .output());
  }

  /** Partitions with their nodes and limits. */
  public List<Partition> partitions() {
    return Partition.parse(
        SlurmCommands.ask(List.of("scontrol", "--oneliner", "show", "partition")).output(),
        nodeTypes());
  }

  /**
   * The names of all partitions, hidden ones among them.
   *
   * @throws io.hpcrun.failure.Failure with exit code 4 when Slurm does not answer
   */
  public Set<String> partitionNames() {
    return Partition.parse(
            SlurmCommands.ask(List.of("scontrol", "--all", "--oneliner", "show", "partition"))
                .output(),
            List.of())
        .stream()
        .map(Partition::name)
        .collect(Collectors.toSet());
  }

  /** Whether there is a partition of this name; where Slurm does not say, there may be. */
  public boolean hasPartition(String name) {
    return !SlurmCommands.run(List.of("scontrol", "--all", "show", "partition", name))
        .error()
        .contains("not found");
  }

  /**
   * Submits a script.
   *
   * @param script the batch script, given to sbatch on standard input
   * @param changes variables that sbatch must not see because they would override the script, and
   *     what else is to be other than here
   * @return {@code JOBID}, or {@code JOBID;CLUSTER}, as {@code sbatch --parsable} prints it
   * @throws Failure with exit code 4 and sbatch's own words when it refuses
   */
  public String submit(byte[] script, Programs.Changes changes) {
    Programs.Result result =
        Programs.run(List.of("sbatch", "--parsable"), changes, script, SlurmCommands.LIMIT);
    return SlurmCommands.submitted(result.exitCode(), result.output(), result.error());
  }

  /** The job's state; empty when slurmctld has forgotten it. */
  public Optional<JobStatus> job(String id) {
    Programs.Result result = SlurmCommands.run(List.of("scontrol", "show", "job", id));
    if (result.exitCode() != 0) {
      if (result.error().contains("Invalid job id")) {
        return Optional.empty();
      }
      throw SlurmCommands.unanswered("scontrol show job " + id, result);
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
   * When the job was last submitted, eligible and started, in epoch seconds, from accounting; keys
   * {@code submit_s}, {@code eligible_s}, {@code start_s}. Empty when there is no accounting, or it
   * does not answer or know the job: it is a second source.
   */
  public Map<String, Long> accountedTimes(String id) {
    Map<String, Long> times = new HashMap<>();
    List<JobId> jobs = JobId.parse(id).stream().toList();
    if (jobs.isEmpty()) {
      return times;
    }
    try {
      for (JobState run : states.accounted("", jobs).orElse(List.of())) {
        if (jobs.getFirst().isAnsweredBy(run.job())) {
          times.clear();
          run.times().submit().ifPresent(seconds -> times.put("submit_s", seconds));
          run.times().eligible().ifPresent(seconds -> times.put("eligible_s", seconds));
          run.times().start().ifPresent(seconds -> times.put("start_s", seconds));
        }
      }
    } catch (Failure noAnswer) {
      LOG.debug("accounting does not answer", noAnswer);
    }
    return times;
  }

  /** Cancels a job. */
  public void cancel(String id) {
    SlurmCommands.ask(List.of("scancel", id));
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
