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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Ranks and GPUs, with Slurm's real GRES and device nodes that stand for GPUs, four a node: each
 * rank sees its own by variable, and all of the job's are there for it to open.
 */
class GpuIT {
  private static final LabCluster LAB = LabCluster.of(Flavour.TRIXIE);
  private static final Login ALICE = LAB.alice();
  private static final List<String> TABLE = new ArrayList<>();

  /** What a rank sees; $1 sets the digits apart. */
  private static final String SHOW =
      "echo node=$SLURM_NODEID local=$SLURM_LOCALID cuda=$CUDA_VISIBLE_DEVICES"
          + " order=$CUDA_DEVICE_ORDER files=$(ls /dev/nvidia[0-9] | wc -l) bind=$SLURM_TRES_BIND";

  private static Outcome run(String mode, String options) {
    List<String> words = new ArrayList<>(List.of("timeout", "60", "hpcrun", "run"));
    words.add("--mode=" + mode);
    words.addAll(List.of(options.split(" ")));
    words.addAll(List.of(LAB.image("tiny"), "--", "sh", "-c", SHOW));
    return ALICE.run(words);
  }

  /**
   * SEEN: what the ranks of each node see, in the order of their local numbers, parted by blanks.
   */
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "-N1 -n4 --gpus-per-node=4, 0 1 2 3",
    "-N2 -n8 --ntasks-per-node=4 --gpus-per-node=4, 0 1 2 3",
    "-N1 -n2 --gpus-per-node=4, '0,1 2,3'",
    "-N1 -n1 --gpus-per-node=4, '0,1,2,3'",
    "-N1 -n2 --gres=gpu:3, '0 1,2'",
    "-N1 -n4 --gres=gpu:h100:2, 0 0 1 1",
    "-N1 -n4 --gpus-per-task=1, 0 1 2 3",
    "-N1 -n2 --gpus-per-task=2, '0,1 2,3'",
    "-N1 -n4 --gpus=4 --ntasks-per-gpu=1, 0 1 2 3",
    "-N1 -n4 --gpus-per-node=4 --gpu-bind=none, '0,1,2,3 0,1,2,3 0,1,2,3 0,1,2,3'",
    "'-N1 -n4 --gpus-per-node=4 --gpu-bind=map_gpu:3,2,1,0', 3 2 1 0",
    "-N1 -n4 --gpus-per-node=4 --gpu-bind=single:2, 0 0 1 1"
  })
  void eachRankSeesItsGpus(String options, String seen) {
    List<String> expected = List.of(seen.split(" "));
    for (String mode : List.of("join", "exec")) {
      Outcome outcome = run(mode, options);
      assertThat(outcome.exitCode()).as("%s", outcome).isZero();
      List<String> lines =
          outcome.lines().stream().filter(line -> line.startsWith("node=")).sorted().toList();
      assertThat(lines).as("%s", outcome).isNotEmpty();
      for (String line : lines) {
        int local = Integer.parseInt(line.replaceAll(".*local=(\\d+).*", "$1"));
        assertThat(line)
            .as("%s, %s: %s", mode, options, lines)
            .contains("cuda=" + expected.get(local) + " order=PCI_BUS_ID files=4 bind=");
        // Where GPUs are asked for by rank, Slurm would bind them.
        assertThat(line.replaceAll(".* bind=", ""))
            .as("%s, %s: %s", mode, options, lines)
            .matches(options.contains("-bind=") ? ".*" : "|gres/gpu:none");
      }
      TABLE.add("%-5s %-58s %s".formatted(mode, options, String.join("; ", expected)));
    }
  }

  /** A step of a script says how, or asks for GPUs by rank. */
  @Test
  void stepsSayHowTheirGpusAreDivided() {
    ALICE.write(
        "bind.sh",
        ("#!/bin/bash\n#SBATCH -N1 -n4 --gpus-per-node=4\n#HPCRUN --image="
                + LAB.image("tiny")
                + "\nhpcrun exec -n2 --gpu-bind=map_gpu:3,2 -- sh -c 'echo map $SLURM_LOCALID"
                + " $CUDA_VISIBLE_DEVICES'\n"
                + "hpcrun exec -n2 --gpus-per-task=2 -- sh -c 'echo task $SLURM_LOCALID"
                + " $CUDA_VISIBLE_DEVICES'\n")
            .getBytes(StandardCharsets.UTF_8));
    Outcome outcome = ALICE.run("timeout", "60", "hpcrun", "run", "bind.sh");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.lines())
        .as("%s", outcome)
        .contains("map 0 3", "map 1 2", "task 0 0,1", "task 1 2,3");
  }

  /** As Slurm divides them, for comparison: with --gpus-per-task it is Slurm that binds. */
  @Test
  void saysWhoDividesThem() {
    Outcome ours =
        ALICE.run("hpcrun", "explain", "-n4", "--gpus-per-task=1", LAB.image("tiny"), "--", "pwd");
    assertThat(ours.output()).contains("gpu-bind = hpcrun", "share its GPUs", "NVIDIA/nccl#1066");
    Outcome theirs =
        ALICE.run(
            "hpcrun",
            "explain",
            "-n4",
            "--gpus-per-task=1",
            "--gpu-bind=per_task:1",
            LAB.image("tiny"),
            "--",
            "pwd");
    assertThat(theirs.output()).contains("gpu-bind = slurm", "you say how ranks get their GPUs");
    Outcome none = ALICE.run("hpcrun", "explain", "-n4", LAB.image("tiny"), "--", "pwd");
    assertThat(none.output()).doesNotContain("gpu-bind");
  }

  /** The steps of a script have sizes of their own. */
  @Test
  void stepsOfAScriptDivideThemAnew() {
    ALICE.write(
        "gpus.sh",
        ("#!/bin/bash\n#SBATCH -N1 -n4 --gpus-per-node=4\n#HPCRUN --image="
                + LAB.image("tiny")
                + "\nhpcrun exec -n4 -- sh -c 'echo four $SLURM_LOCALID $CUDA_VISIBLE_DEVICES'\n"
                + "hpcrun exec -n2 -- sh -c 'echo two $SLURM_LOCALID $CUDA_VISIBLE_DEVICES'\n")
            .getBytes(StandardCharsets.UTF_8));
    Outcome outcome = ALICE.run("timeout", "60", "hpcrun", "run", "gpus.sh");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.lines())
        .as("%s", outcome)
        .contains("four 0 0", "four 3 3", "two 0 0,1", "two 1 2,3");
  }

  /** The launch's record says what the node has. */
  @Test
  void recordsWhatTheNodeHas() {
    Outcome outcome = run("join", "-N1 -n1 --gpus-per-node=1");
    String job = outcome.error().replaceAll("(?s).*launch (\\d+)\\..*", "$1");
    assertThat(ALICE.bash("cat .local/state/hpcrun/records/" + job + "/*.node.*").output())
        .contains(
            "\"topology\":{\"machine\":",
            "{\"gpu\":3,\"kind\":\"nvidia\",\"device\":\"/dev/nvidia3\"}");
  }

  /** An image that holds CUDA gets the node's driver, with it its devices, if the job has GPUs. */
  @Test
  void showsTheDriverToImagesWithCuda() {
    ALICE
        .bash(
            "apptainer build --sandbox cuda \"$1\" && mkdir -p cuda/usr/lib"
                + " && : >cuda/usr/lib/libcudart.so.12.4.127",
            LAB.image("tiny"))
        .succeeded();
    String devices = "cd /dev && echo nvidia:$(echo nvidia[0-9])";
    for (List<String> row :
        List.of(
            List.of("--gpus-per-node=2", "nvidia:nvidia0 nvidia1 nvidia2 nvidia3"),
            List.of("--gpus-per-node=2 --no-nv", "nvidia:nvidia[0-9]"),
            List.of("--job-name=none", "nvidia:nvidia[0-9]"))) {
      for (String mode : List.of("join", "exec")) {
        List<String> words =
            new ArrayList<>(List.of("timeout", "60", "hpcrun", "run", "-N1", "-n1", "--contain"));
        words.add("--mode=" + mode);
        words.addAll(List.of(row.getFirst().split(" ")));
        words.addAll(List.of("cuda", "--", "sh", "-c", devices));
        Outcome outcome = ALICE.run(words);
        assertThat(outcome.exitCode()).as("%s", outcome).isZero();
        assertThat(outcome.lines()).as("%s: %s", row, outcome).contains(row.getLast());
      }
    }
    assertThat(ALICE.run("hpcrun", "explain", "--gpus-per-node=2", "cuda", "--", "pwd").output())
        .contains("nv = if the job has GPUs", "the image holds /usr/lib/libcudart.so.12.4.127");
  }

  @Test
  void showsANode() {
    Outcome outcome = ALICE.run("hpcrun", "topo", "--node=c2");
    assertThat(outcome.exitCode()).as("%s", outcome).isZero();
    assertThat(outcome.output()).startsWith("c2").contains("GPU 0  /dev/nvidia0");
    Outcome wrong = ALICE.run("hpcrun", "topo", "--node=c9");
    assertThat(wrong.exitCode()).isEqualTo(4);
    assertThat(wrong.error()).contains("srun on c9 failed", "'sinfo -N' names the nodes");
    Outcome nowhere = ALICE.run("hpcrun", "topo", "--root=/nowhere");
    assertThat(nowhere.exitCode()).isEqualTo(2);
    assertThat(nowhere.error()).contains("the devices below '/nowhere/' cannot be looked at");
  }

  @AfterAll
  static void print() {
    TABLE.forEach(System.out::println);
  }
}
