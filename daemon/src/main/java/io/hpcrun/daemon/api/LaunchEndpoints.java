package io.hpcrun.daemon.api;

import io.hpcrun.daemon.api.Endpoint.Parameter;
import io.hpcrun.daemon.api.LaunchDocuments.Group;
import io.hpcrun.daemon.api.LaunchDocuments.Groups;
import io.hpcrun.daemon.api.LaunchDocuments.Launch;
import io.hpcrun.daemon.api.LaunchDocuments.Launches;
import io.hpcrun.daemon.api.LaunchDocuments.Nodes;
import io.hpcrun.daemon.api.LaunchDocuments.NodesMeasured;
import io.hpcrun.daemon.api.LaunchDocuments.Rank;
import io.hpcrun.daemon.api.LaunchDocuments.Ranks;
import io.hpcrun.daemon.api.LaunchDocuments.StageFigures;
import io.hpcrun.daemon.api.LaunchDocuments.Timing;
import io.hpcrun.daemon.store.Grouping;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.NodeRange;
import io.hpcrun.daemon.store.Page;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.StoredNode;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.timing.LaunchStages;
import io.hpcrun.timing.LaunchTimes;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import tools.jackson.core.JsonGenerator;

/** Launches and their timing. A user sees own ones, an operator all. */
public final class LaunchEndpoints {
  private static final long PAGE = 100;
  private static final long LARGEST_PAGE = LaunchStore.PAGE_LIMIT;
  private static final long RANKS = 100_000;
  private static final long LARGEST_RANKS = 1_000_000;
  private static final int MOST_NODES = 10_000;
  private static final int MOST_GROUPS = 10_000;
  private static final long LATEST_S = 1L << 33; // nanoseconds of it fit into 63 bits

  private static final List<Parameter> FILTER =
      List.of(
          new Parameter("user", "string", "The owner's name."),
          new Parameter("cluster", "string", "Slurm's name of the cluster."),
          new Parameter("image", "string", "The image's path or id."),
          new Parameter("partition", "string", "The partition."),
          new Parameter("node", "string", "A node that took part."),
          new Parameter("mode", "string", "How ranks entered."),
          new Parameter("state", "string", "unknown, running, ended or refused."),
          new Parameter("job", "string", "The beginning of the job's id."),
          new Parameter("since", "integer", "Begun then or later, in seconds since the epoch."),
          new Parameter("until", "integer", "Begun before, in seconds since the epoch."));
  private static final List<Parameter> PAGING =
      List.of(
          new Parameter("limit", "integer", "How many at most, 1 to 1000; default 100."),
          new Parameter("after", "string", "The member next of the page before."));

  private final LaunchStore store;
  private final Function<Caller, Map<String, String>> sources;

  /**
   * Answers from the store.
   *
   * @param sources where images of the image store were pulled from, by the images' paths, as far
   *     as a caller may know it
   */
  public LaunchEndpoints(LaunchStore store, Function<Caller, Map<String, String>> sources) {
    this.store = store;
    this.sources = sources;
  }

  /** The endpoints. */
  public List<Endpoint> endpoints() {
    return List.of(
        Endpoint.get(
            "/v1/launches",
            "Launches, newest first.",
            Stream.concat(FILTER.stream(), PAGING.stream()).toList(),
            Launches.class,
            this::launches),
        Endpoint.get(
            "/v1/launches/{id}",
            "A launch and its timing; nodes_next is the parameter after of its stages' next page.",
            List.of(),
            Timing.class,
            this::launch),
        Endpoint.get(
            "/v1/launches/{id}/stages",
            "How long stages took on each node of a launch, nodes by their names.",
            PAGING,
            NodesMeasured.class,
            this::measured),
        Endpoint.get(
            "/v1/launches/{id}/nodes",
            "The nodes of a launch, by their names, or one of them.",
            Stream.concat(
                    Stream.of(new Parameter("node", "string", "Only this node.")), PAGING.stream())
                .toList(),
            Nodes.class,
            this::nodes),
        Endpoint.get(
            "/v1/launches/{id}/ranks",
            "The ranks of a launch, node by node, or of one of its nodes.",
            List.of(
                new Parameter("node", "string", "Only this node's ranks."),
                new Parameter(
                    "limit",
                    "integer",
                    "No further node after so many ranks, 1 to 1000000; default 100000."),
                new Parameter("after", "string", "The member next of the page before.")),
            Ranks.class,
            this::ranks),
        Endpoint.get(
            "/v1/stages",
            "How long stages took, over all ranks of the launches.",
            Stream.concat(
                    Stream.of(
                        new Parameter(
                            "group", "string", "none, image, partition, mode, day or node.")),
                    FILTER.stream())
                .toList(),
            Groups.class,
            this::stages));
  }

  private Answer launches(Call call) {
    Optional<Page.Cursor> after =
        call.parameter("after")
            .map(
                text ->
                    Page.Cursor.parse(text)
                        .orElseThrow(
                            () ->
                                Problem.badRequest(
                                    "the parameter after is '" + text + "'",
                                    "give the member next of the page before")));
    Page page = store.launches(filter(call), viewer(call), limit(call), after);
    Map<String, String> images = sources.apply(call.caller());
    return Answer.json(
        new Launches(
            page.launches().stream().map(each -> Launch.of(each, images)).toList(),
            page.next().map(Page.Cursor::toString)));
  }

  private Answer launch(Call call) {
    StoredLaunch stored = stored(call);
    NodesMeasured first = measured(call, stored, "", (int) LARGEST_PAGE);
    LaunchTiming all = LaunchTiming.readOverall(records(call, stored, NodeRange.ALL));
    return Answer.json(Timing.of(stored, all, first, sources.apply(call.caller())));
  }

  private Answer measured(Call call) {
    StoredLaunch stored = stored(call);
    return Answer.json(measured(call, stored, call.parameter("after").orElse(""), limit(call)));
  }

  private NodesMeasured measured(Call call, StoredLaunch stored, String after, int limit) {
    NodeRange range = store.range(stored.id(), viewer(call), after, limit, Long.MAX_VALUE);
    LaunchTiming some = LaunchTiming.read(records(call, stored, range), Map::of);
    return new NodesMeasured(figures(some), next(range));
  }

  private static Map<String, Map<String, StageFigures>> figures(LaunchTiming timing) {
    Map<String, Map<String, StageFigures>> nodes = new LinkedHashMap<>();
    timing.nodes().forEach((node, stages) -> nodes.put(node, StageFigures.of(stages)));
    return nodes;
  }

  private static Optional<String> next(NodeRange range) {
    return Optional.of(range.upTo()).filter(last -> range.isCut());
  }

  private RecordSource records(Call call, StoredLaunch stored, NodeRange range) {
    return store.records(stored.id(), viewer(call), range).orElseThrow(() -> unknown(call));
  }

  private Answer nodes(Call call) {
    StoredLaunch stored = stored(call);
    Optional<String> only = call.parameter("node");
    StoredNode.Page page =
        only.isPresent()
            ? new StoredNode.Page(
                store.node(stored.id(), viewer(call), only.get()).stream().toList(), false)
            : store.nodes(
                stored.id(), viewer(call), call.parameter("after").orElse(""), limit(call));
    return stream(
        "nodes",
        Optional.of(page).filter(StoredNode.Page::more).map(cut -> cut.nodes().getLast().node()),
        json -> {
          for (StoredNode node : page.nodes()) {
            json.writeStartObject();
            json.writeStringProperty("node", node.node());
            json.writeNumberProperty("ranks", node.ranks());
            if (node.mode().isPresent()) {
              json.writeStringProperty("mode", node.mode().get());
            }
            json.writeName("record");
            json.writeRawValue(node.record()); // JSON, as it was checked when it came in
            json.writeEndObject();
          }
        });
  }

  private Answer ranks(Call call) {
    StoredLaunch stored = stored(call);
    long most = call.number("limit", 1, LARGEST_RANKS).orElse(RANKS);
    NodeRange range =
        call.parameter("node")
            .map(NodeRange::of)
            .orElseGet(
                () ->
                    store.range(
                        stored.id(),
                        viewer(call),
                        call.parameter("after").orElse(""),
                        MOST_NODES,
                        most));
    RecordSource records = records(call, stored, range);
    return stream(
        "ranks", next(range), json -> records.readNodes(new RankWriter(json, stored.times())));
  }

  /** A list that is written as it is read, and where the next page begins. */
  private static Answer stream(
      String member, Optional<String> next, Consumer<JsonGenerator> elements) {
    return Answer.jsonStream(
        out -> {
          // Not closed when it fails: that would make a whole document of half the list.
          JsonGenerator json = Json.MAPPER.createGenerator(out);
          json.writeStartObject();
          json.writeArrayPropertyStart(member);
          elements.accept(json);
          json.writeEndArray();
          next.ifPresent(node -> json.writeStringProperty("next", node));
          json.writeEndObject();
          json.flush();
        });
  }

  /** Writes ranks as they are read. */
  private static final class RankWriter implements RecordSource.Nodes {
    private final JsonGenerator json;
    private final LaunchStages stages;
    private final Map<String, Long> durations = new LinkedHashMap<>();
    private String node = "";

    RankWriter(JsonGenerator json, LaunchTimes launch) {
      this.json = json;
      this.stages =
          new LaunchStages(
              launch,
              (stage, nanoseconds, where, rank, off) -> durations.put(stage.label(), nanoseconds));
    }

    @Override
    public void head(RecordLine line) {
      node = line.text("node");
      stages.beginNode();
      stages.node(line);
    }

    @Override
    public void rank(RankLine line) {
      if (line.rank() != RankLine.ABSENT) {
        durations.clear();
        stages.rank(line);
        json.writePOJO(Rank.of(node, line, durations));
      }
    }

    @Override
    public void nodeIsComplete() {
      node = "";
    }
  }

  private Answer stages(Call call) {
    Grouping grouping =
        choice("group", call.parameter("group").orElse("none"), List.of(Grouping.values()));
    List<Group> groups = new ArrayList<>();
    store.stages(
        filter(call),
        viewer(call),
        grouping,
        (name, launches, ranks, stages) -> {
          if (groups.size() == MOST_GROUPS) {
            throw Problem.badRequest(
                "there are more than " + MOST_GROUPS + " groups",
                "ask for fewer launches, such as by since and until");
          }
          groups.add(new Group(name, launches, ranks, StageFigures.of(stages)));
        });
    return Answer.json(new Groups(groups));
  }

  private StoredLaunch stored(Call call) {
    String id = call.path().get("id");
    if (!id.matches("\\d{1,18}")) {
      throw unknown(call);
    }
    return store.launch(Long.parseLong(id), viewer(call)).orElseThrow(() -> unknown(call));
  }

  private static Problem.Unanswerable unknown(Call call) {
    return Problem.notFound("launch " + call.path().get("id"));
  }

  private static Viewer viewer(Call call) {
    long uid = call.caller().uid();
    return call.caller().operator() ? Viewer.operator(uid) : Viewer.user(uid);
  }

  private static int limit(Call call) {
    return (int) (long) call.number("limit", 1, LARGEST_PAGE).orElse(PAGE);
  }

  private static LaunchFilter filter(Call call) {
    LaunchFilter.Builder filter = LaunchFilter.builder();
    call.parameter("user").ifPresent(filter::user);
    call.parameter("cluster").ifPresent(filter::cluster);
    call.parameter("image").ifPresent(filter::image);
    call.parameter("partition").ifPresent(filter::partition);
    call.parameter("node").ifPresent(filter::node);
    call.parameter("mode").ifPresent(filter::mode);
    call.parameter("job").ifPresent(filter::job);
    call.parameter("state")
        .ifPresent(name -> filter.state(choice("state", name, List.of(LaunchState.values()))));
    call.number("since", 0, LATEST_S).ifPresent(s -> filter.sinceNs(s * 1_000_000_000L));
    call.number("until", 0, LATEST_S).ifPresent(s -> filter.untilNs(s * 1_000_000_000L));
    return filter.build();
  }

  private static <T extends Enum<T>> T choice(String parameter, String name, List<T> choices) {
    return choices.stream()
        .filter(each -> each.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                Problem.badRequest(
                    "the parameter " + parameter + " is '" + name + "'",
                    "give one of: "
                        + String.join(
                            ", ",
                            choices.stream()
                                .map(each -> each.name().toLowerCase(Locale.ROOT))
                                .toList())));
  }
}
