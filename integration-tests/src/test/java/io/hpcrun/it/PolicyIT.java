package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabSettings;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A site's policy, kept by hpcrun and by a real slurmctld: every kind of rule with its own words
 * under hpcrun, sbatch and srun; what a user may try to get around it; what a submission costs.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PolicyIT {
  private static final Logger LOG = LoggerFactory.getLogger(PolicyIT.class);
  private static final int REFUSED = 3;
  private static final String IMAGES = "/home/site/images/";
  private static final String IMAGE = IMAGES + "tiny.sif";

  private static final String PARTITIONS =
      """
      PartitionName=containers Nodes=c1 MaxTime=60 State=UP
      PartitionName=containers-memory Nodes=c1 MaxTime=60 State=UP
      PartitionName=containers-small Nodes=c1 MaxTime=60 DefaultTime=5 State=UP
      """;

  private static final String ENFORCE =
      """
      contact: help@lab
      enforce:
        partitions: [containers, 'containers-*']
        interactive: %s
        environment: {PATH: [/usr/*, /bin, /sbin, /opt/*]}
      """;

  private static final String RULES =
      """
      rules:
        - {id: images, reason: Only images of the site, when: {partition: containers*}, require: {image: /home/site/images/*}}
        - {id: binds, reason: Only your data, when: {partition: containers*}, require: {bind: {only: [/home/alice/data*, /home/site*]}}}
        - {id: destinations, reason: Not over the image, when: {partition: containers*}, require: {bind-destination: {none: /etc*}}}
        - {id: writable, reason: The site is read-only, when: {partition: containers*}, forbid: {bind-writable: /home/site*}}
        - {id: variables, reason: No loader, when: {partition: containers*}, forbid: {env: LD_*}}
        - {id: modes, reason: Ranks join, when: {partition: containers*}, forbid: {mode: [exec, sharens]}}
        - {id: commands, reason: No shells, when: {partition: containers*}, forbid: {command: [sh, '*/sh']}}
        - {id: contained, reason: Apart from home, when: {partition: containers-small}, require: {flags: contain, home: false}}
        - {id: tasks, reason: Few ranks, when: {partition: containers-small}, require: {tasks: {at-most: 2}}}
        - {id: time, reason: Short jobs, when: {partition: containers-small}, require: {time: {at-most: 30min}}}
        - {id: memory, reason: Small jobs, when: {partition: containers-memory}, require: {memory: {at-most: 1G}}}
        - {id: account, reason: No GPUs for you, when: {account: lab}, forbid: {gpus: {given: true}}}
        - {id: users, reason: Not bob, when: {partition: containers*}, forbid: {user: bob}}
        - {id: added, reason: Data is there, when: {partition: containers-small}, force: {bind: '/home/site:/site:ro', env: {SITE: lab}}}
      """;

  private final LabCluster lab =
      LabCluster.apart(
          LabSettings.of(Flavour.TRIXIE)
              .withComputeNodes(1)
              .withAccounting()
              .withSlurmConf(PARTITIONS));
  private final Login root = lab.as("root", LabCluster.LOGIN_NODE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);

  /** One without the filter in his own shell. */
  private final Login bare = alice.with("SLURM_CONF", "/etc/slurm/bare.conf");

  @BeforeAll
  void enforceThePolicy() {
    String tiny = lab.image("tiny");
    root.bash(
            """
            set -e
            install -d -m 755 /home/site /home/site/images /etc/hpcrun
            install -m 644 "$1" /home/site/images/tiny.sif
            printf 'contact: help@lab\\npolicy: /etc/hpcrun/policy.yaml\\n' >/etc/hpcrun/site.yaml
            """,
            tiny)
        .succeeded();
    enforce("refuse");
    root.bash(
            """
            set -e
            cp /etc/slurm/slurm.conf /etc/slurm/bare.conf
            printf 'JobSubmitPlugins=lua\\nCliFilterPlugins=lua\\n' >>/etc/slurm/slurm.conf
            scontrol reconfigure
            """)
        .succeeded();
    Jobs.await(
        "slurmctld with its plug-in", () -> refusal(bare.run("srun", "-p", "containers", "true")));
    alice.bash("mkdir data bin; echo 'touch ~/pwned' >benv; ln -s /bin/true bin/srun").succeeded();
    alice.write("good.sh", script("-p", "containers", "-t", "5", IMAGE, "--", "true"));
  }

  @AfterAll
  void remove() {
    lab.close();
  }

  private static boolean refusal(Outcome outcome) {
    return outcome.exitCode() != 0 && outcome.error().contains("policy ");
  }

  private void enforce(String interactive) {
    root.bash(
            """
            set -e
            sleep 1.1 # slurmctld looks at whole seconds
            printf '%s' "$1" >/etc/hpcrun/policy.yaml
            hpcrun policy check
            hpcrun policy export /etc/slurm
            """,
            ENFORCE.formatted(interactive) + RULES)
        .succeeded();
  }

  /** The script that hpcrun writes for a user to whom it does not say the site's word. */
  private byte[] script(String... words) {
    List<String> command = new ArrayList<>(List.of("hpcrun", "submit", "--dry-run"));
    command.addAll(Arrays.asList(words));
    return alice.with("HPCRUN_SITE", "none").run(command).succeeded().out();
  }

  /** A launch and what the policy says of it. */
  private record Case(String says, List<String> words) {
    @Override
    public String toString() {
      return says;
    }
  }

  private static Case says(String what, String... words) {
    return new Case(what, List.of(words));
  }

  static Stream<Case> launches() {
    String[] command = {IMAGE, "--", "true"};
    return Stream.of(
        says(
            "images: Only images of the site (image is /home/alice/tiny.sif, and must be /home/site/images/*)",
            "-p",
            "containers",
            "/home/alice/tiny.sif",
            "--",
            "true"),
        says(
            "binds: Only your data (bind is /etc, and must be only /home/alice/data*, /home/site*)",
            "-p",
            "containers",
            "--bind=/etc:/data",
            IMAGE,
            "--",
            "true"),
        says(
            "destinations: Not over the image (bind-destination is /etc/x, and must be none of /etc*)",
            "-p",
            "containers",
            "--bind=/home/alice/data:/etc/x",
            IMAGE,
            "--",
            "true"),
        says(
            "writable: The site is read-only (bind-writable is /home/site, and must not be /home/site*)",
            "-p",
            "containers",
            "--bind=/home/site",
            IMAGE,
            "--",
            "true"),
        says(
            "variables: No loader (env is LD_PRELOAD, and must not be LD_*)",
            "-p",
            "containers",
            "--env=LD_PRELOAD=/x",
            IMAGE,
            "--",
            "true"),
        says(
            "modes: Ranks join (mode is exec, and must not be one of exec, sharens)",
            "-p",
            "containers",
            "--mode=exec",
            IMAGE,
            "--",
            "true"),
        says(
            "commands: No shells (command is sh, and must not be one of sh, */sh)",
            "-p",
            "containers",
            IMAGE,
            "--",
            "sh",
            "-c",
            "id"),
        says(
            "contained: Apart from home (flags is none, and must be contain)",
            "-p",
            "containers-small",
            "-t",
            "5",
            command[0],
            command[1],
            command[2]),
        says(
            "tasks: Few ranks (tasks is 3, and must be at most 2)",
            "-p",
            "containers-small",
            "-t",
            "5",
            "-n",
            "3",
            "--contain",
            IMAGE,
            "--",
            "true"),
        says(
            "time: Short jobs (time is 00:31:00, and must be at most 00:30:00)",
            "-p",
            "containers-small",
            "-t",
            "31",
            "--contain",
            IMAGE,
            "--",
            "true"),
        says(
            "memory: Small jobs (memory is 2G, and must be at most 1G)",
            "-p",
            "containers-memory",
            "--mem=2G",
            IMAGE,
            "--",
            "true"),
        says(
            "memory: Small jobs (memory is not known: no size is asked for; give --mem)",
            "-p",
            "containers-memory",
            IMAGE,
            "--",
            "true"),
        says(
            "account: No GPUs for you (gpus is 2, and must not be given)",
            "-p",
            "containers",
            "-A",
            "lab",
            "--gpus-per-node=2",
            IMAGE,
            "--",
            "true"));
  }

  @ParameterizedTest
  @MethodSource("launches")
  @Order(1)
  void hpcrunAndSlurmctldRefuseWithTheSameWords(Case launch) {
    List<String> words = new ArrayList<>(List.of("hpcrun", "submit"));
    words.addAll(launch.words());
    Outcome byHpcrun = alice.run(words);
    assertThat(byHpcrun.exitCode()).as("%s", byHpcrun).isEqualTo(REFUSED);
    assertThat(byHpcrun.error())
        .contains("hpcrun: error: policy " + launch.says(), "change that, or ask help@lab");
    alice.write("case.sh", script(launch.words().toArray(String[]::new)));
    if (launch.words().contains("containers-small")) {
      // What hpcrun adds would be missing first.
      alice
          .bash(
              "sed -i 's/^hpcrun_container=(--no-eval/& --bind \\/home\\/site:\\/site:ro/;"
                  + " s/^hpcrun_environment=()/hpcrun_environment=(SITE=lab)/' case.sh")
          .succeeded();
    }
    for (Login login : List.of(alice, bare)) {
      Outcome bySlurm = login.run("sbatch", "case.sh");
      assertThat(bySlurm.exitCode()).as("%s", bySlurm).isNotZero();
      assertThat(bySlurm.error()).contains("policy " + launch.says() + "; contact: help@lab");
    }
    assertThat(jobs.inQueue()).isEmpty();
  }

  @Test
  @Order(2)
  void aRuleAboutUsersIsForThem() {
    Login bob = lab.as("bob", LabCluster.LOGIN_NODE);
    String words = "policy users: Not bob (user is bob, and must not be bob)";
    assertThat(bob.run("hpcrun", "submit", "-p", "containers", IMAGE, "--", "true").error())
        .contains(words);
    alice.bash("chmod 755 ~; chmod 644 good.sh").succeeded();
    assertThat(bob.run("sbatch", "/home/alice/good.sh").error()).contains(words);
  }

  @Test
  @Order(3)
  void whatTheSiteAddsIsThereAndCannotBeLeftOut() {
    Outcome ran =
        alice.run(
            "hpcrun",
            "run",
            "-p",
            "containers-small",
            "-t",
            "5",
            "--contain",
            IMAGE,
            "--",
            "/bin/busybox",
            "sh",
            "-c",
            "echo $SITE; ls /site");
    assertThat(ran.lines()).as("%s", ran).contains("lab", "images");
    alice.write(
        "case.sh", script("-p", "containers-small", "-t", "5", "--contain", IMAGE, "--", "true"));
    assertThat(bare.run("sbatch", "case.sh").error())
        .contains("policy added: Data is there (bind is none, and must be all of /home/site");
  }

  @Test
  @Order(4)
  void jobsOfHpcrunRun() {
    for (String mode : List.of("--stage=shared", "--stage=node")) {
      Outcome ran =
          alice.run(
              "hpcrun",
              "run",
              mode,
              "-p",
              "containers",
              "-t",
              "5",
              "-n",
              "2",
              "--bind=/home/alice/data",
              IMAGE,
              "--",
              "echo",
              "it's $HOME \"here\"\n#SBATCH");
      assertThat(ran.exitCode()).as("%s", ran).isZero();
      assertThat(ran.output()).contains("it's $HOME \"here\"\n#SBATCH");
    }
    String saved = alice.run("sbatch", "--parsable", "good.sh").succeeded().output().strip();
    jobs.awaitEnd(saved);
    assertThat(jobs.field(saved, "JobState")).isEqualTo("COMPLETED");
  }

  @Test
  @Order(5)
  void shellsOfTheJobReadNothingOfTheUsers() {
    Outcome ran =
        alice.bash(
            """
            printf() { touch ~/pwned; builtin printf "$@"; }
            srun() { touch ~/pwned; command srun "$@"; }
            export -f printf srun
            export BASH_ENV=$HOME/benv ENV=$HOME/benv
            job=$(exec sbatch --parsable good.sh) || exit
            while squeue -h -j "$job" -o %i | grep -q .; do sleep 0.5; done
            scontrol show job "$job" | grep -o 'JobState=[A-Z]*'
            """);
    assertThat(ran.lines()).as("%s", ran).contains("JobState=COMPLETED");
    // The functions are the test's own shell's, too: it calls neither.
    assertThat(alice.run("test", "-e", "pwned").exitCode()).isEqualTo(1);
  }

  @Test
  @Order(6)
  void jobsOfOtherPartitionsAreUntouched() {
    Outcome ran =
        alice.bash(
            """
            set -e
            sbatch -p main --parsable --wrap 'touch ~/ran-in-main'
            srun -p main echo by-srun
            hpcrun run -p main -n 2 /home/alice/tiny.sif -- echo by-hpcrun
            salloc -p main -Q true
            """);
    assertThat(ran.exitCode()).as("%s", ran).isZero();
    assertThat(ran.lines()).contains("by-srun", "by-hpcrun");
    jobs.awaitFile("/home/alice/ran-in-main");
  }

  /** Each is a line of bash in alice's home; whoever gets through makes the file pwned. */
  static Stream<String> evasions() {
    return Stream.of(
        "sbatch -p containers --wrap 'touch ~/pwned'",
        "printf '#!/bin/bash\\ntouch ~/pwned\\n' | sbatch -p containers",
        "printf '#!/bin/bash\\n#SBATCH -p containers\\ntouch ~/pwned\\n' >e.sh; sbatch e.sh",
        "printf '#!/bin/bash\\ntouch ~/pwned\\n' >e.sh; SBATCH_PARTITION=containers sbatch e.sh",
        "printf '#!/bin/bash\\ntouch ~/pwned\\n' >e.sh; sbatch -p main,containers e.sh",
        "printf '#!/bin/bash\\ntouch ~/pwned\\n' >e.sh; sbatch -p containers --array=0-3 e.sh",
        "printf '#!/bin/bash\\ntouch ~/pwned\\n' >e.sh; sbatch -p main -N1 : -p containers -N1 e.sh",
        "sed 's/^hpcrun_now() {/&\\ntouch ~\\/pwned/' good.sh >e.sh; sbatch e.sh",
        "(cat good.sh; echo 'touch ~/pwned') >e.sh; sbatch e.sh",
        "sed '$s/.*/touch ~\\/pwned; &/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^# ---- the launch/&\\ntouch ~\\/pwned/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^# ---- the node agent/touch ~\\/pwned\\n&/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^# ---- the node agent/# ---- node agent/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^# ---- the launch/# ---- my launch\\ntouch ~\\/pwned/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_kind=job/hpcrun_kind=job$(touch ~\\/pwned)/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_kind=job/hpcrun_kind=`touch ~\\/pwned`job/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_kind=job/& touch ~\\/pwned/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_command=(true/& $(touch ~\\/pwned)/' good.sh >e.sh; sbatch e.sh",
        "sed \"s/^hpcrun_mode='auto'/&\\$(touch ~\\/pwned)/\" good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_memlock=.*/hpcrun_memlock=\\x27a[$(touch ~\\/pwned)]\\x27/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_srun=(.*/hpcrun_srun=(--mpi=none --task-prolog=\\/home\\/alice\\/benv)/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_container=(/&--fakeroot /' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_program=.*/hpcrun_program=\\/home\\/alice\\/benv/' good.sh >e.sh; sbatch e.sh",
        "sed '1s/.*/#!\\/home\\/alice\\/benv/' good.sh >e.sh; sbatch e.sh",
        "sed '1s/ -p//' good.sh >e.sh; BASH_ENV=~/benv sbatch e.sh",
        "sed 's/$/\\r/' good.sh >e.sh; sbatch e.sh",
        "(cat good.sh; printf '\\0touch ~/pwned\\n') >e.sh; sbatch e.sh",
        "(echo '#!/bin/bash'; head -c 3900000 /dev/zero | tr '\\0' '#'; cat good.sh) >e.sh; sbatch -p containers e.sh",
        "(cat good.sh; yes 'touch ~/pwned' | head -c 5000000) >e.sh; sbatch e.sh",
        "sbatch --export=ALL,LD_PRELOAD=/home/alice/x.so good.sh",
        "cp /etc/slurm/bare.conf ~; SLURM_CONF=$HOME/bare.conf sbatch good.sh",
        "SLURM_TASK_PROLOG=$HOME/benv sbatch good.sh",
        "LD_PRELOAD=$HOME/x.so sbatch good.sh",
        "sbatch --export=ALL,SLURM_CONF=/home/alice/bare.conf good.sh",
        "sbatch --export=ALL,SLURM_TASK_PROLOG=/home/alice/benv good.sh",
        "sbatch --export=ALL,APPTAINER_BIND=/etc:/mnt good.sh",
        "sbatch --export=NONE good.sh",
        "sbatch --get-user-env good.sh",
        "PATH=$HOME/bin:$PATH /usr/bin/sbatch good.sh",
        "PATH=:/usr/bin:/bin sbatch good.sh",
        "PATH=/usr/bin::/bin sbatch good.sh",
        "PATH=/usr/../home/alice/bin:$PATH /usr/bin/sbatch good.sh",
        "sbatch --export=ALL,PATH=/usr/bin:bin good.sh",
        "APPTAINER_WRITABLE_TMPFS=1 sbatch good.sh",
        "SRUN_CONTAINER=$HOME/x sbatch good.sh",
        "SLURM_CONTAINER_ID=x sbatch good.sh",
        "SINGULARITY_CONTAIN=1 sbatch good.sh",
        "sed 's/^hpcrun_container=(--no-eval/& --bind \\/home\\/alice\\/data,\\/etc:\\/mnt/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_container=(--no-eval/& --bind=\\/etc:\\/mnt/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_container=(--no-eval/& --home \\/etc:\\/x/' good.sh >e.sh; sbatch e.sh",
        "sed 's/^hpcrun_container=(--no-eval/& --mount type=bind,source=\\/etc,target=\\/mnt/' good.sh >e.sh; sbatch e.sh",
        "srun -p containers touch pwned",
        "salloc -p containers touch pwned",
        "srun -p containers-small -N1 bash -c 'touch pwned'");
  }

  @ParameterizedTest
  @MethodSource("evasions")
  @Order(7)
  void whatAUserMayTryIsRefused(String line) {
    for (Login login : List.of(alice, bare)) {
      Outcome tried = login.bash(line);
      assertThat(tried.exitCode()).as("%s: %s", line, tried).isNotZero();
      // sbatch itself does not take DOS line ends, NUL and more than 4 MB.
      assertThat(tried.error())
          .as(line)
          .containsAnyOf(
              "policy job-script: only jobs that hpcrun writes run here",
              "policy binds: ",
              "DOS line breaks",
              "binary",
              "NULL character",
              "too large",
              "exceeds size limit");
    }
    assertThat(jobs.inQueue()).isEmpty();
    assertThat(alice.run("test", "-e", "pwned").exitCode()).isEqualTo(1);
  }

  /** A job of a reservation goes to the reservation's partition. */
  @Test
  @Order(8)
  void aReservationIsNoWayAround() {
    root.bash(
            "scontrol create reservation=held starttime=now+1day duration=60 users=alice"
                + " partition=containers nodes=c1")
        .succeeded();
    try {
      for (Login login : List.of(alice, bare)) {
        Outcome tried = login.run("sbatch", "--reservation=held", "--wrap", "touch ~/pwned");
        assertThat(tried.exitCode()).as("%s", tried).isNotZero();
        assertThat(tried.error())
            .contains("policy job-script: only jobs that hpcrun writes run here");
      }
    } finally {
      root.run("scontrol", "delete", "reservation=held").succeeded();
    }
    assertThat(jobs.inQueue()).isEmpty();
  }

  @Test
  @Order(8)
  void waitingJobsCannotBeMovedOrMadeLarger() {
    String outside =
        alice
            .run("sbatch", "-p", "main", "-H", "--parsable", "--wrap", "touch ~/pwned")
            .succeeded()
            .output()
            .strip();
    String inside =
        alice
            .run(
                "hpcrun",
                "submit",
                "--parsable",
                "-H",
                "-p",
                "containers-small",
                "-t",
                "5",
                "--contain",
                IMAGE,
                "--",
                "true")
            .succeeded()
            .output()
            .strip();
    for (String partition : List.of("containers", "main,containers")) {
      assertThat(alice.run("scontrol", "update", "jobid=" + outside, "partition=" + partition))
          .matches(moved -> moved.exitCode() != 0)
          .matches(
              moved ->
                  moved
                      .error()
                      .contains("a job of another partition cannot be moved to containers"));
    }
    assertThat(alice.run("scontrol", "update", "jobid=" + inside, "timelimit=40").error())
        .contains("policy time: Short jobs (time is 00:40:00, and must be at most 00:30:00)");
    alice.run("scontrol", "update", "jobid=" + inside, "timelimit=4").succeeded();
    root.run("scontrol", "update", "jobid=" + outside, "partition=containers").succeeded();
    alice.run("scancel", outside, inside).succeeded();
    jobs.awaitEnd(List.of(outside, inside));
  }

  /** With rules about jobs only, where the site lets users work without a script. */
  @Test
  @Order(9)
  void srunIsRefusedWithTheRulesWords() {
    enforce("allow");
    String words = "policy tasks: Few ranks (tasks is 3, and must be at most 2); contact: help@lab";
    Outcome refused = bare.run("srun", "-p", "containers-small", "-n", "3", "true");
    assertThat(refused.exitCode()).as("%s", refused).isNotZero();
    assertThat(refused.error()).contains("srun: error: " + words);
    String early = "policy time: Short jobs (time is 00:45:00, and must be at most 00:30:00)";
    assertThat(alice.run("srun", "-p", "containers-small", "-t", "45", "true").error())
        .contains(early)
        .contains("cli_filter plugin terminated");
    assertThat(bare.run("srun", "-p", "containers-small", "-t", "45", "true").error())
        .contains(early);
    assertThat(alice.run("srun", "-p", "containers-small", "-n", "2", "echo", "ran").lines())
        .contains("ran");
    enforce("refuse");
  }

  @Test
  @Order(10)
  void anErrorInTheLuaConcernsContainerPartitionsOnly() {
    root.bash(
            "sleep 1.1; sed -i 's/^local function judge_job(.*/&\\n  error(\"broken on purpose\")/'"
                + " /etc/slurm/job_submit.lua")
        .succeeded();
    assertThat(bare.run("sbatch", "good.sh").error())
        .contains("policy error: hpcrun's policy cannot be judged");
    alice.run("srun", "-p", "main", "true").succeeded();
    assertThat(root.run("cat", "/var/log/slurm/slurmctld.log").output())
        .contains("broken on purpose");
    root.bash("sleep 1.1; echo 'this is no Lua (' >/etc/slurm/job_submit.lua").succeeded();
    alice.run("srun", "-p", "main", "true").succeeded();
    enforce("refuse");
    assertThat(bare.run("sbatch", "-p", "containers", "--wrap", "true").error())
        .contains("policy job-script");
  }

  /**
   * Submissions with and without the plug-in by turns; said, not judged: the machine is shared.
   * Wall time is the median of sbatch, of the processor that of slurmctld.
   */
  @Test
  @Order(11)
  void submissionsCostLittle() {
    String loop =
        """
        spent() { # slurmctld's, in ticks of 10 ms
          local -a stat
          IFS=' ' read -ra stat <"/proc/$(pgrep -o -x slurmctld)/stat"
          echo $((stat[13] + stat[14]))
        }
        begin=$(spent)
        for ((i = 0; i < 200; i++)); do
          at=$EPOCHREALTIME
          sbatch -H --parsable "$1" >/dev/null || exit
          now=$EPOCHREALTIME
          echo $((${now/./} - ${at/./}))
        done | sort -n | sed -n '100s/$/ us/p'
        echo $((($(spent) - begin) * 50)) us of slurmctld
        scancel -u alice
        """;
    List<String> said = new ArrayList<>();
    alice
        .bash("sed 's/^#SBATCH --partition=.*/#SBATCH --partition=main/' good.sh >main.sh")
        .succeeded();
    for (int round = 0; round < 3; round++) {
      plugin("lua");
      said.add("with the policy " + measured(loop, "good.sh"));
      said.add("in another partition " + measured(loop, "main.sh"));
      plugin("");
      said.add("without job_submit/lua " + measured(loop, "good.sh"));
    }
    plugin("lua");
    LOG.info("200 job scripts, each: {}", String.join("; ", said));
    assertThat(said)
        .hasSize(9)
        .allMatch(each -> each.matches("[^0-9]+[0-9]+ us, [0-9]+ us of slurmctld"));
  }

  private String measured(String loop, String script) {
    return String.join(", ", bare.bash(loop, script).succeeded().lines());
  }

  private void plugin(String name) {
    root.bash(
            """
            set -e
            sed -i '/^JobSubmitPlugins/d' /etc/slurm/slurm.conf
            [[ ! $1 ]] || echo "JobSubmitPlugins=$1" >>/etc/slurm/slurm.conf
            scontrol reconfigure
            """,
            name)
        .succeeded();
    Jobs.await(
        "slurmctld answers",
        () ->
            root.run("scontrol", "show", "config")
                .output()
                .lines()
                .anyMatch(
                    line ->
                        line.startsWith("JobSubmitPlugins")
                            && line.contains(name.isEmpty() ? "(null)" : name)));
    Jobs.await("nodes", () -> bare.run("srun", "-p", "main", "true").exitCode() == 0);
  }
}
