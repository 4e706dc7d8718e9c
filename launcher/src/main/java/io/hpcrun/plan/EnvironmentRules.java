package io.hpcrun.plan;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.EnvironmentRule;
import io.hpcrun.spec.EnvironmentRule.Fate;
import io.hpcrun.spec.EnvironmentRule.Kind;
import io.hpcrun.spec.EnvironmentRule.Place;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SecretNames;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What becomes of each variable of the caller's environment: a table, of which the first row that
 * fits counts, at the submission and again before the ranks. What fits no row passes.
 */
public final class EnvironmentRules {
  /** What {@code --clean-env} lets pass. */
  static final Set<Kind> CLEAN =
      EnumSet.of(Kind.SLURM, Kind.PMI, Kind.GPU, Kind.FABRIC, Kind.SITE, Kind.BASE);

  /** Without these no step of the job starts. */
  private static final List<String> NEEDED = List.of("PATH", "HOME", "SLURM_JOB_ID", "SLURM_CONF");

  private static final String SRUN_MAN = "srun(1), INPUT ENVIRONMENT VARIABLES";
  private static final String BUILT_IN = "built-in";

  private static final String[] OF_A_STEP = {
    "PMI_FD",
    "PMI_JOBID",
    "PMI_ID",
    "PMI_RANK",
    "PMI_SIZE",
    "PMI_SPAWNED",
    "PMI_PORT",
    "PMI_LOCAL_RANK",
    "PMI_LOCAL_SIZE",
    "PMI_UNIVERSE_SIZE",
    "PMI_SHARED_SECRET",
    "PMI_CONTROL_PORT",
    "PMIX_NAMESPACE",
    "PMIX_RANK",
    "PMIX_SERVER_*",
    "PMIX_SYSTEM_TMPDIR",
    "PMIX_NSDIR",
    "PMIX_TMPDIR",
    "PMIX_SECURITY_MODE",
    "PMIX_PTL_MODULE",
    "PMIX_BFROP_BUFFER_TYPE",
    "PMIX_GDS_MODULE",
    "PMIX_HOSTNAME",
    "PMIX_VERSION",
    "PALS_*",
    "OMPI_COMM_WORLD_*",
    "SLURM_PMIX_MAPPING_SERV",
    "SLURM_PMIXP_ABORT_AGENT_PORT",
    "SLURM_PMI2_*"
  };

  /** The rows for all launches, in the order in which they are applied. */
  static final List<EnvironmentRule> ROWS =
      all(
          // ---- what sbatch does not get
          rows(
              Kind.PMI,
              Place.SUBMISSION,
              Fate.DROP,
              "wires the ranks of another step",
              "openpmix, src/server/pmix_server.c; Slurm, src/plugins/mpi",
              OF_A_STEP),
          rows(
              Kind.SLURM,
              Place.SUBMISSION,
              Fate.PASS,
              "says how Slurm's commands are to work, and describes no job",
              "sbatch(1) and " + SRUN_MAN,
              "SLURM_CONF",
              "SLURM_CONF_SERVER",
              "SLURM_CLUSTERS",
              "SLURM_JWT",
              "SLURM_TIME_FORMAT",
              "SLURM_DEBUG*",
              "SLURM_EXIT_*",
              "SLURM_LABELIO",
              "SLURM_UNBUFFEREDIO",
              "SLURM_KILL_BAD_EXIT",
              "SLURM_WAIT",
              "SLURM_TASK_PROLOG",
              "SLURM_TASK_EPILOG",
              "SLURM_PMIX_*",
              "SLURM_SPANK_*"),
          rows(
              Kind.SLURM,
              Place.SUBMISSION,
              Fate.DROP,
              "describes another job; sbatch would hand it on, and srun would do as it says",
              SRUN_MAN + "; seen with 24.11: SLURM_NTASKS, SLURM_GPUS, SLURM_ARRAY_TASK_ID",
              "SLURM_*",
              "SLURMD_*"),
          rows(
              Kind.SLURM,
              Place.SUBMISSION,
              Fate.DROP,
              "would win over what the script says of the ranks' step; --srun=OPTION says it"
                  + " where it can be seen",
              SRUN_MAN,
              "SRUN_*"),
          rows(
              Kind.SITE,
              Place.SUBMISSION,
              Fate.DROP,
              "hpcrun's own way to the ranks",
              BUILT_IN,
              "HPCRUN_ENV_*",
              "HPCRUN_KEPT_*",
              "HPCRUN_ALONE_*",
              "HPCRUN_NODE_DIRECTORY"),
          // ---- what the ranks do not get
          rows(
              Kind.SESSION,
              Place.RANKS,
              Fate.DROP,
              "a bus and a directory of the login machine; Apptainer would use them",
              "apptainer/apptainer#3607; XDG Base Directory Specification",
              "DBUS_SESSION_BUS_*",
              "DBUS_STARTER_*",
              "XDG_RUNTIME_DIR"),
          rows(
              Kind.SESSION,
              Place.RANKS,
              Fate.DROP,
              "describes the session on the login machine",
              "pam_systemd(8); systemd.exec(5)",
              "XDG_SESSION_*",
              "XDG_SEAT*",
              "XDG_VTNR",
              "SESSION_MANAGER",
              "INVOCATION_ID",
              "JOURNAL_STREAM",
              "NOTIFY_SOCKET",
              "LISTEN_FDS",
              "LISTEN_FDNAMES",
              "LISTEN_PID",
              "MANAGERPID",
              "SYSTEMD_EXEC_PID"),
          rows(
              Kind.SESSION,
              Place.RANKS,
              Fate.DROP,
              "belongs to the connection to the login machine",
              "ssh(1), ssh-agent(1), gpg-agent(1)",
              "SSH_*",
              "GPG_AGENT_INFO",
              "GPG_TTY",
              "GNOME_KEYRING_*"),
          rows(
              Kind.SESSION,
              Place.RANKS,
              Fate.DROP,
              "belongs to a terminal on the login machine",
              "tmux(1), screen(1), Visual Studio Code's terminal",
              "TMUX",
              "TMUX_PANE",
              "STY",
              "WINDOW",
              "WINDOWID",
              "VSCODE_*"),
          rows(
              Kind.SESSION,
              Place.RANKS,
              Fate.DROP,
              "the name of the login machine",
              "bash(1): it keeps the one that it is given",
              "HOST",
              "HOSTNAME"),
          rows(
              Kind.PMI,
              Place.RANKS,
              Fate.DROP,
              "of another step; the launch's own step sets its own",
              "openpmix, src/server/pmix_server.c; Slurm, src/plugins/mpi",
              OF_A_STEP),
          // ---- what they get
          rows(
              Kind.SLURM,
              Place.RANKS,
              Fate.PASS,
              "Slurm's own",
              "sbatch(1), OUTPUT ENVIRONMENT VARIABLES",
              "SLURM_*",
              "SLURMD_*",
              "_SLURM_*",
              "SBATCH_*",
              "SRUN_*",
              "SALLOC_*",
              "SPANK_*"),
          rows(
              Kind.PMI,
              Place.RANKS,
              Fate.PASS,
              "says how ranks find each other, and what their MPI does",
              "docs/mpi.md",
              "PMI_*",
              "PMIX_*",
              "OMPI_*",
              "OPAL_*",
              "PRTE_*",
              "MPICH_*",
              "MPIR_*",
              "HYDRA_*",
              "I_MPI_*",
              "MV2_*",
              "MVP_*"),
          rows(
              Kind.GPU,
              Place.RANKS,
              Fate.PASS,
              "says which GPUs are used, and how",
              "Slurm, doc/html/gres.shtml; docs/gpu-network.md",
              "CUDA_*",
              "NVIDIA_*",
              "ROCR_*",
              "HIP_*",
              "HSA_*",
              "AMD_*",
              "GPU_*",
              "ZE_*",
              "ONEAPI_DEVICE_SELECTOR",
              "SYCL_*"),
          rows(
              Kind.FABRIC,
              Place.RANKS,
              Fate.PASS,
              "says which network is used, and how",
              "docs/gpu-network.md",
              "UCX_*",
              "FI_*",
              "NCCL_*",
              "RCCL_*",
              "UCC_*",
              "IBV_*",
              "RDMAV_*",
              "MLX4_*",
              "MLX5_*",
              "PSM2_*",
              "PSM3_*",
              "HFI_*",
              "SLINGSHOT_*",
              "GLOO_*"),
          rows(
              Kind.SITE,
              Place.RANKS,
              Fate.PASS,
              "set by the site's modules: the way out of its network, the container's runtime",
              "apptainer-userdocs, environment_and_metadata.rst",
              "*_proxy",
              "*_PROXY",
              "APPTAINER*",
              "SINGULARITY*",
              "HPCRUN_*"),
          rows(
              Kind.BASE,
              Place.RANKS,
              Fate.PASS,
              "the user, the search path, language, time zone and terminal",
              "environ(7)",
              "HOME",
              "USER",
              "LOGNAME",
              "SHELL",
              "PATH",
              "LD_LIBRARY_PATH",
              "PWD",
              "TMPDIR",
              "LANG",
              "LANGUAGE",
              "LC_*",
              "TZ",
              "TERM"),
          rows(
              Kind.SECRET,
              Place.RANKS,
              Fate.PASS,
              "looks like a password or a key: its value is never shown",
              BUILT_IN,
              SecretNames.patterns().toArray(String[]::new)),
          rows(
              Kind.USER,
              Place.RANKS,
              Fate.PASS,
              "all others pass, as under plain apptainer exec",
              BUILT_IN,
              "*"));

  /** Rows that go before those, for launches that are jobs of their own. */
  static final List<EnvironmentRule> ROWS_OF_JOBS =
      rows(
          Kind.SLURM,
          Place.RANKS,
          Fate.DROP,
          "would win over what the script says of the ranks' step; nothing between sbatch and this"
              + " step has set it",
          SRUN_MAN,
          "SRUN_*");

  /** Rows that go before those, but for shells at a terminal. */
  static final List<EnvironmentRule> ROWS_WITHOUT_TERMINAL =
      rows(
          Kind.SESSION,
          Place.RANKS,
          Fate.DROP,
          "a display of the login machine, but for hpcrun shell",
          "X(7), ssh(1)",
          "DISPLAY",
          "WAYLAND_DISPLAY",
          "XAUTHORITY");

  private final List<EnvironmentRule> atSubmission = new ArrayList<>();
  private final List<EnvironmentRule> beforeRanks = new ArrayList<>();
  private final boolean clean;

  /**
   * The rules for a launch: the site's, then the built-in ones.
   *
   * @throws Failure with exit code 2 when a rule of the site's has no pattern of names, or would
   *     take away what every step needs
   */
  public EnvironmentRules(LaunchSpec spec) {
    this.clean = spec.container().choice().clean();
    for (EnvironmentRule rule : spec.container().choice().rules()) {
      add(checked(rule));
    }
    if (spec.kind() == LaunchSpec.Kind.JOB) {
      beforeRanks.addAll(ROWS_OF_JOBS);
    }
    if (!spec.srun().contains("--pty")) {
      beforeRanks.addAll(ROWS_WITHOUT_TERMINAL);
    }
    for (EnvironmentRule rule : ROWS) {
      add(rule);
    }
  }

  private void add(EnvironmentRule rule) {
    (rule.place() == Place.RANKS ? beforeRanks : atSubmission).add(rule);
  }

  private static List<EnvironmentRule> rows(
      Kind kind, Place place, Fate fate, String reason, String source, String... patterns) {
    List<EnvironmentRule> rows = new ArrayList<>();
    for (String pattern : patterns) {
      rows.add(new EnvironmentRule(pattern, kind, place, fate, reason, source));
    }
    return rows;
  }

  @SafeVarargs
  private static List<EnvironmentRule> all(List<EnvironmentRule>... parts) {
    List<EnvironmentRule> all = new ArrayList<>();
    for (List<EnvironmentRule> part : parts) {
      all.addAll(part);
    }
    return List.copyOf(all);
  }

  private static EnvironmentRule checked(EnvironmentRule rule) {
    if (!rule.isValid()) {
      throw Failure.usage(
          "%s: '%s' is not a pattern of variables' names".formatted(rule.source(), rule.pattern()),
          "use letters, digits and _, and * for any of them");
    }
    if (rule.fate() == Fate.DROP && NEEDED.stream().anyMatch(rule::fits)) {
      throw Failure.usage(
          "%s: %s would take away what every step needs, such as %s"
              .formatted(
                  rule.source(),
                  rule.pattern(),
                  NEEDED.stream().filter(rule::fits).findFirst().orElseThrow()),
          "write a narrower pattern");
    }
    return rule;
  }

  /**
   * The rule for a variable at a place.
   *
   * @return with {@code --clean-env} one that says so, if that takes it away
   */
  public EnvironmentRule of(String name, Place place) {
    EnvironmentRule found = first(name, place);
    return place == Place.RANKS && isDroppedAsUnclean(found)
        ? new EnvironmentRule(
            found.pattern(),
            found.kind(),
            place,
            Fate.DROP,
            "only variables of Slurm, MPI, GPUs, network and site pass, and those that you name",
            "option --clean-env")
        : found;
  }

  /** A loop, because a submission asks about each variable, and Java is slow when it starts. */
  private EnvironmentRule first(String name, Place place) {
    for (EnvironmentRule rule : place == Place.RANKS ? beforeRanks : atSubmission) {
      if (rule.fits(name) && !isHarmless(rule, name)) {
        return rule;
      }
    }
    return new EnvironmentRule("*", Kind.USER, place, Fate.PASS, "all others pass", BUILT_IN);
  }

  private boolean isDroppedAsUnclean(EnvironmentRule rule) {
    return clean && rule.fate() == Fate.PASS && !CLEAN.contains(rule.kind());
  }

  /**
   * Whether the value of a variable of this name must not be seen.
   *
   * @param more the site's rules
   */
  public static boolean isSecret(String name, List<EnvironmentRule> more) {
    if (SecretNames.isVariable(name)) {
      return true;
    }
    for (EnvironmentRule rule : more) {
      if (rule.kind() == Kind.SECRET && rule.fits(name)) {
        return true;
      }
    }
    return false;
  }

  /** Some names fit a pattern of secrets and are none. */
  private static boolean isHarmless(EnvironmentRule rule, String name) {
    return rule.kind() == Kind.SECRET
        && rule.source().equals(BUILT_IN)
        && !SecretNames.isVariable(name);
  }

  /**
   * The rules for the ranks, as the job script has them: words {@code -PATTERN|...} and {@code
   * +PATTERN|...}, of which the first that fits counts; what fits none stays. Neighbours that say
   * the same for the same reason are one word.
   */
  List<String> words() {
    List<StringBuilder> words = new ArrayList<>();
    String reason = "";
    for (EnvironmentRule rule : beforeRanks) {
      char sign = rule.fate() == Fate.DROP || isDroppedAsUnclean(rule) ? '-' : '+';
      if (rule.reason().equals(reason) && words.getLast().charAt(0) == sign) {
        words.getLast().append('|').append(glob(rule));
      } else {
        words.add(new StringBuilder().append(sign).append(glob(rule)));
      }
      reason = rule.reason();
    }
    // What the last rule, for all names, says anyway.
    char last = clean ? '-' : '+';
    while (!words.isEmpty() && words.getLast().charAt(0) == last) {
      words.removeLast();
    }
    List<String> needed = new ArrayList<>();
    for (StringBuilder word : words) {
      needed.add(word.toString());
    }
    if (clean) {
      needed.add("-*");
    }
    return needed;
  }

  /** Bash compares names as they are written. */
  private static String glob(EnvironmentRule rule) {
    if (rule.kind() != Kind.SECRET) {
      return rule.pattern();
    }
    StringBuilder glob = new StringBuilder();
    for (char c : rule.pattern().toCharArray()) {
      glob.append(
          Character.isLetter(c)
              ? "[" + Character.toUpperCase(c) + Character.toLowerCase(c) + "]"
              : String.valueOf(c));
    }
    return glob.toString();
  }
}
