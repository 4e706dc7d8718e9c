package io.hpcrun.daemon.metrics;

import io.hpcrun.daemon.ingest.IngestFigures;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.plan.Advice;
import io.hpcrun.planning.PlanAnswer;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

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

  /** No plan yet. */
  public Metrics() {
    List.of("planned", "refused", "needs_digest").forEach(plans::initLabelValues);
  }

  /** Where other parts register what they measure. */
  public PrometheusRegistry registry() {
    return registry;
  }

  /** Shows how much the store holds. */
  public void ofStore(Supplier<LaunchStore.Size> size) {
    GaugeWithCallback.builder()
        .name("hpcrund_launches")
        .help("Launches in the store, by their state.")
        .labelNames("state")
        .callback(
            gauge ->
                size.get()
                    .launches()
                    .forEach((state, count) -> gauge.call((double) count, state.label())))
        .register(registry);
    gauge("hpcrund_store_nodes", "Nodes of launches in the store.", () -> size.get().nodes());
    gauge("hpcrund_store_bytes", "Bytes that the store uses.", () -> size.get().bytes());
  }

  /** Shows what the ingest does. */
  public void ofIngest(Supplier<IngestFigures> figures) {
    gauge(
        "hpcrund_ingest_lag_seconds",
        "How old the oldest record was that came into the store last, or waits.",
        () -> figures.get().lag().toMillis() / 1e3);
    CounterWithCallback.builder()
        .name("hpcrund_ingest_records_total")
        .help("Records taken in: stored, known before, differing from the first, quarantined.")
        .labelNames("outcome")
        .callback(
            counter -> {
              IngestFigures now = figures.get();
              counter.call(now.stored(), "stored");
              counter.call(now.known(), "known");
              counter.call(now.differing(), "differing");
              counter.call(now.quarantined(), "quarantined");
            })
        .register(registry);
    counter("hpcrund_ingest_ranks_total", "Ranks taken in.", () -> figures.get().ranks());
    counter("hpcrund_ingest_bytes_total", "Bytes of records.", () -> figures.get().bytes());
    counter(
        "hpcrund_ingest_failures_total",
        "How often a file or the store failed; it is tried again.",
        () -> figures.get().unreadable() + figures.get().storeFailures());
  }

  private void gauge(String name, String help, DoubleSupplier value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(gauge -> gauge.call(value.getAsDouble()))
        .register(registry);
  }

  private void counter(String name, String help, DoubleSupplier value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(counter -> counter.call(value.getAsDouble()))
        .register(registry);
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
