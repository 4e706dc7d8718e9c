package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What ranks get of an environment as login nodes have it and worse: the same in all modes, without
 * what belongs to the login, to another job or to another step, and as {@code hpcrun explain env}
 * says; and where secrets are not.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EnvironmentIT {
  private static final JsonMapper JSON = new JsonMapper();

  /** Where ranks leave their environment, as they have it: words that end in NUL. */
  private static final String DIRECTORY = "/home/alice/environment/";

  private static final String WITHOUT_PROGRAM = "/opt/hpcrun-env-without-program";

  /** What must not reach the ranks; and what must, unchanged. */
  private static final String POLLUTED =
      """
      export SBATCH_PARTITION=short SBATCH_TIMELIMIT=3
      export SRUN_CPUS_PER_TASK=64 SRUN_CPU_BIND=none SLURM_NTASKS=9 SLURM_NNODES=7 SLURM_GPUS=4
      export SLURM_JOB_ID=999999 SLURM_ARRAY_JOB_ID=77 SLURM_ARRAY_TASK_ID=8 SLURM_CPUS_PER_TASK=64
      export SLURM_TASKS_PER_NODE='9(x7)' SLURM_DISTRIBUTION=cyclic SLURM_EXPORT_ENV=NONE SLURM_STEP_ID=4
      export PMI_RANK=5 PMI_SIZE=9 PMIX_NAMESPACE=bogus PMIX_RANK=3 PMIX_SERVER_URI41='bogus;tcp4://127.0.0.1:1'
      export OMPI_COMM_WORLD_RANK=5 HPCRUN_ENV_STRAY=stray HPCRUN_NODE_DIRECTORY=/tmp/stray
      export DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1001/bus XDG_RUNTIME_DIR=/run/user/1001
      export XDG_SESSION_ID=3 XDG_SESSION_TYPE=tty SSH_CONNECTION='1.2.3.4 5 6.7.8.9 22' SSH_AUTH_SOCK=/tmp/agent
      export DISPLAY=:10.0 XAUTHORITY=/home/alice/.Xauthority TMUX=/tmp/tmux,1,0 STY=1.pts VSCODE_IPC_HOOK_CLI=/x
      export INVOCATION_ID=0 HOSTNAME=login-of-a-site
      export LINES_=$'one\\ntwo\\n' DOLLAR='$(touch /home/alice/environment/pwned) `id` ${X}' EMPTY= QUOTES="it's \\"q\\""
      export EQUALS='=a=b=' EDGES=' a  b ' XDG_CONFIG_HOME=/home/alice/.config HF_TOKEN='t0ken-of-the-login $(id)'
      export CUDA_CACHE_PATH=/tmp/c UCX_LOG_LEVEL=error https_proxy=http://proxy:3128 TMOUT=99 REPLY=mine
      export name=n code=c state=$'s\\nt' variable=v words=w task=t where=here self=me home=h script=s directory=d
      export said=x image=i mode=m line=l node=n2 options=o file=f
      tool() { echo "$1 \\"quoted\\""; }
      export -f tool
      set -- env odd.dot='1 $(id)' 9odd=2 "$@"
      """;

  /** New in each job, or the mode's own. */
  private static final Pattern OWN =
      Pattern.compile(
          "SLURM_(JOB_?ID|JOB_(START|END)_TIME|STEP_?ID|TASK_PID|SRUN_COMM_PORT|STEP_LAUNCHER_PORT)"
              + "|(APPTAINER|SINGULARITY)_(INSTANCE|SHARENS_MASTER)|UCX_POSIX_USE_PROC_LINK|_");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  @BeforeAll
  void prepare() {
    alice.run("mkdir", "-p", DIRECTORY).succeeded();
    lab.as("root", LabCluster.LOGIN_NODE)
        .bash(
            "rm -rf $1 && cp -as /opt/hpcrun $1 && rm -r $1/libexec"
                + " && cp --remove-destination /opt/hpcrun/bin/hpcrun $1/bin/",
            WITHOUT_PROGRAM)
        .succeeded();
  }

  /**
   * Runs {@code hpcrun run} on c1 with ranks that write their environment down; not by a shell,
   * which would drop what is no variable to it.
   */
  private void run(String name, int ranks, String hpcrun, String before, String... options) {
    List<String> words = new ArrayList<>(List.of(hpcrun, "run", "-p", "main", "-w", "c1"));
    words.addAll(List.of("-n", String.valueOf(ranks), "--mpi=none"));
    words.add("--srun=--output=" + DIRECTORY + name + ".%t");
    words.addAll(Arrays.asList(options));
    words.addAll(List.of(tiny, "--", "cat", "/proc/self/environ"));
    alice.bash(before + "\nexec \"$@\"", words.toArray(String[]::new)).succeeded();
  }

  private Map<String, String> rank(String name, int rank) {
    String all = new String(alice.read(DIRECTORY + name + "." + rank), StandardCharsets.UTF_8);
    Map<String, String> variables = new TreeMap<>();
    for (String entry : all.split("\0")) {
      variables.put(entry.replaceFirst("(?s)=.*", ""), entry.replaceFirst("(?s)^[^=]*=", ""));
    }
    return variables;
  }

  private static Map<String, String> withoutOwn(Map<String, String> variables) {
    Map<String, String> left = new TreeMap<>(variables);
    left.keySet().removeIf(name -> OWN.matcher(name).matches());
    return left;
  }

  @Test
  void allModesGiveTheSameAndNothingOfTheLoginOrAnotherJob() {
    String[] given = {"--env=GIVEN=a b", "--env=STY", "--env=API_KEY=k3y $(id)\n'\"", ""};
    for (String mode : List.of("join", "shell", "exec")) {
      given[3] = "--mode=" + mode.replace("shell", "join");
      String hpcrun = mode.equals("shell") ? WITHOUT_PROGRAM + "/bin/hpcrun" : "hpcrun";
      run(mode, 2, hpcrun, POLLUTED, given);
    }
    // With more ranks, one that begins when another has ended would fail.
    for (String mode : List.of("join", "sharens")) {
      given[3] = "--mode=" + mode;
      run(mode + "-1", 1, "hpcrun", POLLUTED, given);
    }
    assertThat(withoutOwn(rank("sharens-1", 0))).isEqualTo(withoutOwn(rank("join-1", 0)));
    for (int rank = 0; rank < 2; rank++) {
      Map<String, String> join = rank("join", rank);
      for (String mode : List.of("shell", "exec")) {
        assertThat(withoutOwn(rank(mode, rank)))
            .as("rank %d, %s", rank, mode)
            .isEqualTo(withoutOwn(join));
      }
      assertThat(join)
          .containsEntry("SLURM_NTASKS", "2")
          .containsEntry("SLURM_JOB_PARTITION", "main")
          .containsEntry("SLURM_PROCID", String.valueOf(rank))
          .containsEntry("LINES_", "one\ntwo\n")
          .containsEntry("DOLLAR", "$(touch /home/alice/environment/pwned) `id` ${X}")
          .containsEntry("EMPTY", "")
          .containsEntry("QUOTES", "it's \"q\"")
          .containsEntry("EQUALS", "=a=b=")
          .containsEntry("EDGES", " a  b ")
          .containsEntry("HF_TOKEN", "t0ken-of-the-login $(id)")
          .containsEntry("https_proxy", "http://proxy:3128")
          .containsEntry("TMOUT", "99")
          .containsEntry("REPLY", "mine")
          .containsEntry("state", "s\nt")
          .containsEntry("odd.dot", "1 $(id)")
          .containsEntry("9odd", "2")
          .containsEntry("BASH_FUNC_tool%%", "() {  echo \"$1 \\\"quoted\\\"\"\n}")
          .containsEntry("GIVEN", "a b")
          .containsEntry("STY", "1.pts")
          .containsEntry("API_KEY", "k3y $(id)\n'\"");
      Stream.of(
              "name=n code=c variable=v words=w task=t where=here self=me home=h script=s directory=d"
                  .split(" "),
              "said=x image=i mode=m line=l node=n2 options=o file=f".split(" "))
          .flatMap(Stream::of)
          .forEach(
              each ->
                  assertThat(join)
                      .containsEntry(each.replaceFirst("=.*", ""), each.replaceFirst(".*=", "")));
      assertThat(join)
          .doesNotContainKeys(
              "SBATCH_PARTITION",
              "SRUN_CPUS_PER_TASK",
              "SLURM_GPUS",
              "SLURM_ARRAY_JOB_ID",
              "SLURM_ARRAY_TASK_ID",
              "SLURM_CPUS_PER_TASK",
              "SLURM_EXPORT_ENV",
              "PMI_RANK",
              "PMIX_NAMESPACE",
              "PMIX_RANK",
              "PMIX_SERVER_URI41",
              "OMPI_COMM_WORLD_RANK",
              "HPCRUN_ENV_STRAY",
              "STRAY",
              "HPCRUN_NODE_DIRECTORY",
              "HPCRUN_ENV_API_KEY",
              "APPTAINERENV_API_KEY",
              "DBUS_SESSION_BUS_ADDRESS",
              "XDG_RUNTIME_DIR",
              "XDG_SESSION_ID",
              "SSH_CONNECTION",
              "SSH_AUTH_SOCK",
              "DISPLAY",
              "XAUTHORITY",
              "TMUX",
              "VSCODE_IPC_HOOK_CLI",
              "INVOCATION_ID",
              "HOSTNAME");
    }
    assertThat(alice.run("test", "-e", DIRECTORY + "pwned").exitCode()).isEqualTo(1);
  }

  @Test
  void explainSaysWhatTheRanksThenSee() {
    String[] options = {"--env=GIVEN=a b", "--env=STY", "--env=API_KEY=k3y-of-mine", "--clean-env"};
    for (int clean = 0; clean < 2; clean++) {
      String[] given = Arrays.copyOf(options, options.length - 1 + clean);
      List<String> words =
          new ArrayList<>(
              List.of("hpcrun", "explain", "env", "-p", "main", "-n", "2", "--mpi=none"));
      words.addAll(List.of(given));
      words.addAll(List.of("--json", tiny, "--", "sh"));
      Outcome explained =
          alice.bash(POLLUTED + "\nexec \"$@\"", words.toArray(String[]::new)).succeeded();
      assertThat(explained.output() + explained.error())
          .doesNotContain("k3y-of-mine", "t0ken-of-the-login");
      String name = "explained-" + clean;
      run(name, 2, "hpcrun", POLLUTED, given);
      Map<String, String> seen = rank(name, 1);
      int values = 0;
      int absent = 0;
      for (JsonNode variable :
          JSON.readTree(explained.out()).get("variables").valueStream().toList()) {
        String what = variable.get("name").asString();
        if (variable.get("outcome").asString().equals("dropped")) {
          absent += what.startsWith("SLURM_") ? 0 : 1; // the job has its own
          assertThat(what.startsWith("SLURM_") || !seen.containsKey(what)).as(what).isTrue();
        } else if (variable.has("value")) {
          values++;
          assertThat(seen)
              .as(variable.toString())
              .containsEntry(what, variable.get("value").asString());
        } else if (!what.endsWith("*")) {
          assertThat(variable.get("decided").asString()).as(what).isNotEmpty();
        }
      }
      assertThat(absent).isGreaterThan(20);
      assertThat(values).isGreaterThan(clean == 0 ? 30 : 5);
      assertThat(seen).containsEntry("API_KEY", "k3y-of-mine").containsEntry("STY", "1.pts");
      if (clean == 1) {
        assertThat(seen)
            .doesNotContainKeys(
                "HF_TOKEN",
                "DOLLAR",
                "odd.dot",
                "9odd",
                "BASH_FUNC_tool%%",
                "name",
                "TMOUT",
                "code")
            .containsKeys(
                "UCX_LOG_LEVEL", "CUDA_CACHE_PATH", "https_proxy", "SLURM_PROCID", "USER");
      }
    }
  }

  @Test
  void aJobThatIsSubmittedInAJobIsOneOfItsOwn() {
    String job =
        alice
            .run(
                "salloc",
                "-Q",
                "-w",
                "c2",
                "-n",
                "2",
                "-c",
                "1",
                "--distribution=cyclic",
                "hpcrun",
                "submit",
                "--parsable",
                "-w",
                "c1",
                "-o",
                "/home/alice/environment/%j.out",
                tiny,
                "--",
                "sh",
                "-c",
                "echo \"$SLURM_JOB_ID $SLURM_NTASKS $SLURM_JOB_NODELIST ${SLURM_SUBMIT_DIR}\"")
            .succeeded()
            .output()
            .strip();
    jobs.awaitEnd(job);
    assertThat(alice.run("cat", DIRECTORY + job + ".out").succeeded().lines())
        .containsExactly(job + " 1 c1 /home/alice");
  }

  /** A search on all disks of the cluster, of files that are newer than a job. */
  private List<String> filesWith(String text, String newerThan) {
    List<String> found = new ArrayList<>();
    for (String node : List.of(LabCluster.LOGIN_NODE, "c1", "c2")) {
      lab.as("root", node)
          .bash(
              "find / /home /tmp /run /dev/shm -xdev -type f -newer \"$2\" -print0"
                  + " | xargs -0r grep -laF -e \"$1\" -- 2>/dev/null; true",
              text,
              newerThan)
          .succeeded()
          .lines()
          .forEach(file -> found.add(node + ":" + file));
    }
    return found;
  }

  @Test
  void secretsAreInTheRanksAndInTheJobsEnvironmentOnly() {
    String secret = "s3cret'\"$(id)-" + System.nanoTime();
    String other = "oth3r-" + System.nanoTime();
    String marker = DIRECTORY + "marker";
    lab.as("root", LabCluster.LOGIN_NODE)
        .run("install", "-d", "-m", "3733", "/home/spool-of-environment")
        .succeeded();
    alice.run("touch", marker).succeeded();
    String job =
        alice
            .with("HPCRUN_SPOOL", "/home/spool-of-environment")
            .with("HPCRUN_DEBUG", "1")
            .bash(
                """
                hpcrun submit --parsable -N 2 -n 2 -o environment/%j.out --env "API_TOKEN=$1" \\
                  --env-file <(printf 'PLAIN=p\\n# c\\nDB_PASSWORD=%s\\n' "$2") tiny.sif -- sh -c '
                  touch environment/running.$SLURM_PROCID
                  until test -e environment/go; do sleep 0.2; done
                  echo "$PLAIN ${#API_TOKEN} ${#DB_PASSWORD}"' 2>environment/debug
                """,
                secret, other)
            .succeeded()
            .output()
            .strip();
    jobs.awaitFile(DIRECTORY + "running.0");
    jobs.awaitFile(DIRECTORY + "running.1");
    List<String> whileItRuns = filesWith(secret, marker);
    whileItRuns.addAll(filesWith(other, marker));
    assertThat(whileItRuns)
        .isNotEmpty()
        .allMatch(
            file ->
                file.matches(
                    "login:/var/spool/slurmctld/hash\\.\\d/job\\." + job + "/environment"));
    String state = whileItRuns.getFirst().replaceFirst("^login:", "");
    assertThat(alice.run("cat", state).exitCode()).isNotZero();
    assertThat(lab.as("bob", LabCluster.LOGIN_NODE).run("cat", state).exitCode()).isNotZero();
    for (String node : List.of("c1", "c2")) {
      assertThat(
              lab.as("bob", node).bash("cat /proc/[0-9]*/{cmdline,environ} 2>/dev/null").output())
          .doesNotContain(secret, other);
    }
    String script = alice.run("scontrol", "write", "batch_script", job, "-").succeeded().output();
    assertThat(script)
        .contains("hpcrun_by_name=(DB_PASSWORD API_TOKEN)", "PLAIN=p")
        .doesNotContain(secret, other);
    assertThat(alice.run("scontrol", "show", "job", "-d", job).succeeded().output())
        .doesNotContain(secret, other);
    alice.run("touch", DIRECTORY + "go").succeeded();
    jobs.awaitEnd(job);
    String line = "p %d %d".formatted(secret.length(), other.length());
    assertThat(alice.run("cat", DIRECTORY + job + ".out").lines()).containsExactly(line, line);
    List<String> afterwards = filesWith(secret, marker);
    afterwards.addAll(filesWith(other, marker));
    assertThat(afterwards).allMatch(file -> file.startsWith("login:/var/spool/slurmctld/hash."));
    assertThat(alice.run("hpcrun", "timing", "--json", job).succeeded().output())
        .contains("env-by-name")
        .doesNotContain(secret, other);
    assertThat(lab.as("root", "login").bash("ls /home/spool-of-environment | wc -l").output())
        .isNotEqualTo("0\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"join", "exec"})
  void secretsReachTheRanksAsTheyAre(String mode) {
    String secret = "s3cret'\"$(id)\n`id` \\ ü";
    String name = "secret-" + mode;
    run(name, 2, "hpcrun", "", "--mode=" + mode, "--env", "API_TOKEN=" + secret);
    assertThat(rank(name, 0)).containsEntry("API_TOKEN", secret);
    assertThat(rank(name, 1)).containsEntry("API_TOKEN", secret);
  }

  @Test
  void aScriptWithoutTheValueIsRefusedBeforeItsRanks() {
    alice
        .bash(
            "hpcrun submit --dry-run -w c1 -o environment/by-hand.%j --env API_TOKEN=s3cret tiny.sif"
                + " -- sh -c 'echo \"rank has $API_TOKEN\"' >environment/by-hand && ! grep s3cret"
                + " environment/by-hand")
        .succeeded();
    String without =
        alice.run("sbatch", "--parsable", DIRECTORY + "by-hand").succeeded().output().strip();
    String with =
        alice
            .with("API_TOKEN", "by hand")
            .run("sbatch", "--parsable", DIRECTORY + "by-hand")
            .succeeded()
            .output()
            .strip();
    jobs.awaitEnd(List.of(without, with));
    assertThat(jobs.field(without, "ExitCode")).isEqualTo("3:0");
    assertThat(alice.run("cat", DIRECTORY + "by-hand." + without).output())
        .contains("has no value for API_TOKEN")
        .doesNotContain("rank has");
    assertThat(alice.run("cat", DIRECTORY + "by-hand." + with).output())
        .contains("rank has by hand");
    assertThat(alice.run("hpcrun", "timing", without).succeeded().output()).contains("refused");
  }

  @Test
  void stepsAndScriptsGetThemToo() {
    Outcome step =
        alice.bash(
            "salloc -Q -w c1 -n 1 hpcrun exec --env-file <(printf 'DB_PASSWORD=p w$(id)\\n')"
                + " --env 'API_TOKEN=of a step' tiny.sif -- sh -c 'echo \"<$API_TOKEN|$DB_PASSWORD>\"'");
    assertThat(step.succeeded().lines()).contains("<of a step|p w$(id)>");
    alice.write(
        "environment/script.sh",
        """
        #!/bin/bash
        #SBATCH -p main -w c1 -n 1 -o environment/script.%j
        #HPCRUN --image=tiny.sif --env=API_TOKEN --env=LATER --env=DISPLAY
        echo "script $API_TOKEN ${DB_PASSWORD-none} $XDG_RUNTIME_DIR $DISPLAY $SLURM_JOB_PARTITION $state"
        hpcrun exec -- true
        echo "code $?"
        export LATER='set $(id) here'
        hpcrun exec -- sh -c 'echo "rank $API_TOKEN|$DB_PASSWORD|$LATER|$DISPLAY|${XDG_RUNTIME_DIR-none}|$state"'
        """
            .getBytes(StandardCharsets.UTF_8));
    Login login =
        alice
            .with("SBATCH_PARTITION", "short")
            .with("API_TOKEN", "of the login")
            .with("XDG_RUNTIME_DIR", "/run/x")
            .with("DISPLAY", ":7")
            .with("state", "mine");
    String job = jobs.submit(login, "--env", "DB_PASSWORD=of the line", DIRECTORY + "script.sh");
    jobs.awaitEnd(job);
    assertThat(alice.run("cat", DIRECTORY + "script." + job).succeeded().lines())
        .contains(
            "script of the login none /run/x :7 main mine",
            "code 3",
            "rank of the login|of the line|set $(id) here|:7|none|mine");
  }

  @Test
  void sweepsOfJobFilesAndReplaysGiveThemToo() {
    String secret = "p w$(id) 'q' \\0101 \u00fc-" + System.nanoTime();
    alice.write(
        "environment/job.env",
        ("PLAIN=p *\nDB_PASSWORD=" + secret + "\n").getBytes(StandardCharsets.UTF_8));
    alice.write(
        "environment/sweep.yaml",
        """
        image: tiny.sif
        partition: main
        nodelist: c1
        output: environment/sweep.%j
        env: [HF_TOKEN, 'PIN_KEY=key $(id) ${n}']
        env-file: environment/job.env
        command: [sh, -c, 'printf "%s\\n" "$HF_TOKEN|$PIN_KEY|$DB_PASSWORD|$PLAIN"']
        sweep: {as: jobs, parameters: {n: [1, 2]}}
        """
            .getBytes(StandardCharsets.UTF_8));
    Login login = alice.with("HF_TOKEN", "of the login");
    List<String> sweep =
        login.run("hpcrun", "submit", "--parsable", DIRECTORY + "sweep.yaml").succeeded().lines();
    assertThat(sweep).hasSize(2);
    jobs.awaitEnd(sweep);
    for (int n = 0; n < 2; n++) {
      assertThat(alice.run("cat", DIRECTORY + "sweep." + sweep.get(n)).succeeded().lines())
          .containsExactly("of the login|key $(id) %d|%s|p *".formatted(n + 1, secret));
      assertThat(
              alice
                  .run("scontrol", "write", "batch_script", sweep.get(n), "-")
                  .succeeded()
                  .output())
          .contains("PLAIN=p *")
          .doesNotContain(secret, "of the login", "key $(id)");
    }
    alice.run("rm", DIRECTORY + "job.env").succeeded();
    Outcome without = login.run("hpcrun", "replay", "--parsable", sweep.get(1));
    assertThat(without.exitCode()).isEqualTo(3);
    assertThat(without.error()).contains("--env=DB_PASSWORD=***").doesNotContain(secret);
    String again =
        login
            .with("ANY", "key $(id) 2")
            .with("OTHER", secret)
            .run("hpcrun", "replay", "--parsable", sweep.get(1))
            .succeeded()
            .output()
            .strip();
    jobs.awaitEnd(again);
    assertThat(alice.run("cat", DIRECTORY + "sweep." + again).succeeded().lines())
        .containsExactly("of the login|key $(id) 2|%s|p *".formatted(secret));
  }

  @Test
  void eachOfSeveralLaunchesHasItsOwnAndThoseOfAll() {
    alice.write(
        "environment/launches.yaml",
        """
        image: tiny.sif
        partition: main
        nodelist: c1
        output: environment/launches.%j
        env: {A: all, B: 'of the job', DB_PASSWORD: 'p w$(id)'}
        launches:
          - name: one
            env: {B: 'one $(id)', C: own}
            command: [sh, -c, 'echo "$A|$B|$C|$DB_PASSWORD|$HPCRUN_ENV_STRAY"']
          - name: two
            command: [sh, -c, 'echo "$A|$B|$C|$DB_PASSWORD|$HPCRUN_ENV_STRAY"']
        """
            .getBytes(StandardCharsets.UTF_8));
    String job =
        alice
            .with("HPCRUN_ENV_STRAY", "stray")
            .with("B", "of the login")
            .run("hpcrun", "submit", "--parsable", DIRECTORY + "launches.yaml")
            .succeeded()
            .output()
            .strip();
    jobs.awaitEnd(job);
    assertThat(alice.run("cat", DIRECTORY + "launches." + job).succeeded().lines())
        .containsExactly("all|one $(id)|own|p w$(id)|", "all|of the job||p w$(id)|");
    assertThat(alice.run("scontrol", "write", "batch_script", job, "-").succeeded().output())
        .doesNotContain("p w$(id)");
  }

  @Test
  void aJobWithoutTheEnvironmentIsNotSubmitted() {
    List<String> before = jobs.known();
    Outcome outcome =
        alice
            .with("SBATCH_EXPORT", "NONE")
            .run("hpcrun", "submit", "--env", "API_TOKEN=s3cret", tiny, "--", "true");
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.error())
        .contains("SBATCH_EXPORT=NONE keeps the value of API_TOKEN from the job")
        .doesNotContain("s3cret");
    assertThat(jobs.known()).isEqualTo(before);
  }
}
