package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabDaemon;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the daemon plans is what the command plans; and what users see when it is not there. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DaemonPlanIT {
  /** An example in the documentation: a whole command line with an image. */
  private static final Pattern EXAMPLE =
      Pattern.compile("hpcrun (?:run|submit|explain) ((?:-[^`\\[\\]…]* )?[\\w-]+\\.sif -- [^`…]+)");

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);

  /** What is compared is not how quick a busy machine is. */
  private final Login alice = lab.alice().with("HPCRUN_DAEMON_WAIT", "30000");

  private final Login alone = alice.with("HPCRUN_DAEMON", "none");
  private final LabDaemon daemon = new LabDaemon(lab);

  @BeforeAll
  void start() {
    for (String image : List.of("hello-openmpi", "hello-mpich", "tiny")) {
      lab.image(image);
    }
    alice.bash("cp tiny.sif app.sif").succeeded();
    alice
        .bash(
            "printf '#!/bin/bash\\n#SBATCH -N 2 -n 4\\n#HPCRUN --image=hello-openmpi.sif\\n"
                + "hpcrun exec -- hello-mpi \"$@\"\\n' >two-lines.sh")
        .succeeded();
    daemon.start();
  }

  @AfterAll
  void stop() {
    daemon.close();
  }

  /** Those of README and docs, and one for each kind of launch. */
  static Stream<String> examples() throws IOException {
    Path root = Path.of(System.getProperty("hpcrun.root"));
    List<String> found = new ArrayList<>();
    List<Path> documents = new ArrayList<>(List.of(root.resolve("README.md")));
    try (DirectoryStream<Path> docs = Files.newDirectoryStream(root.resolve("docs"), "*.md")) {
      docs.forEach(documents::add);
    }
    for (Path document : documents) {
      Matcher example = EXAMPLE.matcher(Files.readString(document));
      while (example.find()) {
        found.add(example.group(1).lines().findFirst().orElseThrow().strip());
      }
    }
    assertThat(found).as("examples in the documentation").hasSizeGreaterThan(5);
    return Stream.concat(
        found.stream().distinct(),
        Stream.of(
            "-N 2 -n 4 hello-openmpi.sif -- hello-mpi",
            "-N 2 -n 4 --mpi=pmi2 hello-mpich.sif -- hello-mpi",
            "--stage=node -N 2 hello-openmpi.sif -- hello-mpi",
            "--mode=exec --gpus-per-node=2 --contain --no-home tiny.sif -- sh -c 'echo $HOME'",
            "--bind /home:/data:ro --env 'A=it'\\''s $(id)' --pwd /tmp tiny.sif -- true",
            "--resources=cores=40,memory=8G,gpus=6 tiny.sif -- true",
            "--resources=cores=4000 tiny.sif -- true",
            "--array=1-3 -t 5 -J 'a b' tiny.sif -- true",
            "--mpi-model=host --host-mpi=/usr/lib/x86_64-linux-gnu/libmpich.so.12 -n 2 hello-mpich.sif --"
                + " hello-mpi",
            "--fabric=tcp --force --mpi=pmix hello-mpich.sif -- hello-mpi",
            "two-lines.sh 'an argument' \"it's another\""));
  }

  @ParameterizedTest
  @MethodSource("examples")
  void theScriptIsTheSameByteForByte(String words) {
    String command = "hpcrun submit --dry-run " + words;
    Outcome through = alice.bash(command);
    Outcome embedded = alone.bash(command);
    assertThat(through.out()).as(command).isEqualTo(embedded.out());
    assertThat(through.error()).isEqualTo(embedded.error());
    assertThat(through.exitCode()).isEqualTo(embedded.exitCode());
    System.out.printf(
        "plan: same %7d bytes, exit %d: %s%n", through.out().length, through.exitCode(), words);
  }

  @Test
  void explainIsTheSame() {
    String command = "hpcrun explain --json -N 2 -n 4 hello-openmpi.sif -- hello-mpi";
    assertThat(alice.bash(command).succeeded().output())
        .isEqualTo(alone.bash(command).succeeded().output());
  }

  @Test
  void theDaemonPlanned() {
    String counter = "hpcrund_plans_total{outcome=\"planned\"}";
    double before = metric(counter);
    alice.bash("hpcrun submit --dry-run tiny.sif -- true").succeeded();
    assertThat(metric(counter)).isEqualTo(before + 1);
  }

  private double metric(String name) {
    return daemon.ask("/metrics").succeeded().lines().stream()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElse(0);
  }

  @Test
  void whatUsersSeeWhenTheDaemonIsNotThere() {
    String run = "hpcrun run -n 2 tiny.sif -- sh -c 'echo rank $SLURM_PROCID'";
    seen("running", alice.bash(run), "");

    daemon.signal("STOP");
    seen("hung (SIGSTOP)", lab.alice().bash(run), "hpcrund did not answer within 180 ms");
    daemon.signal("CONT");
    seen("goes on", alice.bash(run), "");

    daemon.settings("daemon: {sokcet: /nowhere}\n");
    daemon.signal("HUP");
    seen("invalid site file", alice.bash(run), "");
    assertThat(daemon.log()).anyMatch(line -> line.contains("there is no key 'sokcet' here"));
    daemon.settings(LabDaemon.settings());

    daemon.signal("KILL");
    daemon.awaitGone();
    seen("killed", alice.bash(run), "hpcrund does not answer at /run/hpcrund/hpcrund.sock");
    daemon.start();
    daemon.close();
    seen("stopped", alice.bash(run), "");
    daemon.start();
  }

  private void seen(String state, Outcome outcome, String note) {
    outcome.succeeded();
    assertThat(outcome.lines()).containsExactlyInAnyOrder("rank 0", "rank 1");
    List<String> notes =
        outcome.errorLines().stream().filter(line -> line.startsWith("hpcrun: note")).toList();
    System.out.printf("daemon %-18s exit %d  %s%n", state, outcome.exitCode(), notes);
    if (note.isEmpty()) {
      assertThat(notes).isEmpty();
    } else {
      assertThat(notes).hasSize(1).first().asString().contains(note);
    }
  }
}
