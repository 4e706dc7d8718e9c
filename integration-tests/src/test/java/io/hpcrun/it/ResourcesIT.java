package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Outcome;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Jobs that name what they need in all, on two nodes of 32 cores, 16000 MiB and 4 GPUs, in the
 * partitions main and short (10 minutes).
 */
class ResourcesIT {
  private static final String HOME = "/home/alice/resources";

  private static final LabCluster LAB = LabCluster.of(Flavour.TRIXIE);
  private static final Login ALICE = LAB.alice();
  private static final Jobs JOBS = new Jobs(ALICE);

  @BeforeAll
  static void image() {
    ALICE.run("mkdir", "-p", HOME).succeeded();
    ALICE.run("cp", LAB.image("tiny"), HOME + "/app.sif").succeeded();
  }

  private static Outcome here(String command) {
    return ALICE.bash("cd " + HOME + " && " + command);
  }

  private static void file(String name, String resources) {
    ALICE.write(
        HOME + "/" + name,
        """
        image: app.sif
        command: [sh, -c, 'echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES']
        %s
        """
            .formatted(resources)
            .getBytes(StandardCharsets.UTF_8));
  }

  private static Map<String, Long> counted(Outcome outcome) {
    return outcome.succeeded().lines().stream()
        .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
  }

  @Test
  void aJobRunsWhereItWasPacked() {
    file("cores.yaml", "resources: {cores: 40, memory: 8G}");
    assertThat(counted(here("hpcrun run cores.yaml"))).isEqualTo(Map.of("c1", 20L, "c2", 20L));
    String job = here("hpcrun submit --parsable cores.yaml").succeeded().output().strip();
    assertThat(JOBS.field(job, "Partition")).isEqualTo("main");
    assertThat(JOBS.field(job, "MinMemoryNode")).isEqualTo("4G");
    assertThat(JOBS.field(job, "NumTasks")).isEqualTo("40");
    JOBS.awaitEnd(job);
    Outcome again = here("hpcrun replay --dry-run " + job).succeeded();
    assertThat(again.error()).contains("the job script is that of job " + job + ", byte for byte");
    assertThat(again.output())
        .contains(
            "# nodes = 2: 40 cores, 8G of memory: 2 nodes of 32 cores, 15G of memory, 24 cores idle");
  }

  @Test
  void eachRankHasItsGpu() {
    file("gpus.yaml", "resources: {gpus: h100:6, cores: 12}");
    assertThat(counted(here("hpcrun run gpus.yaml")))
        .isEqualTo(Map.of("c1 0", 1L, "c1 1", 1L, "c1 2", 1L, "c2 0", 1L, "c2 1", 1L, "c2 2", 1L));
  }

  @Test
  void whatCanNeverStartIsRefusedWithTheReasonOfEachPartition() {
    file("large.yaml", "resources: {cores: 100}");
    int before = JOBS.known().size();
    Outcome refused = here("hpcrun submit large.yaml");
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(refused.error())
        .contains("100 cores can never start here (job file: ")
        .contains("main, short: it takes 4 nodes of 32 cores, and it has 2");
    Outcome late = here("hpcrun submit -p short -t 20 --resources=cores=1 app.sif -- true");
    assertThat(late.exitCode()).isEqualTo(3);
    assertThat(late.error()).contains("short: jobs end there after 00:10:00");
    assertThat(JOBS.known()).hasSize(before);
    System.out.println(refused.error());
    System.out.println(late.error());
  }

  @Test
  void explainSaysWhyThere() {
    Outcome explained =
        here("hpcrun explain --resources=cores=8,gpus=4 -t 20 app.sif -- true").succeeded();
    System.out.println(explained.output());
    assertThat(explained.output())
        .contains("partition = main\n    Slurm's default\n")
        .contains("nodes = 1\n    8 cores, 4 GPUs: 1 node of 32 cores, 4 GPUs, 24 cores idle\n")
        .contains("ntasks = 4\n    a rank for each GPU\n")
        .contains("[option --resources, sinfo, scontrol show partition]")
        .contains("verdict: it fits");
    Outcome both = here("hpcrun explain --resources=cores=8 -N 2 app.sif -- true");
    assertThat(both.exitCode()).isEqualTo(2);
    assertThat(both.error()).contains("both say how large the job is");
  }
}
