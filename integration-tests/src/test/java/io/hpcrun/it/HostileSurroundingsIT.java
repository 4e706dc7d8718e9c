package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Running;
import org.junit.jupiter.api.Test;

/** Other users of a node, signals and settings that are not meant for hpcrun's own programs. */
class HostileSurroundingsIT {
  /** Takes the name of every node directory as soon as a command line shows it. */
  private static final String SNATCH =
      """
      cat >/tmp/snatch.pl <<'X'
      while (1) {
        for (glob "/proc/[0-9]*/cmdline") {
          open my $f, "<", $_ or next;
          local $/;
          my $line = <$f>;
          while ($line =~ m{(/tmp/hpcrun\\.[0-9a-f._]+)}g) {
            my $name = $1;
            mkdir $name and symlink "/home/alice/victim", "$name/ranks";
          }
        }
      }
      X
      exec timeout 12 perl /tmp/snatch.pl
      """;

  /** On a busy machine bob may be too slow for once. */
  private static final int TURNS = 15;

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  @Test
  void writesNothingWhereAnotherUserMadeTheNodeDirectory() throws Exception {
    alice.bash("echo mine >victim; chmod 600 victim").succeeded();
    boolean snatched = false;
    for (int turn = 0; turn < TURNS && !snatched; turn++) {
      Thread snatcher = Thread.ofVirtual().start(() -> lab.as("bob", "c1").bash(SNATCH));
      while (snatcher.isAlive()) {
        Outcome outcome = alice.run("hpcrun", "run", "-w", "c1", tiny, "--", "echo", "ran");
        assertThat(outcome.exitCode()).as("%s", outcome).isZero();
        snatched |= outcome.output().contains("ranks are not timed");
      }
      snatcher.join();
    }
    lab.as("root", "c1").bash("rm -rf /tmp/hpcrun.* /tmp/snatch.pl").succeeded();
    assertThat(snatched).as("bob was quick enough at least once").isTrue();
    assertThat(alice.run("cat", "victim").output()).isEqualTo("mine\n");
  }

  @Test
  void valuesOfVariablesAreNoArgumentsThatOthersCanRead() {
    String started = "/home/alice/started-" + System.nanoTime();
    Running running =
        new Running(
            alice,
            "hpcrun",
            "run",
            "-w",
            "c1",
            "--env",
            "TOKEN=s3cretvalue",
            tiny,
            "--",
            "sh",
            "-c",
            "touch \"$0\"; sleep 3; test \"$TOKEN\" = s3cretvalue",
            started);
    jobs.awaitFile(started);
    Outcome seen = lab.as("bob", "c1").bash("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '");
    assertThat(seen.output()).contains("hpcrun-enter").doesNotContain("TOKEN=s3cretvalue");
    assertThat(running.await().exitCode()).isZero();
  }

  @Test
  void timesRanksThatGetASignal() {
    String started = "/home/alice/started-" + System.nanoTime();
    Running running =
        new Running(
            alice,
            "hpcrun",
            "run",
            "-N",
            "2",
            tiny,
            "--",
            "sh",
            "-c",
            "touch \"$0\"; exec sleep 600",
            started);
    jobs.awaitFile(started);
    alice.run("scancel", "-s", "USR1", jobs.inQueue().getFirst()).succeeded();
    Outcome outcome = running.await();
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(128 + 10);
    assertThat(outcome.error()).contains("spawn").doesNotContain("left a record");
    assertThat(lab.leftInTmp(LabCluster.COMPUTE_NODES)).isEmpty();
  }

  @Test
  void shellOptionsOfTheUserDoNotReachTheScript() {
    Outcome outcome =
        alice
            .with("SHELLOPTS", "errexit:nounset:noglob")
            .run("hpcrun", "run", "-N", "2", tiny, "--", "echo", "hello");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.lines()).contains("hello");
    assertThat(outcome.error()).contains("ended, exit 0");
  }

  @Test
  void saysThatSlurmCouldNotStartTheJob() {
    Outcome outcome = alice.run("hpcrun", "run", "-o", "/root/x.out", tiny, "--", "true");
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(4);
    assertThat(outcome.error()).contains("Slurm could not start job", "-o");
  }

  @Test
  void saysWhereOutputIsThatCannotBeReadHere() {
    Outcome outcome = alice.run("hpcrun", "run", "-D", "/tmp", tiny, "--", "true");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.error()).contains("which cannot be read here");
    LabCluster.COMPUTE_NODES.forEach(
        node -> lab.as("root", node).bash("rm -f /tmp/slurm-*.out").succeeded());
  }
}
