package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import io.hpcrun.lab.Timing;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code hpcrun exec}, {@code hpcrun shell} and scripts with {@code #HPCRUN} lines. */
class ScriptAndStepIT {
  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");

  /** Runs a script to its end; its output file. */
  private String submitted(String script, String... arguments) {
    alice.write("script.sh", script.getBytes(StandardCharsets.UTF_8));
    List<String> words =
        new java.util.ArrayList<>(List.of("-o", "/home/alice/%j.out", "script.sh"));
    words.addAll(List.of(arguments));
    String job = jobs.submit(words.toArray(String[]::new));
    jobs.awaitEnd(job);
    return job;
  }

  private List<String> output(String job) {
    return alice.run("cat", "/home/alice/" + job + ".out").succeeded().lines();
  }

  @Test
  void theStepsOfAScriptShareOneContainerAndAreLaunchesOfTheirOwn() {
    String job =
        submitted(
            """
            #!/bin/sh
            #SBATCH -N 2 -n 4
            #HPCRUN --image=tiny.sif --mpi=none
            #HPCRUN --env "GREETING=two words"
            echo "script $1 on $(hostname)"
            hpcrun exec -- sh -c 'echo "$SLURM_PROCID $GREETING $(readlink /proc/self/ns/mnt)"'
            hpcrun exec -n 2 -N 2 -- sh -c 'echo "again $(readlink /proc/self/ns/mnt)"'
            hpcrun exec -n 1 -N 1 -- sh -c 'exit 5'
            echo "code $?"
            exit 7
            """,
            "it's");
    List<String> lines = output(job);
    assertThat(lines).contains("script it's on c1", "code 5");
    assertThat(lines.stream().filter(line -> line.contains("two words"))).hasSize(4);
    List<String> containers =
        lines.stream()
            .filter(line -> line.contains("mnt:"))
            .map(line -> line.replaceAll(".*mnt:", ""))
            .distinct()
            .toList();
    assertThat(containers).as("%s", lines).hasSize(2); // one on each node
    assertThat(jobs.field(job, "ExitCode")).isEqualTo("7:0");
    assertThat(jobs.field(job, "JobName")).isEqualTo("script.sh");
    List<Integer> exits =
        Timing.of(alice, job).launches().stream().map(l -> l.at("/record/exit").asInt()).toList();
    assertThat(exits).containsExactly(0, 0, 5);
    assertThat(Timing.of(alice, job).launches().get(1).at("/stages/run/count").asInt())
        .isEqualTo(2);
    nothingIsLeft();
  }

  @Test
  void signalsForTheBatchShellReachTheScript() {
    alice.run("rm", "-f", "started").succeeded();
    alice.write(
        "script.sh",
        """
        #!/bin/bash
        #HPCRUN --image=tiny.sif --mpi=none
        trap 'echo got USR1; exit 4' USR1
        touch started
        while :; do sleep 0.1; done
        """
            .getBytes(StandardCharsets.UTF_8));
    String job = jobs.submit("-o", "/home/alice/%j.out", "script.sh");
    jobs.awaitFile("/home/alice/started");
    alice.run("scancel", "--batch", "--signal=USR1", job).succeeded();
    jobs.awaitEnd(job);
    assertThat(output(job)).contains("got USR1");
    assertThat(jobs.field(job, "ExitCode")).isEqualTo("4:0");
    nothingIsLeft();
  }

  @Test
  void aScriptIsNotStartedWhenANodeIsNotFit() {
    lab.as("root", LabCluster.LOGIN_NODE)
        .bash("install -d -m 777 /opt/here && cp /home/alice/tiny.sif /opt/here/")
        .succeeded();
    String job = submitted("#!/bin/sh\n#HPCRUN --image=/opt/here/tiny.sif\ntouch script-ran\n");
    assertThat(String.join("\n", output(job)))
        .contains("refused before any rank started", "/opt/here");
    assertThat(jobs.field(job, "ExitCode")).isEqualTo("5:0");
    assertThat(alice.run("test", "-e", "script-ran").exitCode()).isEqualTo(1);
  }

  @Test
  void refusesAScriptWithoutAnImage() {
    alice.write("script.sh", "#!/bin/sh\nexit\n".getBytes(StandardCharsets.UTF_8));
    Outcome outcome = alice.run("hpcrun", "submit", "script.sh");
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.error()).contains("names no image", "#HPCRUN --image=");
  }

  @Test
  void stepsInAnAllocationGetInputAndAreNumbered() {
    Outcome outcome =
        alice.bash(
            """
            salloc --quiet -N 2 -n 2 bash -c '
              echo "from input" | hpcrun exec --mpi=none -n 1 tiny.sif -- sh -c "cat; exit 3"
              echo "code $?"
              hpcrun exec --mpi=none tiny.sif -- sh -c "echo rank \\$SLURM_PROCID"
              hpcrun timing "$SLURM_JOB_ID" | grep ^launch'
            """);
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.lines()).contains("from input", "code 3", "rank 0", "rank 1");
    assertThat(outcome.lines().stream().filter(line -> line.startsWith("launch")))
        .hasSize(2)
        .allMatch(line -> line.contains("mode join"));
    nothingIsLeft();
  }

  @Test
  void aStepOutsideOfAJobIsRefused() {
    Outcome outcome = alice.run("hpcrun", "exec", tiny, "--", "true");
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.error()).contains("SLURM_JOB_ID is not set");
  }

  @Test
  void opensAShellOnAComputeNodeAndGivesTheJobBack() {
    Outcome outcome =
        alice.bash(
            "printf 'echo \"$APPTAINER_NAME on $(hostname) $(tty)\"\\nexit 5\\n'"
                + " | script -qec 'hpcrun shell -w c2 tiny.sif' /dev/null");
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(5);
    assertThat(outcome.output()).contains("tiny.sif on c2 /dev/pts/");
    Jobs.await("the end of the job", () -> jobs.inQueue().isEmpty());
    nothingIsLeft();
    assertThat(alice.run("find", "/tmp", "-name", "hpcrun*").lines()).isEmpty();
  }

  private void nothingIsLeft() {
    assertThat(lab.leftInTmp(LabCluster.COMPUTE_NODES)).isEmpty();
  }
}
