package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Flavour;
import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import io.hpcrun.lab.Timing;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Job arrays and jobs that wait for others: every element and every job is timed by itself. */
class ArrayAndDependencyIT {
  private static final int ELEMENTS = 4;

  private final LabCluster lab = LabCluster.of(Flavour.TRIXIE);
  private final Login alice = lab.alice();
  private final Jobs jobs = new Jobs(alice);
  private final String tiny = lab.image("tiny");
  private String array;

  @BeforeAll
  void runArray() {
    array =
        jobs.submit(
            "--array=0-3",
            "-N",
            "2",
            "-o",
            "array-%A-%a.out",
            "-e",
            "/dev/null",
            tiny,
            "--",
            "sh",
            "-c",
            "echo element $SLURM_ARRAY_TASK_ID on $SLURMD_NODENAME");
    jobs.awaitEnd(array);
  }

  @Test
  void runsEveryElement() {
    for (int element = 0; element < ELEMENTS; element++) {
      assertThat(alice.run("cat", "array-" + array + "-" + element + ".out").lines())
          .containsExactlyInAnyOrder(
              "element " + element + " on c1", "element " + element + " on c2");
    }
  }

  @Test
  void timesEveryElementByItself() {
    List<JsonNode> launches = Timing.of(alice, array).launches();
    assertThat(launches.stream().map(launch -> launch.at("/record/launch").asString()))
        .containsExactly(array + "_0.0.0", array + "_1.0.0", array + "_2.0.0", array + "_3.0.0");
    for (JsonNode launch : launches) {
      assertThat(launch.at("/stages/run/count").asInt()).isEqualTo(2);
      assertThat(launch.at("/stages/check/count").asInt()).isEqualTo(2);
      assertThat(launch.at("/stages/queue/count").asInt()).isEqualTo(1);
    }
  }

  @Test
  void showsOneElementOnRequest() {
    JsonNode launch = Timing.of(alice, array + "_2").launch();
    assertThat(launch.at("/record/job").asString()).isEqualTo(array + "_2");
    assertThat(alice.run("hpcrun", "timing", array + "_2").succeeded().output())
        .contains("launch " + array + "_2.0.0")
        .doesNotContain("launch " + array + "_1.0.0");
  }

  @Test
  void printsATableForEveryElement() {
    assertThat(alice.run("hpcrun", "timing", array).succeeded().lines())
        .filteredOn(line -> line.startsWith("launch "))
        .hasSize(ELEMENTS);
  }

  @Test
  void timesTheQueueOfADependentJobFromItsOwnSubmission() {
    String first = jobs.submit("-o", "/dev/null", tiny, "--", "sleep", "3");
    String second =
        jobs.submit(
            "--dependency=afterok:" + first, "-o", "/dev/null", tiny, "--", "sh", "-c", "exit 4");
    assertThat(jobs.field(second, "Dependency")).startsWith("afterok:" + first);
    jobs.awaitEnd(List.of(first, second));
    JsonNode launch = Timing.of(alice, second).launch();
    assertThat(launch.at("/record/exit").asInt()).isEqualTo(4);
    JsonNode record = launch.get("record");
    assertThat(record.get("start_s").asLong())
        .as("the dependent job starts after the first has run")
        .isGreaterThanOrEqualTo(
            Timing.of(alice, first).launch().at("/record/launch_done_ns").asLong() / 1_000_000_000);
    assertThat(launch.at("/stages/queue/max_ns").asLong())
        .isEqualTo(
            (record.get("start_s").asLong() - record.get("submit_s").asLong()) * 1_000_000_000)
        .isPositive();
  }

  @Test
  void neverStartsAJobWhoseDependencyFailed() {
    String first = jobs.submit("-o", "/dev/null", tiny, "--", "false");
    String second =
        jobs.submit(
            "--dependency=afterok:" + first,
            "--sbatch=--kill-on-invalid-dep=yes",
            "-o",
            "/dev/null",
            tiny,
            "--",
            "touch",
            "dependent-started");
    jobs.awaitEnd(List.of(first, second));
    assertThat(alice.run("test", "-e", "dependent-started").exitCode()).isEqualTo(1);
    assertThat(alice.run("hpcrun", "timing", second).exitCode()).isEqualTo(2);
  }
}
