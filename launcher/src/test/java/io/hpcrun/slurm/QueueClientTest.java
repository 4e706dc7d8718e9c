package io.hpcrun.slurm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class QueueClientTest {
  @Test
  void jobsThatWaitRunOrCompleteAreNotOver() {
    String said =
        """
        12|1001|PENDING
        13|1001|RUNNING
        14|1002|COMPLETING
        15|1002|COMPLETED
        16|1002|SUSPENDED
        17|1002|CANCELLED
        18|1002|TIMEOUT
        slurm_load_jobs error: Invalid job id specified
        x|1|RUNNING
        """;
    assertThat(QueueClient.parse(said))
        .isEqualTo(Map.of(12L, 1001L, 13L, 1001L, 14L, 1002L, 16L, 1002L));
  }

  @Test
  void anArrayIsNotOverUntilAllItsElementsAre() {
    assertThat(QueueClient.parse("20|1001|COMPLETED\n20|1001|RUNNING\n20|1001|FAILED\n"))
        .isEqualTo(Map.of(20L, 1001L));
  }
}
