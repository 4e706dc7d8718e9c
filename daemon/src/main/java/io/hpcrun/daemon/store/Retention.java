package io.hpcrun.daemon.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Removes launches: those of which nothing was heard for long, and, while the store is too large,
 * the oldest ones of the users who have the most, so that nobody pushes out what others have. A
 * launch goes with its row at once; its nodes follow, a few in each transaction, so that records
 * can come in between.
 */
final class Retention {
  private static final int LAUNCHES_AT_ONCE = 2_000;
  private static final int ROWS_AT_ONCE = 100;

  /** Of launches that go in one transaction, and rows that follow in one. */
  private static final int NODES_AT_ONCE = 500;

  private static final int PAGES_AT_ONCE = 2_000;

  private static final String LAUNCH =
      "select l.id, l.uid, (select count(*) from node n where n.launch_id = l.id), "
          + UserUsage.BYTES
          + " from launch l where ";

  /** A running launch stays until it is known to be over; one that only nodes tell of may go. */
  private static final String OLD =
      LAUNCH
          + "l.updated_ns < ? and (l.is_open = 0 or l.state = 'unknown')"
          + " order by l.updated_ns limit "
          + LAUNCHES_AT_ONCE;

  /** The oldest ones of a user; open ones go last, and come back with the record of their end. */
  private static final String OLDEST =
      LAUNCH + "l.uid = ? order by l.is_open, l.updated_ns limit " + LAUNCHES_AT_ONCE;

  private final Connections connections;
  private final BooleanSupplier goesOn;

  Retention(Connections connections, BooleanSupplier goesOn) {
    this.connections = connections;
    this.goesOn = goesOn;
  }

  /** Removes what is over and was last heard of before a moment; how many launches went. */
  long removeBefore(long nanoseconds) {
    removeNodes(); // of a removal that was cut short
    return shrunk(removeSome(OLD, nanoseconds, Long.MAX_VALUE));
  }

  /**
   * Removes launches while more than so many bytes are used: each user who has more than a share
   * that is the same for all loses the oldest ones.
   */
  long removeToFit(long bytes) {
    removeNodes();
    long removed = 0;
    for (long more = 1; more > 0 && goesOn.getAsBoolean(); removed += more) {
      long used = usedBytes();
      more = used <= bytes ? 0 : removeShares((double) (used - bytes) / used);
    }
    return shrunk(removed);
  }

  /** Removes this part of what users have, from those who have the most; how many launches went. */
  private long removeShares(double part) {
    Map<Long, Long> usage = connections.read(UserUsage::all);
    long all = usage.values().stream().mapToLong(Long::longValue).sum();
    long share = UserUsage.share(usage.values(), Math.max(1, (long) Math.ceil(all * part)));
    long removed = 0;
    for (Map.Entry<Long, Long> user : usage.entrySet()) {
      long excess = user.getValue() - share;
      if (excess > 0 && goesOn.getAsBoolean()) {
        removed += removeOldest(user.getKey(), excess);
      }
    }
    return removed;
  }

  private long removeOldest(long uid, long bytes) {
    long removed = removeSome(OLDEST, uid, bytes);
    if (removed == 0 && goesOn.getAsBoolean()) {
      // Who has no launch has nothing, whatever was counted.
      connections.write(
          connection -> {
            UserUsage.forget(connection, uid);
            return null;
          });
    }
    return removed;
  }

  /**
   * Removes launches that a query tells, until there are no more or they had so many bytes.
   *
   * @param sql tells a launch's id, owner, nodes and bytes, and takes one parameter
   */
  private long removeSome(String sql, long parameter, long enough) {
    long removed = 0;
    long bytes = 0;
    while (bytes < enough && goesOn.getAsBoolean()) {
      long wanted = enough - bytes;
      Removed some =
          connections.write(connection -> removeLaunches(connection, sql, parameter, wanted));
      if (some.launches() == 0) {
        break;
      }
      removed += some.launches();
      bytes += some.bytes();
      removeNodes();
    }
    return removed;
  }

  private record Removed(long launches, long bytes) {}

  private static Removed removeLaunches(
      Connection connection, String sql, long parameter, long enough) throws SQLException {
    UserUsage usage = new UserUsage(connection);
    List<Long> ids = new ArrayList<>();
    long nodes = 0;
    long bytes = 0;
    try (PreparedStatement select = connection.prepareStatement(sql)) {
      select.setLong(1, parameter);
      select.setFetchSize(ROWS_AT_ONCE);
      try (ResultSet rows = select.executeQuery()) {
        while (bytes < enough && nodes < NODES_AT_ONCE && rows.next()) {
          ids.add(rows.getLong(1));
          nodes += rows.getLong(3);
          bytes += rows.getLong(4);
          usage.removed(rows.getLong(2), rows.getLong(3), rows.getLong(4));
        }
      }
    }
    delete(connection, ids);
    usage.write();
    return new Removed(ids.size(), bytes);
  }

  private static void delete(Connection connection, List<Long> ids) throws SQLException {
    if (ids.isEmpty()) {
      return;
    }
    try (PreparedStatement note =
            connection.prepareStatement("insert into removed (launch_id) values (?)");
        PreparedStatement delete = connection.prepareStatement("delete from launch where id = ?")) {
      for (long id : ids) {
        note.setLong(1, id);
        note.addBatch();
        delete.setLong(1, id);
        delete.addBatch();
      }
      note.executeBatch();
      delete.executeBatch();
    }
  }

  private void removeNodes() {
    while (goesOn.getAsBoolean() && connections.write(Retention::removeSomeNodes)) {
      // until there are none
    }
  }

  private static boolean removeSomeNodes(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      int nodes =
          statement.executeUpdate(
              "delete from node where id in (select n.id from node n join removed r"
                  + " on r.launch_id = n.launch_id limit %d)".formatted(NODES_AT_ONCE));
      if (nodes < NODES_AT_ONCE) {
        statement.executeUpdate("delete from removed");
        return false;
      }
      return true;
    }
  }

  /** Bytes that the database uses for what it holds. */
  private long usedBytes() {
    return connections.read(connection -> number(connection, connections.dialect().usedBytes()));
  }

  private long shrunk(long removed) {
    if (removed > 0 && connections.dialect() == Dialect.SQLITE) {
      shrink();
    }
    return removed;
  }

  /** Gives free pages back to the file system, some at a time. */
  private void shrink() {
    long before = Long.MAX_VALUE;
    long free = freePages();
    while (free > 0 && free < before && goesOn.getAsBoolean()) {
      connections.write(
          connection -> {
            try (Statement statement = connection.createStatement()) {
              // Not execute(): each step frees one page, and only this takes all steps.
              statement.executeUpdate("pragma incremental_vacuum(%d)".formatted(PAGES_AT_ONCE));
            }
            return null;
          });
      before = free;
      free = freePages();
    }
  }

  private long freePages() {
    return connections.read(connection -> number(connection, "pragma freelist_count"));
  }

  static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() ? row.getLong(1) : 0;
    }
  }
}
