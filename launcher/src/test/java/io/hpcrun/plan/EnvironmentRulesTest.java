package io.hpcrun.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentChoice;
import io.hpcrun.spec.EnvironmentRule;
import io.hpcrun.spec.EnvironmentRule.Fate;
import io.hpcrun.spec.EnvironmentRule.Kind;
import io.hpcrun.spec.EnvironmentRule.Place;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.Staging;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentRulesTest {
  @TempDir private Path directory;

  private static final List<EnvironmentRule> NONE = List.of();

  @ParameterizedTest
  @CsvSource({
    // at the submission
    "SUBMISSION, SLURM_NTASKS, SLURM, DROP",
    "SUBMISSION, SLURM_JOB_ID, SLURM, DROP",
    "SUBMISSION, SLURM_ARRAY_TASK_ID, SLURM, DROP",
    "SUBMISSION, SLURM_PMIX_MAPPING_SERV, PMI, DROP",
    "SUBMISSION, SLURMD_NODENAME, SLURM, DROP",
    "SUBMISSION, SLURM_CONF, SLURM, PASS",
    "SUBMISSION, SLURM_JWT, SLURM, PASS",
    "SUBMISSION, SLURM_LABELIO, SLURM, PASS",
    "SUBMISSION, SLURM_PMIX_TMPDIR, SLURM, PASS",
    "SUBMISSION, SRUN_CPUS_PER_TASK, SLURM, DROP",
    "SUBMISSION, SBATCH_PARTITION, USER, PASS",
    "SUBMISSION, PMI_RANK, PMI, DROP",
    "SUBMISSION, PMIX_NAMESPACE, PMI, DROP",
    "SUBMISSION, HPCRUN_ENV_X, SITE, DROP",
    "SUBMISSION, HPCRUN_SPOOL, USER, PASS",
    "SUBMISSION, DBUS_SESSION_BUS_ADDRESS, USER, PASS",
    // before the ranks
    "RANKS, DBUS_SESSION_BUS_ADDRESS, SESSION, DROP",
    "RANKS, XDG_RUNTIME_DIR, SESSION, DROP",
    "RANKS, XDG_SESSION_ID, SESSION, DROP",
    "RANKS, XDG_SEAT, SESSION, DROP",
    "RANKS, XDG_CONFIG_HOME, USER, PASS",
    "RANKS, SSH_AUTH_SOCK, SESSION, DROP",
    "RANKS, SSH_CONNECTION, SESSION, DROP",
    "RANKS, GPG_TTY, SESSION, DROP",
    "RANKS, TMUX, SESSION, DROP",
    "RANKS, STY, SESSION, DROP",
    "RANKS, VSCODE_IPC_HOOK_CLI, SESSION, DROP",
    "RANKS, DISPLAY, SESSION, DROP",
    "RANKS, WAYLAND_DISPLAY, SESSION, DROP",
    "RANKS, XAUTHORITY, SESSION, DROP",
    "RANKS, HOSTNAME, SESSION, DROP",
    "RANKS, INVOCATION_ID, SESSION, DROP",
    "RANKS, SRUN_CPUS_PER_TASK, SLURM, DROP",
    "RANKS, SLURM_NTASKS, SLURM, PASS",
    "RANKS, SLURMD_NODENAME, SLURM, PASS",
    "RANKS, SBATCH_PARTITION, SLURM, PASS",
    "RANKS, PMIX_RANK, PMI, DROP",
    "RANKS, PMIX_SERVER_URI41, PMI, DROP",
    "RANKS, PMI_FD, PMI, DROP",
    "RANKS, PALS_RANKID, PMI, DROP",
    "RANKS, OMPI_COMM_WORLD_RANK, PMI, DROP",
    "RANKS, PMIX_MCA_gds, PMI, PASS",
    "RANKS, PMI_DEBUG, PMI, PASS",
    "RANKS, OMPI_MCA_btl, PMI, PASS",
    "RANKS, I_MPI_DEBUG, PMI, PASS",
    "RANKS, MPICH_OFI_VERBOSE, PMI, PASS",
    "RANKS, CUDA_VISIBLE_DEVICES, GPU, PASS",
    "RANKS, ROCR_VISIBLE_DEVICES, GPU, PASS",
    "RANKS, ZE_AFFINITY_MASK, GPU, PASS",
    "RANKS, UCX_TLS, FABRIC, PASS",
    "RANKS, NCCL_DEBUG, FABRIC, PASS",
    "RANKS, FI_PROVIDER, FABRIC, PASS",
    "RANKS, https_proxy, SITE, PASS",
    "RANKS, HTTPS_PROXY, SITE, PASS",
    "RANKS, APPTAINERENV_X, SITE, PASS",
    "RANKS, SINGULARITY_BIND, SITE, PASS",
    "RANKS, PATH, BASE, PASS",
    "RANKS, LC_NUMERIC, BASE, PASS",
    "RANKS, HF_TOKEN, SECRET, PASS",
    "RANKS, my_password, SECRET, PASS",
    "RANKS, EDITOR, USER, PASS",
    "RANKS, BASH_FUNC_module%%, USER, PASS",
  })
  void eachVariableHasItsRule(Place place, String name, Kind kind, Fate fate) {
    EnvironmentRule rule = rules(NONE, false).of(name, place);
    assertThat(rule).extracting(EnvironmentRule::kind).isEqualTo(kind);
    assertThat(rule).extracting(EnvironmentRule::fate).isEqualTo(fate);
    assertThat(rule.reason()).isNotEmpty();
    assertThat(rule.source()).isNotEmpty();
  }

  private static Stream<EnvironmentRule> rows() {
    return Stream.of(
            EnvironmentRules.ROWS_OF_JOBS,
            EnvironmentRules.ROWS_WITHOUT_TERMINAL,
            EnvironmentRules.ROWS)
        .flatMap(List::stream)
        .sorted(Comparator.comparing(EnvironmentRule::place));
  }

  /** No row is hidden by one before it. */
  @ParameterizedTest
  @MethodSource("rows")
  void eachRowCounts(EnvironmentRule row) {
    String name = row.pattern().replace("*", "Q");
    assertThat(row.isValid()).isTrue();
    LaunchSpec shell = spec(LaunchSpec.Kind.STEP, List.of("--pty"), NONE, false);
    assertThat(List.of(rules(NONE, false), new EnvironmentRules(shell)))
        .extracting(rules -> rules.of(name, row.place()))
        .contains(row);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HF_TOKEN",
        "GITHUB_TOKEN_2",
        "hf_token",
        "MY_SECRET",
        "PGPASSWORD",
        "MYSQL_PASSWD",
        "SSH_PASSPHRASE",
        "DB_PASS",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "WANDB_API_KEY",
        "OPENAI_APIKEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SSE_KEY",
        "TLS_PRIVATE_KEY",
        "SLURM_JWT",
        "DOCKER_AUTH_CONFIG",
        "APPTAINER_DOCKER_PASSWORD",
        "PMI_SHARED_SECRET"
      })
  void secretsAreKnownByTheirNames(String name) {
    assertThat(EnvironmentRules.isSecret(name, NONE)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "TOKENIZERS_PARALLELISM",
        "KEYBOARD",
        "MONKEY",
        "PASSES",
        "COMPASS",
        "AWS_REGION",
        "PATH",
        "SSH_AUTH_SOCK"
      })
  void othersAreNoSecrets(String name) {
    assertThat(EnvironmentRules.isSecret(name, NONE)).isFalse();
  }

  @Test
  void aCleanEnvironmentHasTheWiringAndTheSitesOnly() {
    EnvironmentRules clean = rules(NONE, true);
    for (String name :
        List.of(
            "SLURM_PROCID", "PMIX_MCA_gds", "NVIDIA_X", "UCX_TLS", "https_proxy", "HOME", "USER")) {
      assertThat(clean.of(name, Place.RANKS).fate()).as(name).isEqualTo(Fate.PASS);
    }
    for (String name : List.of("EDITOR", "HF_TOKEN", "PYTHONPATH", "BASH_FUNC_m%%", "TMUX")) {
      assertThat(clean.of(name, Place.RANKS).fate()).as(name).isEqualTo(Fate.DROP);
    }
    assertThat(clean.of("EDITOR", Place.RANKS).source()).isEqualTo("option --clean-env");
    assertThat(clean.of("EDITOR", Place.SUBMISSION).fate()).isEqualTo(Fate.PASS);
  }

  @Test
  void theSitesRulesComeFirst() {
    List<EnvironmentRule> site =
        List.of(
            rule("SITE_LICENCE", Kind.SITE, Fate.DROP),
            rule("SITE_*", Kind.SITE, Fate.PASS),
            rule("DISPLAY", Kind.SITE, Fate.PASS),
            rule("corp_*", Kind.SECRET, Fate.DROP));
    EnvironmentRules rules = rules(site, true);
    assertThat(rules.of("SITE_LICENCE", Place.RANKS).fate()).isEqualTo(Fate.DROP);
    assertThat(rules.of("SITE_X", Place.RANKS).fate()).isEqualTo(Fate.PASS);
    assertThat(rules.of("DISPLAY", Place.RANKS)).isEqualTo(site.get(2));
    assertThat(rules.of("CORP_ID", Place.RANKS)).isEqualTo(site.get(3));
    assertThat(EnvironmentRules.isSecret("Corp_Id", site)).isTrue();
    assertThat(EnvironmentRules.isSecret("Corp_Id", NONE)).isFalse();
    assertThat(rules(site, false).words())
        .startsWith("-SITE_LICENCE", "+SITE_*|DISPLAY", "-[Cc][Oo][Rr][Pp]_*");
  }

  @ParameterizedTest
  @ValueSource(strings = {"P*", "*", "SLURM_*", "HOME", "*H"})
  void aSiteCannotTakeAwayWhatEveryStepNeeds(String pattern) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> rules(List.of(rule(pattern, Kind.SITE, Fate.DROP)), false))
        .withMessageStartingWith("site.yaml: " + pattern + " would take away")
        .matches(failure -> failure.exitCode() == ExitCode.USAGE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A B", "$(id)", "A|B", "[A]", "A-B", "@(A)"})
  void aPatternIsOfNames(String pattern) {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> rules(List.of(rule(pattern, Kind.SITE, Fate.PASS)), false))
        .withMessage("site.yaml: '" + pattern + "' is not a pattern of variables' names");
  }

  @Test
  void aShellAtATerminalKeepsItsDisplay() {
    LaunchSpec shell = spec(LaunchSpec.Kind.STEP, List.of("--pty"), NONE, false);
    assertThat(new EnvironmentRules(shell).of("DISPLAY", Place.RANKS).fate()).isEqualTo(Fate.PASS);
    assertThat(new EnvironmentRules(shell).of("SSH_TTY", Place.RANKS).fate()).isEqualTo(Fate.DROP);
  }

  @Test
  void onlyAJobsOwnStepIsSafeFromSrunsVariables() {
    for (LaunchSpec.Kind kind : List.of(LaunchSpec.Kind.STEP, LaunchSpec.Kind.SCRIPT)) {
      EnvironmentRules rules = new EnvironmentRules(spec(kind, List.of(), NONE, false));
      assertThat(rules.of("SRUN_CPUS_PER_TASK", Place.RANKS).fate()).isEqualTo(Fate.PASS);
    }
  }

  /** The words of the script, applied by bash, say what the rules say. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void bashDecidesAsTheRulesDo(boolean clean) throws Exception {
    List<EnvironmentRule> site =
        List.of(
            rule("SITE_LICENCE", Kind.SITE, Fate.DROP),
            rule("SITE_*", Kind.SITE, Fate.PASS),
            rule("corp_*", Kind.SECRET, Fate.DROP),
            rule("*_MIDDLE_*", Kind.USER, Fate.DROP));
    EnvironmentRules rules = rules(site, clean);
    List<String> names = new ArrayList<>();
    rows().forEach(row -> names.add(row.pattern().replace("*", "Q")));
    rows().forEach(row -> names.add(row.pattern().replace("*", "") + "x"));
    names.addAll(
        List.of("SITE_LICENCE", "SITE_X", "Corp_x", "A_MIDDLE_B", "EDITOR", "odd.dot", "Ä"));
    names.removeIf(name -> name.matches("PATH|PWD|SHLVL|.*%%|_.*"));
    Map<String, Boolean> expected = new LinkedHashMap<>();
    names.forEach(name -> expected.put(name, rules.of(name, Place.RANKS).fate() == Fate.PASS));
    List<String> command = new ArrayList<>(List.of("env", "-i", "PATH=" + System.getenv("PATH")));
    names.forEach(name -> command.add(name + "=1"));
    command.addAll(List.of("bash", "-c", CHOOSE, "bash", agent()));
    command.addAll(rules.words());
    Process bash = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(output).isZero();
    Map<String, Boolean> seen = new LinkedHashMap<>();
    names.forEach(name -> seen.put(name, ("\0" + output).contains("\0" + name + "=1\0")));
    assertThat(seen).isEqualTo(expected).containsValues(true, false);
  }

  private static final String CHOOSE =
      """
      source "$1"
      shift
      hpcrun_choose_environment "$@"
      exec "${hpcrun_without[@]+"${hpcrun_without[@]}"}" env -0
      """;

  private String agent() throws IOException {
    try (InputStream agent =
        EnvironmentRulesTest.class.getResourceAsStream("/io/hpcrun/agent/agent.bash")) {
      return Files.write(directory.resolve("agent.bash"), agent.readAllBytes()).toString();
    }
  }

  /** The table in the documentation is the one that is applied. */
  @Test
  void theDocumentationShowsTheTable() throws IOException {
    Map<String, List<String>> lines = new LinkedHashMap<>();
    rows()
        .forEach(
            row ->
                lines
                    .computeIfAbsent(
                        "%s | %s | %s | %s | %s"
                            .formatted(
                                row.place() == Place.SUBMISSION ? "sbatch" : "ranks",
                                row.kind().label(),
                                row.fate() == Fate.PASS ? "passes" : "dropped",
                                row.reason(),
                                row.source()),
                        key -> new ArrayList<>())
                    .add("`" + row.pattern() + "`"));
    StringBuilder table =
        new StringBuilder(
            "| given to | class | default | because | source | variables |\n"
                + "|---|---|---|---|---|---|\n");
    lines.forEach(
        (line, names) -> table.append("| %s | %s |\n".formatted(line, String.join(" ", names))));
    Path page = Path.of("../docs/environment.md");
    String text = Files.readString(page);
    int from = text.indexOf("| given to | class");
    int to = text.indexOf("\n\n", from) + 1;
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(page, text.substring(0, from) + table + text.substring(to));
    }
    assertThat(Files.readString(page)).contains(table);
  }

  private static EnvironmentRule rule(String pattern, Kind kind, Fate fate) {
    return new EnvironmentRule(pattern, kind, Place.RANKS, fate, "the site says so", "site.yaml");
  }

  private static EnvironmentRules rules(List<EnvironmentRule> site, boolean clean) {
    return new EnvironmentRules(spec(LaunchSpec.Kind.JOB, List.of(), site, clean));
  }

  private static LaunchSpec spec(
      LaunchSpec.Kind kind, List<String> srun, List<EnvironmentRule> site, boolean clean) {
    return new LaunchSpec(
        Path.of("/i.sif"),
        kind,
        List.of(ByteString.of("a")),
        Optional.empty(),
        List.of(),
        List.of(),
        srun,
        new ContainerOptions(
            List.of(),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of(),
            new EnvironmentChoice(List.of(), clean, site)),
        MpiChoice.AUTO,
        FabricChoice.AUTO,
        Mode.AUTO,
        new Staging(Staging.From.AUTO, Optional.empty(), Staging.DEFAULT_LIMIT),
        Path.of("/records"),
        Optional.empty());
  }
}
