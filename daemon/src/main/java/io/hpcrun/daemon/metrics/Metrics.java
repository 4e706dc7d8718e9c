package io.hpcrun.daemon.metrics;

import io.hpcrun.daemon.images.ImageStore;
import io.hpcrun.daemon.images.PullCounts;
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
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/** The daemon's metrics, and their text in the OpenMetrics format. Thread-safe. */
public final class Metrics {
  /** The media type of {@link #text}. */
  public static final String TYPE = OpenMetricsTextFormatWriter.CONTENT_TYPE;

  private static final int MOST_RULES = 100;

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

  private final LabelNames rules = new LabelNames(MOST_RULES);

  /** No plan yet. */
  public Metrics() {
    List.of("planned", "refused", "needs_digest").forEach(plans::initLabelValues);
  }

  /** Where other parts register what they measure. */
  public PrometheusRegistry registry() {
    return registry;
  }

  /**
   * Counts launches that the store hears the end of, and how long their stages took.
   *
   * @param partitions those that Slurm has, which alone are told apart; none while that is not
   *     known, and then any is
   */
  public void ofLaunches(LaunchStore store, Supplier<Set<String>> partitions) {
    store.listen(new LaunchMetrics(store, partitions, registry));
  }

  /** Shows how much the store holds; nothing before it was looked at. */
  public void ofStore(Supplier<Optional<LaunchStore.Size>> size) {
    GaugeWithCallback.builder()
        .name("hpcrund_launches")
        .help("Launches in the store, by their state.")
        .labelNames("state")
        .callback(
            gauge ->
                size.get()
                    .ifPresent(
                        now ->
                            now.launches()
                                .forEach((state, n) -> gauge.call((double) n, state.label()))))
        .register(registry);
    gauge(
        "hpcrund_store_nodes",
        "Nodes of launches in the store.",
        () -> size.get().map(now -> (double) now.nodes()));
    gauge(
        "hpcrund_store_bytes",
        "Bytes that the store uses.",
        () -> size.get().map(now -> (double) now.bytes()));
  }

  /** Shows what the image store holds and what was asked of it. */
  public void ofImages(ImageStore store, PullCounts counts) {
    CounterWithCallback.builder()
        .name("hpcrund_image_requests_total")
        .help(
            "Requests for images: the image was there (hit), somebody else's pull of it went on"
                + " (joined), a pull was begun (miss).")
        .labelNames("result")
        .callback(
            counter -> {
              counter.call(counts.hits(), "hit");
              counter.call(counts.joins(), "joined");
              counter.call(counts.misses(), "miss");
            })
        .register(registry);
    counter("hpcrund_image_failures_total", "Requests that failed.", counts::failures);
    counter("hpcrund_image_pulls_total", "Images that were pulled.", counts::pulls);
    counter(
        "hpcrund_image_pull_seconds_total",
        "What their pulls took together.",
        () -> counts.nanos() * 1e-9);
    counter("hpcrund_image_pulled_bytes_total", "Bytes of their SIF files.", counts::bytes);
    gauge(
        "hpcrund_image_store_images",
        "Images in the store.",
        () -> Optional.of((double) store.all().size()));
    gauge(
        "hpcrund_image_store_bytes",
        "Bytes that they have.",
        () -> Optional.of((double) store.size()));
    gauge(
        "hpcrund_image_store_quota_bytes",
        "Bytes that they may have.",
        () -> Optional.of((double) store.quota()));
  }

  /** Shows what the ingest does. */
  public void ofIngest(Supplier<IngestFigures> figures) {
    gauge(
        "hpcrund_ingest_lag_seconds",
        "How old the oldest record was that came into the store last, or waits.",
        () -> Optional.of(figures.get().lag().toMillis() / 1e3));
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

  private void gauge(String name, String help, Supplier<Optional<Double>> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(gauge -> value.get().ifPresent(gauge::call))
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
    answer.refusals().stream().map(this::rule).forEach(rule -> refusals.labelValues(rule).inc());
  }

  /**
   * The rule's name without what stands behind it, of a site's rule with {@code policy.} before it;
   * of a refusal by no rule its source.
   */
  private String rule(Advice refusal) {
    String source = refusal.source();
    return rules.shown(
        refusal.isOfSite()
            ? source.replaceFirst("^policy ([^ ]+).*", "policy.$1")
            : source.startsWith("rule ")
                ? source.substring("rule ".length()).replaceFirst(":.*", "")
                : source.replaceAll("[^A-Za-z0-9]+", "-"));
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
