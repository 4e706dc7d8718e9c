package io.hpcrun.slurm;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.process.Programs;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Asks squeue and sacct for the states of jobs, for many jobs with each command, up to {@value
 * #AT_ONCE}: a list of that length stays far below the kernel's 128 KiB for an argument, and an
 * answer far below what {@link Programs} keeps.
 *
 * <p>The answers are text with a bar between fields. Slurm's JSON would have to be read in a form
 * for each version: there is none for squeue and sacct before 21.08, 22.05 ignores filters there, a
 * state is a string up to 23.02 and a list from 23.11 on, and numbers became objects in between;
 * the plug-in that writes it is a package of its own. The fields asked for here have been the same
 * from 22.05 to 26.05, and no user can put a bar or a line break into one of them; job names,
 * comments and paths are not asked for.
 */
public final class JobStateClient implements JobStates {
  /** How many jobs one command asks for. */
  static final int AT_ONCE = 1000;

  private static final String DISABLED = "accounting storage is disabled";
  private static final String NO_SUCH_JOB = "Invalid job id";

  private final Function<List<String>, Optional<Programs.Result>> commands;
  private String ownCluster;

  /** Asks the Slurm of this machine, as this process's user. */
  public JobStateClient() {
    this(SlurmCommands::runIfInstalled);
  }

  /**
   * Asks by other means.
   *
   * @param commands runs a command, program first; empty when there is no such program
   */
  public JobStateClient(Function<List<String>, Optional<Programs.Result>> commands) {
    this.commands = commands;
  }

  @Override
  public List<JobState> queued(String cluster, Collection<JobId> jobs) {
    List<JobState> states = new ArrayList<>();
    for (String some : lists(jobs)) {
      List<String> command = command(cluster, "squeue", "--noheader", "--states=all");
      command.add("--Format=" + JobStateText.SQUEUE_FIELDS);
      command.add("--jobs=" + some);
      Programs.Result result =
          commands.apply(command).orElseThrow(() -> SlurmCommands.missing("squeue"));
      // Only where it is asked for a single job does squeue mind that there is none.
      if (result.exitCode() != 0 && !result.error().contains(NO_SUCH_JOB)) {
        throw SlurmCommands.unanswered("squeue", result);
      }
      states.addAll(JobStateText.ofSqueue(result.output()));
    }
    return states;
  }

  @Override
  public Optional<List<JobState>> accounted(String cluster, Collection<JobId> jobs) {
    List<JobState> states = new ArrayList<>();
    for (String some : lists(jobs)) {
      List<String> command =
          command(cluster, "sacct", "--noheader", "--parsable2", "--allocations", "--duplicates");
      command.add("--allusers");
      command.add("--format=" + JobStateText.SACCT_FIELDS);
      command.add("--jobs=" + some);
      Optional<Programs.Result> result = commands.apply(command);
      if (result.isEmpty() || result.get().error().contains(DISABLED)) {
        return Optional.empty();
      }
      if (result.get().exitCode() != 0) {
        throw SlurmCommands.unanswered("sacct", result.get());
      }
      states.addAll(JobStateText.ofSacct(result.get().output()));
    }
    states.sort(JobState.BY_START);
    return Optional.of(states);
  }

  /** The jobs as comma-separated lists of bounded length. */
  private static List<String> lists(Collection<JobId> jobs) {
    List<String> all = jobs.stream().map(JobId::asked).distinct().toList();
    List<String> lists = new ArrayList<>();
    for (int from = 0; from < all.size(); from += AT_ONCE) {
      lists.add(String.join(",", all.subList(from, Math.min(all.size(), from + AT_ONCE))));
    }
    return lists;
  }

  private List<String> command(String cluster, String... words) {
    // Epoch seconds in both, whatever the time zone.
    List<String> command = new ArrayList<>(List.of("env", "SLURM_TIME_FORMAT=%s"));
    command.addAll(List.of(words));
    // The option makes Slurm look in accounting for the way to the cluster, even to its own.
    if (!cluster.isEmpty() && !cluster.equals(ownCluster())) {
      command.add("--clusters=" + cluster);
    }
    return command;
  }

  private synchronized String ownCluster() {
    if (ownCluster == null) {
      Programs.Result result =
          commands
              .apply(List.of("scontrol", "show", "config"))
              .orElseThrow(() -> SlurmCommands.missing("scontrol"));
      if (result.exitCode() != 0) {
        throw SlurmCommands.unanswered("scontrol show config", result);
      }
      ownCluster = ClusterFacts.parseConfig(result.output()).getOrDefault("ClusterName", "");
    }
    return ownCluster;
  }
}
