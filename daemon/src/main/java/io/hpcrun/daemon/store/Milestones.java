package io.hpcrun.daemon.store;

import static io.hpcrun.timing.RankLine.ABSENT;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a transaction brings for {@link LaunchListener}: each launch ends in exactly one, and each
 * node's record comes in one, however often they are read. {@link #tell} is for after the commit.
 */
final class Milestones {
  private static final String OF_KEY =
      " where l.cluster = ? and l.uid = ? and l.launch = ? and l.begun_ns = ?";

  private static final String END = "select l.state, l.exit_code, l.slurm_state from launch l";

  /** The subquery counts in an index. */
  private static final String ENDED =
      "select l.id, l.nodes, (select count(*) from node n where n.launch_id = l.id) from launch l"
          + OF_KEY
          + " and l.state = 'ended'";

  private final Connection connection;
  private final Set<LaunchKey> over = new HashSet<>();
  private final Set<LaunchKey> own = new HashSet<>();
  private final Map<LaunchKey, List<String>> nodes = new LinkedHashMap<>();
  private final List<LaunchOutcome> ended = new ArrayList<>();
  private final List<LaunchListener.Timed> timed = new ArrayList<>();

  Milestones(Connection connection) {
    this.connection = connection;
  }

  /** A launch's record is about to be written. */
  void comes(Arrival.OfLaunch launch) throws SQLException {
    if (outcome(launch).isPresent() && !over.contains(launch.key())) {
      try (PreparedStatement select = connection.prepareStatement(END + OF_KEY)) {
        RecordWriter.setKey(select, launch.key());
        if (outcome(select).isPresent()) {
          over.add(launch.key());
        }
      }
    }
  }

  /** It was new, or said more than was known. */
  void stored(Arrival.OfLaunch launch) {
    if (launch.state() == LaunchState.ENDED) {
      own.add(launch.key());
      nodes.putIfAbsent(launch.key(), new ArrayList<>());
    }
    outcome(launch).filter(outcome -> over.add(launch.key())).ifPresent(ended::add);
  }

  /** A node's record was new. */
  void stored(Arrival.OfNode node) {
    nodes.computeIfAbsent(node.key(), key -> new ArrayList<>()).add(node.node());
  }

  /** All records are written, and not yet committed. */
  void written() throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(ENDED)) {
      for (Map.Entry<LaunchKey, List<String>> each : nodes.entrySet()) {
        RecordWriter.setKey(select, each.getKey());
        try (ResultSet row = select.executeQuery()) {
          if (row.next() && row.getLong(3) > 0) {
            long there = row.getLong(3);
            timed.add(
                new LaunchListener.Timed(
                    row.getLong(1),
                    own.contains(each.getKey()) || there == each.getValue().size(),
                    each.getValue(),
                    there == row.getLong(2)));
          }
        }
      }
    }
  }

  /** What Slurm says of a launch is about to be noted. */
  void comes(long id, String slurmState) throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(END + " where l.id = ?")) {
      select.setLong(1, id);
      if (outcome(select).isEmpty()) {
        LaunchOutcome.of(LaunchState.RUNNING, OptionalLong.empty(), Optional.of(slurmState))
            .ifPresent(ended::add);
      }
    }
  }

  /** Tells what was committed. */
  void tell(LaunchListener listener) {
    ended.forEach(listener::ended);
    timed.forEach(listener::timed);
  }

  private static Optional<LaunchOutcome> outcome(Arrival.OfLaunch launch) {
    return LaunchOutcome.of(
        launch.state(),
        launch.exitCode() == ABSENT ? OptionalLong.empty() : OptionalLong.of(launch.exitCode()),
        Optional.empty());
  }

  /** The outcome that is known; empty also for a launch that is not. */
  private static Optional<LaunchOutcome> outcome(PreparedStatement select) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      if (!row.next()) {
        return Optional.empty();
      }
      LaunchState state = LaunchState.of(row.getString(1)).orElse(LaunchState.UNKNOWN);
      long exit = row.getLong(2);
      return LaunchOutcome.of(
          state,
          row.wasNull() ? OptionalLong.empty() : OptionalLong.of(exit),
          Optional.ofNullable(row.getString(3)));
    }
  }
}
