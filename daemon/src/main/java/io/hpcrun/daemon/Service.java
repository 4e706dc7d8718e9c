package io.hpcrun.daemon;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.daemon.api.Accounts;
import io.hpcrun.daemon.api.Answer;
import io.hpcrun.daemon.api.ApiServer;
import io.hpcrun.daemon.api.Call;
import io.hpcrun.daemon.api.Caller;
import io.hpcrun.daemon.api.DashboardEndpoints;
import io.hpcrun.daemon.api.Endpoint;
import io.hpcrun.daemon.api.HealthEndpoints;
import io.hpcrun.daemon.api.ImageEndpoints;
import io.hpcrun.daemon.api.LaunchEndpoints;
import io.hpcrun.daemon.api.OpenApi;
import io.hpcrun.daemon.api.PlanEndpoints;
import io.hpcrun.daemon.api.Problem;
import io.hpcrun.daemon.api.SiteEndpoints;
import io.hpcrun.daemon.api.Tokens;
import io.hpcrun.daemon.ingest.FileOwner;
import io.hpcrun.daemon.ingest.Ingest;
import io.hpcrun.daemon.ingest.Spool;
import io.hpcrun.daemon.metrics.Metrics;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.StoreException;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.UserCache;
import io.hpcrun.planning.LocalPlanning;
import io.hpcrun.policy.Policy;
import io.hpcrun.site.Site;
import io.hpcrun.slurm.QueueClient;
import io.hpcrun.slurm.SlurmClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The daemon at work: its parts, started in order and stopped in the opposite one. */
final class Service implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Service.class);

  /** A node of 10,000 ranks has a record of 2 MB. */
  private static final int LARGEST_RECORD = 8 << 20;

  private final Metrics metrics = new Metrics();
  private final Tokens tokens = new Tokens(Clock.systemUTC());
  private final ClusterWatch cluster;
  private final LaunchStore store;
  private final Housekeeping housekeeping;
  private final Optional<Ingest> ingest;
  private final SlurmJobs jobs;
  private final Optional<Images> images;
  private final ApiServer server;
  private final Supplier<Site> site;
  private final Supplier<Policy> policy;
  private volatile Settings settings;
  private volatile Accounts accounts;

  /**
   * Prepares all parts.
   *
   * @throws Failure with exit code 2 when the state directory cannot be used
   */
  static Service of(Settings settings, SiteWatch site) {
    Path cache = directory(settings.state().resolve("cache"));
    return new Service(
        settings,
        new LocalPlanning(new SlurmClient(), new UserCache(cache))::cluster,
        new SlurmClient()::partitionNames,
        site::site,
        site::policy);
  }

  /** Prepares all parts, at a site without rules. */
  Service(Settings settings, Supplier<ClusterFacts> slurm) {
    this(settings, slurm, Set::of, () -> Site.NONE, () -> Policy.NONE);
  }

  /**
   * Prepares all parts.
   *
   * @param slurm tells what the cluster offers
   * @param partitions tells the names of its partitions
   * @param site what the site file says
   * @param policy the site's rules
   */
  Service(
      Settings settings,
      Supplier<ClusterFacts> slurm,
      Supplier<Set<String>> partitions,
      Supplier<Site> site,
      Supplier<Policy> policy) {
    this.site = site;
    this.policy = policy;
    use(settings);
    this.cluster = new ClusterWatch(slurm, partitions, Clock.systemUTC());
    // Each takes a quarter of the start: the database and the HTTP server are opened at once.
    FutureTask<LaunchStore> opening = new FutureTask<>(() -> open(settings));
    Thread.ofPlatform().name("store").start(opening);
    this.server = new ApiServer(settings, () -> accounts, tokens);
    this.store = result(opening);
    metrics.ofLaunches(store, cluster::partitions);
    this.jobs = new SlurmJobs(store);
    this.housekeeping = new Housekeeping(store, jobs::cluster, () -> this.settings.store());
    this.ingest =
        settings
            .spool()
            .map(
                spool ->
                    Ingest.start(
                        Spool.open(spool, LARGEST_RECORD, FileOwner.fromFileSystem()),
                        store,
                        Ingest.Pace.usual(),
                        Clock.systemUTC()));
    metrics.ofStore(housekeeping::size);
    ingest.ifPresent(running -> metrics.ofIngest(running::figures));
    this.images =
        settings
            .images()
            .directory()
            .map(
                each ->
                    Images.of(settings.images(), store, jobs::cluster, new QueueClient()::owners));
    images.ifPresent(each -> metrics.ofImages(each.store(), each.pulls().counts()));
  }

  private static LaunchStore open(Settings settings) {
    Path database = directory(settings.state()).resolve("launches.db");
    String url = settings.store().url().orElse("jdbc:sqlite:" + database);
    try {
      return LaunchStore.open(url, new Properties(), Clock.systemUTC());
    } catch (StoreException failed) {
      throw Failure.internal(
          "the database %s cannot be opened: %s"
              .formatted(url.replaceFirst("\\?.*", ""), failed.getMessage()),
          "make room on the disk of daemon.state, or check that the server of daemon.store.url"
              + " answers; records wait in the spool, and commands go on without hpcrund",
          failed);
    }
  }

  private static <T> T result(FutureTask<T> task) {
    try {
      return task.get();
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new IllegalStateException(failed.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  private List<Endpoint> endpoints() {
    List<Endpoint> endpoints = new ArrayList<>();
    endpoints.addAll(new HealthEndpoints(this::problems).endpoints());
    endpoints.addAll(new PlanEndpoints(cluster::facts, policy, metrics::planned).endpoints());
    endpoints.addAll(new SiteEndpoints(site).endpoints());
    endpoints.add(
        Endpoint.get(
            "/metrics",
            "The daemon's metrics in the OpenMetrics format.",
            List.of(),
            null,
            call -> Answer.of(Metrics.TYPE, metrics.text())));
    endpoints.addAll(new LaunchEndpoints(store, this::imageSources).endpoints());
    endpoints.add(
        Endpoint.get(
            "/v1/me", "Who asks.", List.of(), Caller.class, call -> Answer.json(call.caller())));
    endpoints.addAll(
        new ImageEndpoints(
                images.map(Images::pulls),
                images.map(Images::store),
                images.map(Images::claims),
                new QueueClient()::owners)
            .endpoints());
    endpoints.add(
        new Endpoint(
            "POST",
            "/v1/tokens",
            "A token for the dashboard and for other machines, valid for twelve hours.",
            List.of(),
            Optional.empty(),
            Optional.of(Tokens.Token.class),
            this::token,
            Endpoint.Access.SOCKET));
    List<Endpoint> described = List.copyOf(endpoints);
    endpoints.add(
        Endpoint.get(
            "/v1/openapi.json",
            "This document.",
            List.of(),
            null,
            call -> Answer.json(OpenApi.of(described))));
    endpoints.addAll(new DashboardEndpoints().endpoints());
    return endpoints;
  }

  /** Begins to work; returns when requests are answered. */
  void start() {
    cluster.start();
    server.start(endpoints());
    housekeeping.start();
    jobs.start();
    LOG.info("listening at {}", settings.socket());
    for (MachineCheck.Finding finding : MachineCheck.of(settings)) {
      LOG.warn("{}; {}", finding.text(), finding.remedy());
    }
  }

  /** Waits until Slurm was asked for the first time. */
  void awaitCluster() throws InterruptedException {
    cluster.awaitFirst();
  }

  /**
   * Goes on with other settings. What is opened at the start (socket, directories, database) stays
   * as it is until the next start, and is said to.
   */
  void reload(Settings changed) {
    if (!changed.socket().equals(settings.socket())
        || !changed.state().equals(settings.state())
        || !changed.spool().equals(settings.spool())
        || !changed.store().url().equals(settings.store().url())
        || !changed.tcp().equals(settings.tcp())
        || !changed.limits().equals(settings.limits())
        || !changed.images().equals(settings.images())) {
      LOG.warn("socket, state, spool, store, tcp, limits and images are changed by a restart only");
    }
    use(changed);
    LOG.info("the settings are read anew");
  }

  private void use(Settings now) {
    this.settings = now;
    this.accounts = new Accounts(now.operators(), System::nanoTime);
  }

  private Map<String, String> imageSources(Caller caller) {
    return images.map(each -> ImageEndpoints.sources(each.store(), caller)).orElse(Map.of());
  }

  private Answer token(Call call) {
    String page =
        settings
            .tcp()
            .map(Settings.Tcp::page)
            .orElseThrow(
                () ->
                    Problem.unavailable(
                        "hpcrund has no dashboard here: it listens at its Unix socket only",
                        "ask the administrators for daemon.tcp in hpcrund's settings"));
    return Answer.json(tokens.give(call.caller(), page));
  }

  private Map<String, String> problems() {
    Map<String, String> problems = new TreeMap<>();
    if (cluster.facts().isEmpty()) {
      problems.put("cluster", "Slurm has not answered for minutes");
    }
    ingest.ifPresent(
        running -> {
          if (!running.isAlive()) {
            problems.put("ingest", "records are not taken in any more");
          }
          running.figures().trouble().ifPresent(trouble -> problems.put("store", trouble));
        });
    server.trouble().ifPresent(trouble -> problems.put("tcp", "tcp: " + trouble));
    return problems;
  }

  private static Path directory(Path wanted) {
    try {
      return Files.createDirectories(wanted);
    } catch (IOException failed) {
      throw Failure.usage(
          "hpcrund cannot make " + wanted + ": " + failed.getMessage(),
          "make daemon.state a directory that hpcrund's user may write to");
    }
  }

  /** Ends in order: what was asked is answered, nothing new is taken. */
  @Override
  public void close() {
    LOG.info("stopping");
    server.stop();
    images.ifPresent(Images::close);
    cluster.close();
    ingest.ifPresent(Ingest::close);
    jobs.close();
    housekeeping.close();
    store.close();
  }
}
