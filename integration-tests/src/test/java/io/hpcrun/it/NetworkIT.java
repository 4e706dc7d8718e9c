package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which network ranks really use, seen from outside. There is no RDMA adapter here: a file stands
 * for the device that a program opens.
 */
class NetworkIT {
  private static final LabCluster LAB = LabCluster.of(Flavour.TRIXIE);
  private static final Login ALICE = LAB.alice();
  private static final String DEVICE = "/dev/infiniband/uverbs0";
  private static final String GPU = "/dev/nvidia9";
  private static final String FILES = DEVICE + " " + GPU;

  private static final String TALK =
      """
      #include <mpi.h>
      #include <unistd.h>
      int main(int count, char **words) {
        int one = 1, sum;
        MPI_Init(&count, &words);
        MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        sleep(8);
        MPI_Finalize();
        return 0;
      }
      """;

  @BeforeAll
  static void prepare() {
    ALICE.write("talk.c", TALK.getBytes(StandardCharsets.UTF_8));
    ALICE.bash("mpicc.openmpi -o talk talk.c").succeeded();
    LabCluster.COMPUTE_NODES.forEach(
        node ->
            LAB.as("root", node)
                .bash("mkdir -p /dev/infiniband && touch " + FILES + " && chmod 666 " + FILES)
                .succeeded());
  }

  @AfterAll
  static void clear() {
    LabCluster.COMPUTE_NODES.forEach(
        node -> LAB.as("root", node).bash("rm -r /dev/infiniband " + GPU).succeeded());
  }

  private static Outcome run(String image, String mode, String... command) {
    List<String> words = new ArrayList<>(List.of("timeout", "60", "hpcrun", "run", "-N2", "-n4"));
    words.addAll(List.of("--ntasks-per-node=2", "--mode=" + mode, LAB.image(image), "--"));
    words.addAll(List.of(command));
    Outcome outcome = ALICE.run(words);
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    outcome.errorLines().stream()
        .filter(line -> line.startsWith("network "))
        .forEach(line -> System.out.println(mode + ": " + line));
    return outcome;
  }

  @ParameterizedTest
  @ValueSource(strings = {"join", "exec"})
  void callsMpiOverTcpByItsConnections(String mode) {
    Outcome outcome = run("hello-openmpi", mode, "./talk");
    assertThat(outcome.error())
        .containsPattern(
            "network   tcp: 4 ranks, such as rank \\d on c\\d \\(TCP connections: \\d+, to other"
                + " machines: 1");
    String job = outcome.error().replaceAll("(?s).*launch (\\d+)\\..*", "$1");
    assertThat(ALICE.run("hpcrun", "timing", "--ranks", "--json", job).output())
        .contains(
            "\"network\":\"tcp\",\"evidence\":\"TCP connections: ", "\"networks\":{\"tcp\":4}");
  }

  @Test
  void callsAProgramThatOpenedAVerbsDeviceByThat() {
    Outcome outcome = run("tiny", "join", "sh", "-c", "exec 5<" + DEVICE + "; sleep 8");
    assertThat(outcome.error())
        .containsPattern(
            "network   rdma: 4 ranks, such as rank \\d on c\\d \\(open: " + DEVICE + "\\)");
  }

  @Test
  void saysNothingOfAProgramWithoutANetwork() {
    Outcome outcome = run("tiny", "join", "sleep", "8");
    assertThat(outcome.error()).contains("network   unknown: 4 ranks\n");
  }

  @Test
  void namesTheGpusThatAreOpen() {
    Outcome outcome = run("tiny", "exec", "sh", "-c", "exec 5<" + GPU + "; sleep 8");
    assertThat(outcome.error())
        .containsPattern(
            "network   unknown: 4 ranks, such as rank \\d on c\\d \\(GPUs: /dev/nvidia9\\)");
  }

  /** Too short to be looked at. */
  @Test
  void doesNotWaitForThePurpose() {
    Outcome outcome = run("tiny", "join", "sleep", "1");
    assertThat(outcome.error()).doesNotContain("network ");
  }
}
