package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The fabric that is wanted: devices in containers that do not have the node's /dev, nodes and
 * images that cannot serve it, ranks that use TCP instead. The adapter is {@link PretendAdapter}.
 */
class FabricIT {
  private static final LabCluster LAB = LabCluster.of(Flavour.TRIXIE);

  /** This machine lets nobody lock more than 8 MiB. */
  private static final Login ALICE = LAB.alice().with("HPCRUN_MEMLOCK", "8M");

  private static final String CONFIGURATION = "/etc/apptainer/apptainer.conf";
  private static final String LIST = "cd /dev && busybox find . -type c -o -type b | busybox sort";
  private static final List<String> FABRIC =
      List.of("./infiniband/rdma_cm", "./infiniband/uverbs0", "./xpmem");

  private static final String TALK =
      """
      #include <mpi.h>
      #include <stdlib.h>
      #include <unistd.h>
      int main(int count, char **words) {
        int one = 1, sum;
        MPI_Init(&count, &words);
        MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        sleep(atoi(words[1]));
        MPI_Finalize();
        return 0;
      }
      """;

  /** Rank 0 waits for rank 1's connection, as torch's store does before any MPI or NCCL begins. */
  private static final String STORE =
      "use IO::Socket::INET; if ($ENV{SLURM_PROCID} == 0) { my $s = IO::Socket::INET->new(LocalPort"
          + " => 45678, Listen => 5, ReuseAddr => 1) or die; my $c = $s->accept; sleep 9; } else {"
          + " sleep 1; my $c = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 45678) or"
          + " die; sleep 9; }";

  @BeforeAll
  static void prepare() {
    ALICE.write("talk.c", TALK.getBytes(StandardCharsets.UTF_8));
    ALICE.bash("mpicc.openmpi -o talk-openmpi talk.c && mpicc.mpich -o talk-mpich talk.c");
    PretendAdapter.setUp(LAB);
  }

  @AfterAll
  static void clear() {
    PretendAdapter.clear(LAB);
  }

  private static Outcome run(String options, String image, String... command) {
    List<String> words = new ArrayList<>(List.of("timeout", "90", "hpcrun", "run"));
    words.addAll(List.of(options.split(" ")));
    words.addAll(List.of(LAB.image(image), "--"));
    words.addAll(List.of(command));
    return ALICE.run(words);
  }

  /** What hpcrun says, in the job's output and on standard error. */
  private static String said(Outcome outcome) {
    return outcome.output() + outcome.error();
  }

  private static void onNode(String node, String commands) {
    LAB.as("root", node).bash("set -e\n" + commands).succeeded();
  }

  /** What Apptainer itself puts there, and the fabric's; not the node's other devices. */
  private static void hasTheFabricsDevices(Outcome outcome, Outcome plain) {
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(plain.exitCode()).as("%s", plain).isZero();
    List<String> expected =
        Stream.concat(plain.lines().stream(), FABRIC.stream()).sorted().distinct().toList();
    List<String> seen = outcome.lines().stream().filter(line -> line.startsWith("./")).toList();
    assertThat(seen).as("%s", outcome).isEqualTo(expected);
    System.out.println("apptainer: " + plain.lines() + "\nhpcrun:    " + seen);
  }

  @ParameterizedTest
  @ValueSource(strings = {"join", "exec"})
  void aContainedLaunchHasTheFabricsDevicesAndNoOthers(String mode) {
    Outcome plain =
        ALICE.run(
            "srun", "-N1", "apptainer", "exec", "--contain", LAB.image("tiny"), "sh", "-c", LIST);
    hasTheFabricsDevices(run("-N1 -n1 --contain --mode=" + mode, "tiny", "sh", "-c", LIST), plain);
  }

  @ParameterizedTest
  @ValueSource(strings = {"join", "exec"})
  void minimalDevHasTheFabricsDevicesAndNoOthers(String mode) {
    String set = "sed -i 's/^mount dev = .*/mount dev = %s/' " + CONFIGURATION;
    LabCluster.COMPUTE_NODES.forEach(node -> onNode(node, set.formatted("minimal")));
    try {
      Outcome plain =
          ALICE.run("srun", "-N1", "apptainer", "exec", LAB.image("tiny"), "sh", "-c", LIST);
      assertThat(plain.lines()).doesNotContain("./xpmem").contains("./null");
      hasTheFabricsDevices(run("-N1 -n1 --mode=" + mode, "tiny", "sh", "-c", LIST), plain);
      Outcome mpich = run("-N1 -n2 --mode=" + mode, "hello-mpich", "hello-mpi");
      assertThat(mpich.exitCode()).as("%s", mpich).isZero();
    } finally {
      LabCluster.COMPUTE_NODES.forEach(node -> onNode(node, set.formatted("yes")));
    }
  }

  /** With --fabric=tcp nothing of RDMA is needed. */
  @Test
  void aContainedLaunchOverTcpHasNoDevices() {
    Outcome outcome = run("-N1 -n1 --contain --fabric=tcp", "tiny", "sh", "-c", LIST);
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.output()).contains("./null").doesNotContain("infiniband");
  }

  /** Ranks of a node exchange messages by /dev/shm, PMIx by files of /tmp. */
  @ParameterizedTest
  @CsvSource({
    "hello-openmpi, join",
    "hello-openmpi, exec",
    "hello-mpich, join",
    "hello-mpich, exec"
  })
  void mpiWorksInContainedLaunches(String image, String mode) {
    Outcome outcome =
        run("-N2 -n4 --ntasks-per-node=2 --contain --mode=" + mode, image, "hello-mpi");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.output()).as("%s", outcome).contains("rank 3 of 4", "sum=10");
  }

  /** A cause on c2: what makes it so, what takes it back, what is said. */
  @ParameterizedTest(name = "{2}")
  @CsvSource(
      delimiter = '|',
      value = {
        "mv /sys/class/infiniband /sys/class/none|mv /sys/class/none /sys/class/infiniband"
            + "|there is no InfiniBand adapter; ask for nodes that have one",
        "echo '1: DOWN' >PORT/state|echo '4: ACTIVE' >PORT/state"
            + "|no InfiniBand port can be used: mlx5_0:1 is DOWN; 'hpcrun topo --node=NODE' shows",
        "mv DEVICE /dev/none|mv /dev/none DEVICE"
            + "|mlx5_0:1 has no device file /dev/infiniband/uverbs0",
        "chmod 600 DEVICE|chmod 666 DEVICE"
            + "|mlx5_0:1 cannot be used: you may not open /dev/infiniband/uverbs0"
      })
  void refusesANodeThatCannotServeIt(String fault, String repair, String said) {
    onNode("c2", filled(fault));
    try {
      refusedOnC2(
          run("-N2 -n2 --fabric=infiniband --require-fabric", "hello-openmpi", "true"), said);
    } finally {
      onNode("c2", filled(repair));
    }
  }

  private static String filled(String commands) {
    return commands.replace("PORT", PretendAdapter.PORT).replace("DEVICE", PretendAdapter.DEVICE);
  }

  private static void refusedOnC2(Outcome outcome, String said) {
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(said(outcome))
        .as("%s", outcome)
        .contains("hpcrun: refused before any rank started: on c2 ", said);
    show(outcome, "refused before");
  }

  private static void show(Outcome outcome, String what) {
    said(outcome).lines().filter(line -> line.contains(what)).forEach(System.out::println);
  }

  @Test
  void refusesRoceWithoutAnAddress() {
    onNode("c2", filled("echo Ethernet >PORT/link_layer"));
    try {
      refusedOnC2(
          run("-w c2 -n1 --fabric=roce --require-fabric", "hello-openmpi", "true"),
          "mlx5_0:1 has no GID of RoCE v2 with a routable address");
    } finally {
      onNode("c2", filled("echo InfiniBand >PORT/link_layer"));
    }
  }

  /** Slurm gives ranks the limits of the shell that submits. */
  @Test
  void refusesLockedMemoryThatIsTooSmall() {
    Outcome outcome =
        ALICE.bash(
            "ulimit -l 4096; timeout 60 hpcrun run -N2 -n2 --require-fabric \"$1\" -- true",
            LAB.image("hello-openmpi"));
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(said(outcome))
        .contains(
            "refused before any rank started: on c[1-2] locked memory is limited to 4096 KiB, and"
                + " InfiniBand needs 8 MiB at least; ask the administrators for LimitMEMLOCK");
    show(outcome, "refused before");
  }

  /** Before anything is submitted, where image and request tell. */
  @Test
  void refusesImagesAndRequestsThatCannotServeIt() {
    for (List<String> row :
        List.of(
            List.of("--require-fabric", "tiny", "the image cannot use RDMA: it lacks any library"),
            List.of(
                "--fabric=infiniband --require-fabric",
                "tiny",
                "the image cannot use InfiniBand: it lacks rdma-core's providers"),
            List.of(
                "--fabric=slingshot --require-fabric",
                "hello-openmpi",
                "the image cannot use Slingshot: it lacks libfabric's provider cxi"),
            List.of(
                "--require-fabric --no-mount=dev",
                "hello-openmpi",
                "--require-fabric needs the devices of RDMA, and --no-mount leaves out /dev"))) {
      Outcome outcome = run("-N2 -n2 " + row.getFirst(), row.get(1), "true");
      assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
      assertThat(said(outcome)).as("%s", outcome).contains(row.getLast());
      assertThat(said(outcome)).doesNotContain("submitted");
      show(outcome, row.getLast());
    }
    Outcome contradiction = run("--fabric=tcp --require-fabric", "tiny", "true");
    assertThat(contradiction.exitCode()).isEqualTo(2);
    assertThat(contradiction.error()).contains("--require-fabric asks for RDMA");
  }

  /** MPI cannot use this adapter, and goes on with TCP without a word. */
  @ParameterizedTest
  @CsvSource({"openmpi, join", "openmpi, exec", "mpich, join"})
  void endsALaunchThatUsesTcpInstead(String mpi, String mode) {
    long began = System.nanoTime();
    Outcome outcome =
        run(
            "-N2 -n4 --ntasks-per-node=2 --require-fabric --mode=" + mode,
            "hello-" + mpi,
            "./talk-" + mpi,
            "60");
    long seconds = (System.nanoTime() - began) / 1_000_000_000L;
    assertThat(outcome.exitCode()).as("%s", outcome).isEqualTo(3);
    assertThat(said(outcome))
        .as("%s", outcome)
        .containsPattern(
            "hpcrun: on c[12] rank [0-3] uses TCP, although the node has InfiniBand \\(TCP"
                + " connections: \\d+, to other machines: 1.*\\).*; the launch is ended"
                + " \\(--require-fabric\\)\n")
        .contains("what to do: 'hpcrun inspect' says what the image has for networks");
    System.out.println("ended after " + seconds + " s");
    show(outcome, "uses TCP");
  }

  /** Without --require-fabric it is a warning. */
  @Test
  void warnsOfALaunchThatUsesTcpInstead() {
    Outcome outcome = run("-N2 -n2", "hello-openmpi", "./talk-openmpi", "9");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(said(outcome))
        .as("%s", outcome)
        .containsPattern("rank [01] uses TCP, although the node has InfiniBand")
        .doesNotContain("is ended")
        .contains("note: 2 ranks used TCP, although their nodes have RDMA ports that are up");
  }

  /** What is connected before any MPI is initialised may be a store, a licence or a database. */
  @Test
  void doesNotEndALaunchForConnectionsThatAreNotMpis() {
    Outcome outcome =
        ALICE.bash(
            "timeout 60 hpcrun run -N2 -n2 --require-fabric \"$1\" -- perl -e \"$2\" c1",
            LAB.image("hello-openmpi"),
            STORE);
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(said(outcome))
        .as("%s", outcome)
        .contains("network   tcp: 2 ranks")
        .doesNotContain("uses TCP");
  }

  /** What the ports' counters say, in the record and in the timing. */
  @Test
  void showsHowFarThePortsMoved() {
    onNode("c1", filled("(sleep 4; echo 251000 >PORT/counters/port_xmit_data) >/dev/null 2>&1 &"));
    Outcome outcome =
        run("-w c1 -n1", "tiny", "sh", "-c", "exec 5<" + PretendAdapter.DEVICE + "; sleep 8");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(said(outcome))
        .as("%s", outcome)
        .contains("ports     sent 1.0 MB, received 0 B over RDMA, the launch's and others'")
        .contains("network   rdma: 1 rank");
    onNode("c1", filled("echo 1000 >PORT/counters/port_xmit_data"));
  }

  /** Open MPI is told to use UCX or to say why not; other fabrics have their provider. */
  @Test
  void explainsTheVariables() {
    String image = LAB.image("hello-openmpi");
    assertThat(
            ALICE
                .run(
                    "hpcrun",
                    "explain",
                    "-N2",
                    "-n4",
                    "--fabric=infiniband",
                    "--require-fabric",
                    image,
                    "--",
                    "hello-mpi")
                .output())
        .contains("fabric = infiniband, required", "OMPI_MCA_pml = ucx", "network-ports = by each");
    assertThat(
            ALICE
                .run("hpcrun", "explain", "-N2", "-n4", "--fabric=tcp", image, "--", "hello-mpi")
                .output())
        .contains("fabric = tcp", "UCX_TLS = ^ib", "FI_PROVIDER = tcp");
    Outcome tcp = run("-N2 -n4 --fabric=tcp", "hello-openmpi", "hello-mpi");
    assertThat(tcp.exitCode()).as("%s", tcp).isZero();
    assertThat(tcp.output()).contains("sum=10");
  }
}
