package io.hpcrun.daemon.store;

import static io.hpcrun.timing.RankLine.ABSENT;

import io.hpcrun.slurm.JobState;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes records into the store, in one transaction that its caller ends. */
final class RecordWriter {
  private static final Logger LOG = LoggerFactory.getLogger(RecordWriter.class);

  /** Columns of a launch's record that may be absent, in the order in which they are set. */
  private static final List<String> OPTIONAL =
      List.of(
          "user_name",
          "exit_code",
          "nodes",
          "ranks",
          "batch_node",
          "partition",
          "image",
          "image_id",
          "command",
          "mode",
          "mpi",
          "submit_s",
          "start_s",
          "script_ns",
          "prepare_asked_ns",
          "prepare_done_ns",
          "launch_asked_ns",
          "launch_done_ns",
          "record");

  /** Between the modes of a launch whose nodes differ. */
  private static final String AND = " and ";

  /** More than there are, whatever records claim. */
  private static final int MOST_MODES = 8;

  private static final String KEY = "cluster, uid, launch, begun_ns";

  private static final String LAUNCH =
      "insert into launch (%s, job, state, is_open, updated_ns, %s) values (?, ?, ?, ?, ?, ?, ?, ?%s)"
              .formatted(KEY, String.join(", ", OPTIONAL), ", ?".repeat(OPTIONAL.size()))
          + " on conflict (%s) do update set state = excluded.state,".formatted(KEY)
          // What Slurm has said stands; but who leaves a record is not lost.
          + " is_open = case when launch.is_open = 0 then 0 else excluded.is_open end,"
          + " slurm_state = case when excluded.is_open = 0 and launch.slurm_state = '%s'"
              .formatted(JobState.LOST)
          + " then null else launch.slurm_state end,"
          + " updated_ns = excluded.updated_ns, "
          + String.join(", ", OPTIONAL.stream().map(c -> c + " = excluded." + c).toList())
          + " where %s > %s"
              .formatted(
                  LaunchState.progress("excluded.state"), LaunchState.progress("launch.state"));

  private static final String PLACEHOLDER =
      "insert into launch (%s, job, state, is_open, updated_ns, user_name) values (?, ?, ?, ?, ?, ?, 1, ?, ?)"
              .formatted(KEY)
          + " on conflict (%s) do nothing".formatted(KEY);

  private static final String ID =
      "select id, entered from launch where cluster = ? and uid = ? and launch = ? and begun_ns = ?";

  private static final String NODE =
      "insert into node (launch_id, node, ranks, record, ranks_data) values (?, ?, ?, ?, ?)"
          + " on conflict (launch_id, node) do nothing";

  private final Connection connection;
  private final Milestones milestones;
  private final UserUsage usage;
  private final long nowNs;

  RecordWriter(Connection connection, Milestones milestones, long nowNs) {
    this.connection = connection;
    this.milestones = milestones;
    this.usage = new UserUsage(connection);
    this.nowNs = nowNs;
  }

  /** Takes records; what is known already is not taken again. */
  LaunchStore.Outcome write(List<Arrival> arrivals) throws SQLException {
    List<Arrival.OfLaunch> launches = new ArrayList<>();
    List<Arrival.OfNode> nodes = new ArrayList<>();
    for (Arrival arrival : arrivals) {
      switch (arrival) {
        case Arrival.OfLaunch launch -> launches.add(launch);
        case Arrival.OfNode node -> nodes.add(node);
      }
    }
    int stored = writeLaunches(launches);
    Nodes written = nodes.isEmpty() ? new Nodes(0, 0, 0) : writeNodes(nodes);
    milestones.written();
    usage.write();
    return new LaunchStore.Outcome(
        stored + written.stored,
        arrivals.size() - stored - written.stored - written.differing,
        written.differing,
        written.ranks);
  }

  private record Nodes(int stored, int differing, long ranks) {}

  private int writeLaunches(List<Arrival.OfLaunch> launches) throws SQLException {
    if (launches.isEmpty()) {
      return 0;
    }
    try (PreparedStatement insert = connection.prepareStatement(LAUNCH)) {
      for (Arrival.OfLaunch launch : launches) {
        milestones.comes(launch);
        usage.comes(launch.key());
        int at = setKey(insert, launch.key());
        insert.setString(at++, launch.key().job());
        insert.setString(at++, launch.state().label());
        insert.setLong(at++, launch.state().isOver() ? 0 : 1);
        insert.setLong(at++, nowNs);
        for (Object value : optional(launch)) {
          if (value instanceof String text) {
            insert.setString(at++, text.isEmpty() ? null : text);
          } else if ((long) value == ABSENT) {
            insert.setNull(at++, Types.BIGINT);
          } else {
            insert.setLong(at++, (long) value);
          }
        }
        insert.addBatch();
      }
      int[] counts = insert.executeBatch();
      for (int i = 0; i < counts.length; i++) {
        if (counts[i] > 0) {
          milestones.stored(launches.get(i));
          usage.stored(launches.get(i));
        }
      }
      return Arrays.stream(counts).sum();
    }
  }

  /** The values of {@link #OPTIONAL}. */
  private static List<Object> optional(Arrival.OfLaunch launch) {
    return List.of(
        launch.user().orElse(""),
        launch.exitCode(),
        launch.nodes(),
        launch.ranks(),
        launch.times().batchNode(),
        launch.partition(),
        launch.image(),
        launch.imageId(),
        launch.command(),
        launch.mode(),
        launch.mpi(),
        launch.times().submit(),
        launch.times().start(),
        launch.scriptNs(),
        launch.times().prepareAsked(),
        launch.times().prepareDone(),
        launch.times().launchAsked(),
        launch.times().launchDone(),
        launch.record());
  }

  /**
   * The launch of a node.
   *
   * @param entered how ranks entered, by what nodes told so far; gets what others tell
   */
  private record Known(long id, SortedSet<String> entered) {
    static Known of(ResultSet row) throws SQLException {
      String entered = row.getString(2);
      return new Known(
          row.getLong(1),
          entered == null ? new TreeSet<>() : new TreeSet<>(List.of(entered.split(AND))));
    }
  }

  private Nodes writeNodes(List<Arrival.OfNode> nodes) throws SQLException {
    Map<LaunchKey, Known> known = new HashMap<>();
    for (Arrival.OfNode node : nodes) {
      if (!known.containsKey(node.key())) {
        known.put(node.key(), launch(node));
      }
    }
    int[] counts;
    try (PreparedStatement insert = connection.prepareStatement(NODE)) {
      for (Arrival.OfNode node : nodes) {
        insert.setLong(1, known.get(node.key()).id());
        insert.setString(2, node.node());
        insert.setLong(3, node.ranks());
        insert.setString(4, node.record());
        insert.setBytes(5, node.ranksData());
        insert.addBatch();
      }
      counts = insert.executeBatch();
    }
    int stored = 0;
    int differing = 0;
    long ranks = 0;
    Set<LaunchKey> otherwise = new HashSet<>();
    for (int i = 0; i < counts.length; i++) {
      Arrival.OfNode node = nodes.get(i);
      Known launch = known.get(node.key());
      if (counts[i] > 0) {
        stored++;
        ranks += node.ranks();
        milestones.stored(node);
        usage.stored(node);
        if (launch.entered().size() < MOST_MODES
            && !node.mode().isEmpty()
            && launch.entered().add(node.mode())) {
          otherwise.add(node.key());
        }
      } else if (differs(launch.id(), node)) {
        differing++;
        LOG.warn(
            "a second record of node {} of launch {} of uid {} on {} says something else than the"
                + " first, and is dropped",
            node.node(),
            node.key().launch(),
            node.key().uid(),
            node.key().cluster());
      }
    }
    for (LaunchKey key : otherwise) {
      noteEntered(known.get(key));
    }
    return new Nodes(stored, differing, ranks);
  }

  private void noteEntered(Known launch) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement("update launch set entered = ? where id = ?")) {
      update.setString(1, String.join(AND, launch.entered()));
      update.setLong(2, launch.id());
      update.executeUpdate();
    }
  }

  /** The node's launch, which becomes known by this if it is not. */
  private Known launch(Arrival.OfNode node) throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(ID)) {
      setKey(select, node.key());
      try (ResultSet row = select.executeQuery()) {
        if (row.next()) {
          return Known.of(row);
        }
      }
    }
    try (PreparedStatement insert =
        connection.prepareStatement(PLACEHOLDER, Statement.NO_GENERATED_KEYS)) {
      int at = setKey(insert, node.key());
      insert.setString(at++, node.key().job());
      insert.setString(at++, LaunchState.UNKNOWN.label());
      insert.setLong(at++, nowNs);
      insert.setString(at, node.user().orElse(null));
      insert.executeUpdate();
    }
    usage.placed(node.key());
    return launch(node);
  }

  private boolean differs(long launchId, Arrival.OfNode node) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select record, ranks_data from node where launch_id = ? and node = ?")) {
      select.setLong(1, launchId);
      select.setString(2, node.node());
      try (ResultSet row = select.executeQuery()) {
        return row.next()
            && !(row.getString(1).equals(node.record())
                && Arrays.equals(row.getBytes(2), node.ranksData()));
      }
    }
  }

  /** Sets the first four parameters; the number of the next. */
  static int setKey(PreparedStatement statement, LaunchKey key) throws SQLException {
    statement.setString(1, key.cluster());
    statement.setLong(2, key.uid());
    statement.setString(3, key.launch());
    statement.setLong(4, key.begunNs());
    return 5;
  }
}
