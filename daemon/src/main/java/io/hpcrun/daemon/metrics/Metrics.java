package io.hpcrun.daemon.metrics;

import io.hpcrun.plan.Advice;
import io.hpcrun.planning.PlanAnswer;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** The daemon's metrics, and their text in the OpenMetrics format. Thread-safe. */
public final class Metrics {
  /** The media type of {@link #text}. */
  public static final String TYPE = OpenMetricsTextFormatWriter.CONTENT_TYPE;

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final OpenMetricsTextFormatWriter writer =
      OpenMetricsTextFormatWriter.builder().setCreatedTimestampsEnabled(false).build();
  private final Counter plans =
      Counter.builder()
          .name("hpcrund_plans_total")
          .help("Plans made, by what came of them: planned, refused, needs_digest.")
          .labelNames("outcome")
          .register(registry);
  private final Counter refusals =
      Counter.builder()
          .name("hpcrund_refusals_total")
          .help("Launches refused before submission, by the rule.")
          .labelNames("rule")
          .register(registry);

  /** Where other parts register what they measure. */
  public PrometheusRegistry registry() {
    return registry;
  }

  /** Counts a plan. */
  public void planned(PlanAnswer answer) {
    plans
        .labelValues(
            !answer.refusals().isEmpty()
                ? "refused"
                : answer.needsDigest() ? "needs_digest" : "planned")
        .inc();
    answer.refusals().stream().map(Metrics::rule).forEach(rule -> refusals.labelValues(rule).inc());
  }

  /** The rule's name without the sources behind it: one of a fixed number. */
  private static String rule(Advice refusal) {
    return refusal.source().replaceFirst("^(rule )?([A-Za-z0-9_-]+).*", "$2");
  }

  /** All metrics as text. */
  public byte[] text() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      writer.write(out, registry.scrape());
    } catch (IOException inMemory) {
      throw new UncheckedIOException(inMemory);
    }
    return out.toByteArray();
  }
}
