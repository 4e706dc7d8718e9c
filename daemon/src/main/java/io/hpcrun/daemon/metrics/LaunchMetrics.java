package io.hpcrun.daemon.metrics;

import io.hpcrun.daemon.store.LaunchListener;
import io.hpcrun.daemon.store.LaunchOutcome;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.NodeRange;
import io.hpcrun.daemon.store.StoreException;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.timing.LaunchStages;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordSource;
import io.hpcrun.timing.Stage;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.Unit;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts what became of launches, and how long their stages took: every rank, node and launch once,
 * as {@code /v1/stages} does. Since the daemon's start; nothing is read again for it.
 */
final class LaunchMetrics implements LaunchListener {
  private static final Logger LOG = LoggerFactory.getLogger(LaunchMetrics.class);
  private static final double NS = 1e-9;

  /** Partitions that are told apart: each has a series for each stage, mode and bound. */
  static final int MOST_PARTITIONS = 20;

  /** From a rank's entering, a millisecond, to what an application may run, days. */
  private static final double[] BOUNDS_S = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200,
    28800, 86400
  };

  private static final Set<String> MODES = Set.of("join", "exec", "sharens");

  /** The mode of stages of a whole launch whose nodes differ. */
  private static final String MIXED = "mixed";

  private final LaunchStore store;
  private final LabelNames partitions;
  private final Counter ends =
      Counter.builder()
          .name("hpcrund_launch_ends_total")
          .help("Launches that ended, by what became of them as far as hpcrund knows.")
          .labelNames("outcome")
          .build();
  private final Histogram stages =
      Histogram.builder()
          .name("hpcrund_stage_seconds")
          .help(
              "How long stages of launches took: of each rank, node or launch, as it is measured.")
          .unit(Unit.SECONDS)
          .labelNames("stage", "partition", "mode")
          .classicOnly()
          .classicUpperBounds(BOUNDS_S)
          .build();

  /**
   * Nothing is counted yet.
   *
   * @param cluster the partitions that Slurm has; none while that is not known
   */
  LaunchMetrics(LaunchStore store, Supplier<Set<String>> cluster, PrometheusRegistry registry) {
    this.store = store;
    this.partitions = new LabelNames(MOST_PARTITIONS, cluster);
    Arrays.stream(LaunchOutcome.values()).forEach(each -> ends.initLabelValues(each.label()));
    registry.register(ends);
    registry.register(stages);
  }

  @Override
  public void ended(LaunchOutcome outcome) {
    ends.labelValues(outcome.label()).inc();
  }

  /** A failure to read costs these figures only: the records are in the store already. */
  @Override
  public void timed(Timed news) {
    try {
      store.launch(news.id(), Viewer.operator()).ifPresent(launch -> observe(launch, news));
    } catch (StoreException unread) {
      LOG.warn(
          "how long stages of launch {} took is not in the metrics: {}",
          news.id(),
          unread.getMessage());
    }
  }

  private void observe(StoredLaunch launch, Timed news) {
    Observer observer = new Observer(launch, news);
    if (news.first()) {
      observer.stages.job();
    }
    if (news.first() || news.whole()) {
      store.records(launch.id(), Viewer.operator()).ifPresent(all -> all.readNodes(observer));
    } else {
      for (String node : news.nodes()) {
        store
            .records(launch.id(), Viewer.operator(), NodeRange.of(node))
            .ifPresent(one -> one.readNodes(observer));
      }
    }
    if (news.whole()) {
      observer.leave();
    }
  }

  /** Puts durations of one launch where they belong. */
  private final class Observer implements RecordSource.Nodes {
    private final LaunchStages stages;
    private final Timed news;
    private final Set<String> nodes;
    private final String partition;
    private final String mode;
    private Map<Stage, DistributionDataPoint> points = new EnumMap<>(Stage.class);
    private String now;
    private boolean counts = true;

    Observer(StoredLaunch launch, Timed news) {
      this.stages = new LaunchStages(launch.times(), this::add);
      this.news = news;
      this.nodes = Set.copyOf(news.nodes());
      this.partition = partitions.shown(launch.partition().orElse(""));
      this.mode = mode(launch.entered().orElse(""));
      this.now = mode;
    }

    private static String mode(String entered) {
      return MODES.contains(entered)
          ? entered
          : entered.isEmpty()
              ? LabelNames.NONE
              : List.of(entered.split(" ")).contains("and") ? MIXED : LabelNames.OTHER;
    }

    private void as(String wanted) {
      if (!wanted.equals(now)) {
        points = new EnumMap<>(Stage.class);
        now = wanted;
      }
    }

    @Override
    public void head(RecordLine line) {
      counts = news.first() || nodes.contains(line.text("node"));
      as(mode(line.text("mode")));
      stages.beginNode();
      stages.node(line);
    }

    @Override
    public void rank(RankLine line) {
      stages.rank(line);
    }

    @Override
    public void nodeIsComplete() {
      counts = true;
      as(mode);
    }

    void leave() {
      stages.leave();
    }

    private void add(Stage stage, long nanoseconds, String node, long rank, long uncertainty) {
      if (counts) {
        points
            .computeIfAbsent(
                stage, each -> LaunchMetrics.this.stages.labelValues(each.label(), partition, now))
            .observe(nanoseconds * NS);
      }
    }
  }
}
