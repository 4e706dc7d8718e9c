package io.hpcrun.daemon.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.plan.Advice;
import io.hpcrun.planning.PlanAnswer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the metrics tell of plans and refusals. */
class PlanMetricsTest {
  private final Metrics metrics = new Metrics();

  private void refused(String... sources) {
    metrics.planned(
        new PlanAnswer(
            List.of(),
            List.of(),
            List.of(sources).stream().map(each -> new Advice("it", "that", each)).toList(),
            false,
            Optional.empty()));
  }

  private OpenMetricsText read() {
    return OpenMetricsText.read(new String(metrics.text(), StandardCharsets.UTF_8));
  }

  @Test
  void refusalsAreCountedByTheirRules() {
    refused("rule openmpi-no-pmix: Slurm's guide", "option --require-fabric");
    refused("rule openmpi-no-pmix: Slurm's guide");
    assertThat(read().nonZero("hpcrund_refusals_total"))
        .isEqualTo(Map.of("{rule=openmpi-no-pmix}", 2.0, "{rule=option-require-fabric}", 1.0));
    assertThat(read().nonZero("hpcrund_plans_total")).isEqualTo(Map.of("{outcome=refused}", 2.0));
  }

  @Test
  void refusalsByTheSitesRulesAreCountedByTheirIds() {
    refused("policy no-old-images (help@example.org)");
    refused("policy no-old-images (help@example.org)", "policy binds (Jane (HPC), room 1)");
    assertThat(read().nonZero("hpcrund_refusals_total"))
        .isEqualTo(Map.of("{rule=policy.no-old-images}", 2.0, "{rule=policy.binds}", 1.0));
  }

  @Test
  void whateverRequestsHoldTheRulesAreNoMoreThanTheLimit() {
    for (int i = 0; i < 1_000; i++) {
      refused("/home/user" + i + "/\"evil\"\n name");
    }
    assertThat(read().nonZero("hpcrund_refusals_total")).hasSizeLessThanOrEqualTo(101);
  }
}
