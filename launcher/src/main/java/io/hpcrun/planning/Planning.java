package io.hpcrun.planning;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.UserCache;
import io.hpcrun.policy.Policy;
import io.hpcrun.slurm.SlurmClient;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Who plans for the command: the site's daemon if there is one, this process otherwise. When the
 * daemon fails once, it is said, and this process does all that follows.
 */
public final class Planning {
  /** Milliseconds that a command waits for the daemon, in all. */
  private static final String LIMIT_VARIABLE = "HPCRUN_DAEMON_WAIT";

  /** A daemon that hangs costs a command no more than this. */
  private static final Duration LIMIT = Duration.ofMillis(180);

  private final LocalPlanning local;
  private final Consumer<String> notice;
  private final Supplier<Policy> policy;
  private DaemonPlanning daemon;

  /**
   * Finds the daemon, without talking to it yet.
   *
   * @param slurm asked where there is no daemon
   * @param environment the user's variables
   * @param notice takes one sentence, if the daemon cannot be used
   * @param policy the site's, read only if this process plans
   */
  public Planning(
      SlurmClient slurm,
      Map<String, String> environment,
      Consumer<String> notice,
      Supplier<Policy> policy) {
    this(slurm, environment, notice, policy, limit(environment));
  }

  /** The same with another limit for all answers of the daemon together. */
  public Planning(
      SlurmClient slurm,
      Map<String, String> environment,
      Consumer<String> notice,
      Supplier<Policy> policy,
      Duration limit) {
    this.policy = policy;
    this.local = new LocalPlanning(slurm, new UserCache(environment));
    this.notice = notice;
    this.daemon =
        DaemonSocket.of(environment).map(socket -> new DaemonPlanning(socket, limit)).orElse(null);
  }

  private static Duration limit(Map<String, String> environment) {
    String given = environment.getOrDefault(LIMIT_VARIABLE, "");
    if (given.isEmpty()) {
      return LIMIT;
    }
    if (!given.matches("[1-9]\\d{0,5}")) {
      throw Failure.usage(
          LIMIT_VARIABLE + "=" + given + " is not a number of milliseconds",
          "give 1 to 999999, or leave it unset for " + LIMIT.toMillis());
    }
    return Duration.ofMillis(Long.parseLong(given));
  }

  /** What the cluster offers. */
  public ClusterFacts cluster() {
    return ask(DaemonPlanning::cluster, LocalPlanning::cluster);
  }

  /** Decisions and job script of a launch. */
  public PlanAnswer plan(PlanRequest request) {
    return ask(daemon -> daemon.plan(request), local -> PlanAnswer.to(request, policy.get()));
  }

  private <T> T ask(Function<DaemonPlanning, T> there, Function<LocalPlanning, T> here) {
    if (daemon != null) {
      try {
        return there.apply(daemon);
      } catch (DaemonUnavailable unavailable) {
        daemon = null;
        notice.accept(unavailable.getMessage());
      }
    }
    return here.apply(local);
  }
}
