package io.hpcrun.policy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What slurmctld takes in the partitions for containers.
 *
 * @param partitions which these are
 * @param reason why other jobs are refused there, for the user: one sentence
 * @param contact who can be asked
 * @param interactive whether it takes jobs without a script (srun, salloc), in which a user may
 *     start anything
 * @param userScripts whether it takes users' own scripts ({@code #HPCRUN}), which may start
 *     anything, too
 * @param srun options of the ranks' srun beside hpcrun's own, each with its value
 * @param environment variables of the job and what each part of them, between colons, may be; those
 *     without a glob may not be set
 */
public record Enforcement(
    List<Glob> partitions,
    String reason,
    String contact,
    boolean interactive,
    boolean userScripts,
    List<Glob> srun,
    Map<String, List<Glob>> environment) {

  /** Options that do no harm; others could start programs beside the container. */
  static final List<Glob> SRUN =
      List.of(
              "--cpu-bind=*",
              "--distribution=*",
              "--gpu-bind=*",
              "--hint=*",
              "--kill-on-bad-exit*",
              "--label",
              "--mem-bind=*",
              "--ntasks-per-*",
              "--threads-per-core=*",
              "--unbuffered",
              "--wait=*")
          .stream()
          .map(Glob::new)
          .toList();

  /** Where Slurm's own configuration is; sbatch itself sets SLURM_CONF to it (24.11). */
  static final List<Glob> SLURM_CONF =
      List.of(new Glob("/etc/slurm*"), new Glob("/run/slurm/*"), new Glob("/var/spool/slurmd/*"));

  /**
   * Options of Apptainer and SingularityCE, as their variables name them, by which the container is
   * made otherwise than the job script says. Those that bind something (BIND, MOUNT, HOME, ...) are
   * facts, or hide facts; those that only take something away (NO_HOME, ...) do no harm.
   */
  private static final List<String> RUNTIME_OPTIONS =
      List.of(
          "ADD_CAPS",
          "ALLOW_SETUID",
          "APP",
          "APPNAME",
          "COMPAT",
          "CONFIG_FILE",
          "CONTAIN",
          "CONTAINALL",
          "CWD",
          "DMTCP_LAUNCH",
          "DMTCP_RESTART",
          "ENV_FILE",
          "FAKEROOT",
          "FUSESPEC",
          "KEEP_PRIVS",
          "NV",
          "NVCCLI",
          "OVERLAY",
          "OVERLAYIMAGE",
          "PWD",
          "ROCM",
          "SECURITY",
          "TARGET_CWD",
          "TARGET_PWD",
          "WRITABLE",
          "WRITABLE_TMPFS");

  /** Variables by which a shell, srun or Apptainer would run what is not in the job script. */
  static final List<String> REFUSED_VARIABLES =
      Stream.concat(
              Stream.of(
                  "GCONV_PATH",
                  "LD_AUDIT",
                  "LD_PRELOAD",
                  "SLURM_CONTAINER",
                  "SLURM_CONTAINER_ID",
                  "SLURM_EPILOG",
                  "SLURM_PROLOG",
                  "SLURM_TASK_EPILOG",
                  "SLURM_TASK_PROLOG",
                  "SRUN_CONTAINER",
                  "SRUN_CONTAINER_ID"),
              RUNTIME_OPTIONS.stream()
                  .flatMap(option -> Stream.of("APPTAINER_" + option, "SINGULARITY_" + option)))
          .toList();

  /** Of the partitions that a launch asks for, one that takes no scripts of users. */
  public Optional<String> closedToScripts(Facts facts) {
    return !userScripts
            && facts.get(Fact.PARTITION.label()) instanceof Value.Texts(List<String> names)
        ? names.stream()
            .filter(name -> partitions.stream().anyMatch(glob -> glob.matches(name)))
            .findFirst()
        : Optional.empty();
  }
}
