package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Timing;
import java.util.List;
import java.util.stream.Stream;

/** The ways in which jobs end. */
final class Endings {
  private static final String BATCH_NODE = "c1";
  private static final String OTHER_NODE = "c2";
  private static final int BY_KILL = 128 + 9;
  private static final int BY_SEGV = 128 + 11;
  private static final int BY_TERM = 128 + 15;

  /** Slurm's default: how many seconds it gives what it asked to end. */
  static final int KILL_WAIT = 30;

  private static final String UP = ": >\"$0/up.$SLURM_PROCID\"\n";
  private static final String SLEEP = UP + "exec sleep 300\n";
  private static final String WAIT = "until test -e \"$0/go\"; do sleep 0.1; done\n";
  private static final String USE_THE_IMAGE = "cat /etc/os-release >/dev/null && ";
  private static final String ON_USR1 =
      "got=''; trap 'got=1' USR1\n"
          + UP
          + "until test \"$got\"; do sleep 0.2; done\ntrap '' USR1\nsleep 0.5\n"
          + USE_THE_IMAGE
          + "echo \"signalled $SLURM_PROCID\"; exit 5\n";
  private static final String GO_ON =
      UP + WAIT + "sleep 0.5\n" + USE_THE_IMAGE + "echo \"went on $SLURM_PROCID\"\n";

  private static final String AGENT = "[^ ]*bash( -p)? -c hpcrun_agent ";
  private static final String KEEPER = "[^ ]*bash( -p)? -c hpcrun_keep ";
  private static final String HOLDER = "/proc/self/fd/[0-9]+ --preload ";
  private static final String RUNTIME = "Apptainer runtime parent";
  private static final String IMAGE_MOUNT = "[^ ]*squashfuse[^ ]* ";
  private static final String BATCH_SCRIPT = "/bin/bash (-p )?/var/spool/slurmd/job";
  private static final String SRUN_OF_AGENTS = "srun --overlap ";
  private static final String SRUN_OF_RANKS = "srun --export=ALL ";

  private Endings() {}

  /** All; those that Slurm's smallest time limit makes long only if asked for. */
  static Stream<Ending> all(boolean full) {
    return Stream.of(byThemselves(), bySlurm(full), ofHpcrun(), ofSlurm()).flatMap(List::stream);
  }

  private static List<Ending> byThemselves() {
    return List.of(
        new Ending("ranks end with 0", UP).ends("COMPLETED", 0).asOnBareMetal(),
        new Ending("a rank ends with 3", UP + "test \"$SLURM_PROCID\" != 2 || exit 3\n")
            .ends("FAILED", 3)
            .asOnBareMetal(),
        new Ending(
                "a rank dies of SIGSEGV",
                "ulimit -c unlimited\n" + UP + "test \"$SLURM_PROCID\" != 2 || kill -SEGV $$\n")
            .ends("FAILED", BY_SEGV)
            .asOnBareMetal()
            .afterwards(Endings::coreFileIsThere),
        new Ending(
                "a rank ends with 3, --kill-on-bad-exit",
                UP + "test \"$SLURM_PROCID\" = 1 || exec sleep 300\n" + WAIT + "exit 3\n")
            .srun("--kill-on-bad-exit")
            .act(EndingJob::release)
            .ends("FAILED", BY_TERM)
            .asOnBareMetal(),
        new Ending(
                "ranks leave daemons behind",
                UP + "(trap '' HUP TERM; setsid -f sleep 307 </dev/null >/dev/null 2>&1)\n" + WAIT)
            .act(EndingJob::release)
            .ends("COMPLETED", 0)
            .asOnBareMetal());
  }

  private static List<Ending> bySlurm(boolean full) {
    String cleanUp =
        "trap 'trap \"\" TERM; sleep 1; "
            + USE_THE_IMAGE
            + "echo \"cleaned up $SLURM_PROCID\"; exit 0' TERM\n"
            + UP
            // Slurm's signal may reach sleep first.
            + "sleep 300 & wait; sleep 3\n";
    List<Ending> quick =
        List.of(
            new Ending("scancel, ranks clean up for 1 s", cleanUp)
                .act(EndingJob::scancel)
                .ends("CANCELLED", BY_TERM)
                .ranksSay("cleaned up")
                .says("CANCELLED")
                .asOnBareMetal(),
            new Ending("scancel -s KILL", SLEEP)
                .act(job -> job.scancel("-s", "KILL"))
                .ends("CANCELLED", BY_TERM)
                .says("CANCELLED")
                .asOnBareMetal(),
            new Ending("scancel --full -s KILL", SLEEP)
                .act(job -> job.scancel("--full", "-s", "KILL"))
                .ends("CANCELLED", BY_TERM)
                .says("CANCELLED")
                .asOnBareMetal(),
            new Ending("scancel -s USR1, ranks end with 5", ON_USR1)
                .act(job -> job.scancel("-s", "USR1"))
                .ends("FAILED", 5)
                .ranksSay("signalled")
                .asOnBareMetal(),
            new Ending(
                    "scontrol requeue",
                    "if test \"${SLURM_RESTART_COUNT:-0}\" = 0; then\n"
                        + SLEEP
                        + "fi\nhead -c 2000 /dev/zero | tr '\\0' x\necho\n"
                        + "echo \"second run of $SLURM_PROCID\"\n: >\"$0/again.$SLURM_PROCID\"\n")
                .options("--requeue")
                .act(Endings::requeue)
                .ends("COMPLETED", 0)
                .ranksSay("second run of")
                .afterwards(Endings::bothRunsAreRecorded));
    List<Ending> slow =
        List.of(
            new Ending("--signal=USR1@60 -t 1, ranks end with 5", ON_USR1)
                .options("-t", "1", "--signal=USR1@60")
                .ends("FAILED", 5)
                .ranksSay("signalled")
                .asOnBareMetal(),
            new Ending("time limit", SLEEP)
                .options("-t", "1")
                .ends("TIMEOUT", BY_TERM)
                .says("TIMEOUT")
                .asOnBareMetal());
    return Stream.concat(quick.stream(), full ? slow.stream() : Stream.empty()).toList();
  }

  private static List<Ending> ofHpcrun() {
    return List.of(
        new Ending("holder killed on c2", SLEEP)
            .act(job -> job.kill(OTHER_NODE, HOLDER))
            .ends("FAILED", BY_KILL)
            .says("hpcrun: on c2 the container was killed"),
        new Ending("runtime killed on c2", SLEEP)
            .act(job -> job.kill(OTHER_NODE, RUNTIME))
            .ends("FAILED", BY_KILL)
            .says("hpcrun: on c2 the container was killed"),
        new Ending("squashfuse killed on c2", SLEEP)
            .act(job -> job.kill(OTHER_NODE, IMAGE_MOUNT))
            .ends("FAILED", BY_KILL)
            .says("hpcrun: on c2 "),
        new Ending("agent killed on c2", SLEEP)
            .act(job -> job.kill(OTHER_NODE, AGENT))
            .ends("FAILED", BY_KILL)
            .says("hpcrun: on c2 hpcrun's agent was lost"),
        new Ending("keeper killed on c2", GO_ON)
            .act(
                job -> {
                  job.kill(OTHER_NODE, KEEPER);
                  job.release();
                })
            .ends("COMPLETED", 0)
            .ranksSay("went on"),
        new Ending("srun of the agents killed", GO_ON)
            .act(
                job -> {
                  job.kill(BATCH_NODE, SRUN_OF_AGENTS);
                  job.release();
                })
            .ends("COMPLETED", 0)
            .ranksSay("went on"));
  }

  private static List<Ending> ofSlurm() {
    return List.of(
        new Ending("batch script killed", SLEEP)
            .act(job -> job.killFirst(BATCH_NODE, BATCH_SCRIPT))
            .ends("FAILED", BY_KILL)
            .asOnBareMetal(),
        new Ending("srun of the ranks killed", SLEEP)
            .act(job -> job.kill(BATCH_NODE, SRUN_OF_RANKS))
            .ends("FAILED", BY_KILL)
            .says("hpcrun: ")
            .asOnBareMetal(),
        new Ending("slurmstepd of the agent killed on c2", SLEEP)
            .act(job -> job.killStepDaemon(OTHER_NODE, job.id() + ".0"))
            .ends("FAILED", BY_KILL)
            .says("hpcrun: on c2 hpcrun's agent was lost"),
        // Slurm does not notice it, with or without hpcrun.
        new Ending("slurmstepd of the ranks killed on c2, then scancel", SLEEP)
            .act(
                job -> {
                  job.killStepDaemon(OTHER_NODE, job.step());
                  job.scancel();
                })
            .ends("CANCELLED", BY_KILL, BY_TERM)
            .after(KILL_WAIT)
            .says("CANCELLED")
            .asOnBareMetal(),
        new Ending("slurmd killed on c2, scancel, slurmd back", SLEEP)
            .act(Endings::cancelWithoutSlurmd)
            .ends("CANCELLED", BY_KILL, BY_TERM)
            .after(KILL_WAIT)
            .says("CANCELLED"));
  }

  private static void coreFileIsThere(EndingJob job) {
    String pattern = job.root(OTHER_NODE).run("cat", "/proc/sys/kernel/core_pattern").output();
    if (pattern.startsWith("|") || pattern.contains("/")) {
      System.out.println("no look for a core file: this kernel's core_pattern is " + pattern);
      return;
    }
    assertThat(job.login().bash("ls -- \"$1\"/core*", job.directory()).succeeded().lines())
        .as("core files")
        .hasSize(1);
  }

  private static void requeue(EndingJob job) {
    job.root(LabCluster.LOGIN_NODE).run("scontrol", "requeue", job.id()).succeeded();
    Jobs.await("the job in the queue again", () -> job.field("JobState").equals("PENDING"));
    assertThat(
            Remains.watch(job.lab(), "alice", LabCluster.COMPUTE_NODES, EndingIT.WITHIN_SECONDS)
                .left())
        .as("what the first run left")
        .isEmpty();
    // Slurm cannot start it while a node still completes the first run.
    new Jobs(job.root(LabCluster.LOGIN_NODE)).awaitIdleNodes();
    // In the same second slurmd refuses it: "already killed, do not launch batch job", FAILED 1:0;
    // 12 of 25 plain batch scripts ended so, and none a second later.
    job.root(LabCluster.LOGIN_NODE).run("sleep", "1.1").succeeded();
    // Slurm lets it wait for two minutes.
    job.root(LabCluster.LOGIN_NODE)
        .run("scontrol", "update", "JobId=" + job.id(), "StartTime=now")
        .succeeded();
    job.awaitRanks("again");
  }

  private static void bothRunsAreRecorded(EndingJob job) {
    assertThat(Timing.of(job.login(), job.id()).launches())
        .extracting(launch -> launch.at("/record/launch").asString())
        .containsExactly(job.id() + ".0.0", job.id() + ".1.0");
    assertThat(Timing.of(job.login(), job.id()).launches())
        .allSatisfy(launch -> assertThat(launch.at("/stages/spawn/count").asInt()).isEqualTo(4));
  }

  private static void cancelWithoutSlurmd(EndingJob job) {
    job.root(OTHER_NODE)
        .bash(
            """
            # The node ends with slurmd, unless something else has its name.
            cp /bin/sleep /root/slurmd && { setsid -f /root/slurmd 300 </dev/null >/dev/null 2>&1; } &&
              pkill -KILL -f '^/usr/sbin/slurmd -D '
            """)
        .succeeded();
    try {
      job.scancel();
      Jobs.await("the end on c1", () -> Remains.now(job.lab(), "alice", List.of("c1")).isEmpty());
    } finally {
      job.root(OTHER_NODE)
          .bash(
              """
              setsid -f /usr/sbin/slurmd -D --conf-server login:6817 </dev/null >/dev/null 2>&1
              until sinfo --noheader --nodes="$HOSTNAME" --format=%T | grep -qE '^(idle|completing)$'; do
                sleep 0.1
              done
              pkill -f '^/root/slurmd '
              """)
          .succeeded();
    }
  }
}
