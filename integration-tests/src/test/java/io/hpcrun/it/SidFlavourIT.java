package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.LabCommand;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A newer Slurm without PMIx, whose MpiDefault is none: hpcrun chooses pmi2 by itself. */
class SidFlavourIT {
  private LabCluster lab;
  private Login alice;

  @BeforeAll
  void startCluster() {
    try {
      lab = LabCluster.of(Flavour.SID);
      alice = lab.alice();
    } catch (LabCommand.LabFailed unavailable) {
      System.err.println("SidFlavourIT is SKIPPED: " + unavailable.getMessage());
      Assumptions.abort("no lab of the flavour sid: " + unavailable.getMessage());
    }
  }

  /** Else the other tests would show nothing. */
  @Test
  void hasNoMpiDefault() {
    assertThat(alice.run("scontrol", "show", "config").succeeded().lines())
        .filteredOn(line -> line.startsWith("MpiDefault"))
        .singleElement()
        .asString()
        .containsPattern("= (none|\\(null\\))");
  }

  @Test
  void startsMpichRanksAsOneJobThroughPmi2() {
    Outcome outcome =
        alice.run(
            "hpcrun",
            "run",
            "-N",
            "2",
            "-n",
            "4",
            "--ntasks-per-node=2",
            lab.image("hello-mpich"),
            "--",
            "hello-mpi");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.error()).contains("mpi pmi2");
    assertThat(outcome.lines().stream().map(line -> line.split(" library=")[0]))
        .as("%s", outcome)
        .hasSize(4)
        .allMatch(line -> line.matches("rank [0-3] of 4 on c[12] sum=10"));
    for (String node : LabCluster.COMPUTE_NODES) {
      assertThat(outcome.lines()).filteredOn(line -> line.contains(" on " + node + " ")).hasSize(2);
    }
    IntStream.range(0, 4)
        .forEach(rank -> assertThat(outcome.output()).contains("rank " + rank + " of 4"));
  }

  @Test
  void refusesPmixWhichThisSlurmLacks() {
    Outcome outcome =
        alice.run("hpcrun", "run", "--mpi=pmix", lab.image("hello-mpich"), "--", "hello-mpi");
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(outcome.error()).contains("--mpi=pmix", "pmi2", "what to do: ");
  }
}
