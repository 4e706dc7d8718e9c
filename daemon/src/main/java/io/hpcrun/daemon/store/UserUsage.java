package io.hpcrun.daemon.store;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * How much each user has in the store. It is counted with every change, in the change's own
 * transaction, so that nobody has to look at all launches to know. For one transaction.
 */
final class UserUsage {
  /** What a launch takes beside its record, in bytes: its columns and its places in indexes. */
  private static final int LAUNCH = 300;

  /** What a node takes beside its record and its ranks. */
  private static final int NODE = 150;

  /** What a launch {@code l} takes with all its nodes, as an SQL expression. */
  static final String BYTES =
      "coalesce(octet_length(l.record), 0) + %d + (select coalesce(sum(octet_length(n.record)"
              .formatted(LAUNCH)
          + " + octet_length(n.ranks_data) + %d), 0) from node n where n.launch_id = l.id)"
              .formatted(NODE);

  private static final String RECORD =
      "select coalesce(octet_length(record), 0) from launch"
          + " where cluster = ? and uid = ? and launch = ? and begun_ns = ?";

  private static final String CHANGE =
      "insert into user_usage (uid, nodes, bytes) values (?, ?, ?) on conflict (uid) do update"
          + " set nodes = user_usage.nodes + excluded.nodes, bytes = user_usage.bytes + excluded.bytes";

  private final Connection connection;
  private final Map<LaunchKey, Long> records = new HashMap<>();
  private final Map<Long, Change> changes = new TreeMap<>();

  private static final class Change {
    private long nodes;
    private long bytes;
  }

  UserUsage(Connection connection) {
    this.connection = connection;
  }

  /** A launch's record will be written, which may take the place of a shorter one. */
  void comes(LaunchKey key) throws SQLException {
    if (records.containsKey(key)) {
      return;
    }
    try (PreparedStatement select = connection.prepareStatement(RECORD)) {
      RecordWriter.setKey(select, key);
      try (ResultSet row = select.executeQuery()) {
        if (row.next()) {
          records.put(key, row.getLong(1));
        }
      }
    }
  }

  /** It was written. */
  void stored(Arrival.OfLaunch launch) {
    long bytes = bytes(launch.record());
    Long before = records.put(launch.key(), bytes);
    add(launch.key().uid(), 0, bytes - (before == null ? -LAUNCH : before));
  }

  /** A launch of which only a node has left a record so far has got its row. */
  void placed(LaunchKey key) {
    records.put(key, 0L);
    add(key.uid(), 0, LAUNCH);
  }

  /** A node's record was written. */
  void stored(Arrival.OfNode node) {
    add(node.key().uid(), 1, NODE + bytes(node.record()) + node.ranksData().length);
  }

  /** A launch is removed, its {@link #BYTES} with it. */
  void removed(long uid, long nodes, long bytes) {
    add(uid, -nodes, -bytes);
  }

  private void add(long uid, long nodes, long bytes) {
    Change change = changes.computeIfAbsent(uid, first -> new Change());
    change.nodes += nodes;
    change.bytes += bytes;
  }

  private static long bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** Writes what has changed. */
  void write() throws SQLException {
    try (PreparedStatement change = connection.prepareStatement(CHANGE)) {
      for (Map.Entry<Long, Change> each : changes.entrySet()) {
        change.setLong(1, each.getKey());
        change.setLong(2, each.getValue().nodes);
        change.setLong(3, each.getValue().bytes);
        change.addBatch();
      }
      if (!changes.isEmpty()) {
        change.executeBatch();
      }
    }
    changes.clear();
  }

  /** Forgets a user who has nothing any more. */
  static void forget(Connection connection, long uid) throws SQLException {
    try (PreparedStatement delete =
        connection.prepareStatement("delete from user_usage where uid = ?")) {
      delete.setLong(1, uid);
      delete.executeUpdate();
    }
  }

  /** The bytes of all users, those with the most first. */
  static Map<Long, Long> all(Connection connection) throws SQLException {
    Map<Long, Long> bytes = new LinkedHashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("select uid, bytes from user_usage order by bytes desc, uid")) {
      while (rows.next()) {
        bytes.put(rows.getLong(1), rows.getLong(2));
      }
    }
    return bytes;
  }

  /**
   * How much every user may keep, so that this much goes when those who have more are brought down
   * to it.
   *
   * @param most what users have, the most first
   * @param wanted how much is to go
   * @return the same for all; 0 where all together have less than what is to go
   */
  static long share(Collection<Long> most, long wanted) {
    long sum = 0;
    int users = 0;
    long share = 0;
    for (long bytes : most) {
      if (users > 0 && bytes <= share) {
        break; // has less than those before are left with
      }
      sum += bytes;
      users++;
      share = Math.max(0, Math.floorDiv(sum - wanted, users));
    }
    return share;
  }
}
