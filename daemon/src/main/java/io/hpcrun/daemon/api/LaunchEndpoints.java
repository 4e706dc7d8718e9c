package io.hpcrun.daemon.api;

import io.hpcrun.daemon.api.Endpoint.Parameter;
import io.hpcrun.daemon.api.LaunchDocuments.Group;
import io.hpcrun.daemon.api.LaunchDocuments.Groups;
import io.hpcrun.daemon.api.LaunchDocuments.Launch;
import io.hpcrun.daemon.api.LaunchDocuments.Launches;
import io.hpcrun.daemon.api.LaunchDocuments.Node;
import io.hpcrun.daemon.api.LaunchDocuments.Nodes;
import io.hpcrun.daemon.api.LaunchDocuments.Rank;
import io.hpcrun.daemon.api.LaunchDocuments.Ranks;
import io.hpcrun.daemon.api.LaunchDocuments.StageFigures;
import io.hpcrun.daemon.api.LaunchDocuments.Timing;
import io.hpcrun.daemon.store.Grouping;
import io.hpcrun.daemon.store.LaunchFilter;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.LaunchStore;
import io.hpcrun.daemon.store.Page;
import io.hpcrun.daemon.store.StoredLaunch;
import io.hpcrun.daemon.store.StoredNode;
import io.hpcrun.daemon.store.Viewer;
import io.hpcrun.timing.LaunchTiming;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.core.JsonGenerator;

/** Launches and their timing. A user sees own ones, an operator all. */
public final class LaunchEndpoints {
  private static final long PAGE = 100;
  private static final long LARGEST_PAGE = LaunchStore.PAGE_LIMIT;
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

  /** Answers from the store. */
  public LaunchEndpoints(LaunchStore store) {
    this.store = store;
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
            "/v1/launches/{id}", "A launch and its timing.", List.of(), Timing.class, this::launch),
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
            "The ranks of a launch, or of one of its nodes.",
            List.of(new Parameter("node", "string", "Only this node's ranks.")),
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
    return Answer.json(
        new Launches(
            page.launches().stream().map(Launch::of).toList(),
            page.next().map(Page.Cursor::toString)));
  }

  private Answer launch(Call call) {
    StoredLaunch stored = stored(call);
    RecordSource records =
        store.records(stored.id(), viewer(call)).orElseThrow(() -> unknown(call));
    return Answer.json(Timing.of(stored, LaunchTiming.read(records, Map::of)));
  }

  private Answer nodes(Call call) {
    StoredLaunch stored = stored(call);
    int limit = limit(call);
    if (call.parameter("node").isPresent()) {
      return Answer.json(
          new Nodes(
              store.node(stored.id(), viewer(call), call.parameter("node").get()).stream()
                  .map(Node::of)
                  .toList(),
              Optional.empty()));
    }
    List<StoredNode> nodes =
        store.nodes(stored.id(), viewer(call), call.parameter("after").orElse(""), limit + 1);
    boolean more = nodes.size() > limit;
    List<StoredNode> page = more ? nodes.subList(0, limit) : nodes;
    return Answer.json(
        new Nodes(
            page.stream().map(Node::of).toList(),
            more ? Optional.of(page.getLast().node()) : Optional.empty()));
  }

  private Answer ranks(Call call) {
    StoredLaunch stored = stored(call);
    RecordSource records =
        (call.parameter("node").isPresent()
                ? store.records(stored.id(), viewer(call), call.parameter("node").get())
                : store.records(stored.id(), viewer(call)))
            .orElseThrow(() -> unknown(call));
    return Answer.jsonStream(
        out -> {
          // Not closed when it fails: that would make a whole document of half the ranks.
          JsonGenerator json = Json.MAPPER.createGenerator(out);
          json.writeStartObject();
          json.writeArrayPropertyStart("ranks");
          records.readNodes(new RankWriter(json));
          json.writeEndArray();
          json.writeEndObject();
          json.flush();
        });
  }

  /** Writes ranks as they are read. */
  private static final class RankWriter implements RecordSource.Nodes {
    private final JsonGenerator json;
    private String node = "";

    RankWriter(JsonGenerator json) {
      this.json = json;
    }

    @Override
    public void head(RecordLine line) {
      node = line.text("node");
    }

    @Override
    public void rank(RankLine line) {
      if (line.rank() != RankLine.ABSENT) {
        json.writePOJO(Rank.of(node, line));
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
        (name, launches, ranks, stages) ->
            groups.add(new Group(name, launches, ranks, StageFigures.of(stages))));
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
    return call.caller().operator() ? Viewer.operator() : Viewer.user(call.caller().uid());
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
