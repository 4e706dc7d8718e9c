package io.hpcrun.daemon.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Removes launches: those of which nothing was heard for long, and the oldest ones while the store
 * is too large. A launch goes with its row at once; its nodes follow, a few in each transaction, so
 * that records can come in between.
 */
final class Retention {
  private static final int LAUNCHES_AT_ONCE = 100;
  private static final int NODES_AT_ONCE = 500;
  private static final int PAGES_AT_ONCE = 2_000;

  /**
   * What may go. A running launch stays until Slurm has said that its job is over; one of which
   * only nodes left a record may go.
   */
  private static final String OVER = "(l.state <> 'running' or l.slurm_state is not null)";

  private final Connections connections;
  private final BooleanSupplier goesOn;

  Retention(Connections connections, BooleanSupplier goesOn) {
    this.connections = connections;
    this.goesOn = goesOn;
  }

  /** Removes what is over and was last heard of before a moment; how many launches went. */
  long removeBefore(long nanoseconds) {
    String sql =
        "select l.id, 0 from launch l where l.updated_ns < ? and %s order by l.updated_ns limit %d"
            .formatted(OVER, LAUNCHES_AT_ONCE);
    return removeAll(() -> chosen(sql, nanoseconds, Long.MAX_VALUE));
  }

  /** Removes the oldest launches that are over while more than so many bytes are used. */
  long removeToFit(long bytes) {
    String sql =
        ("select l.id, coalesce(octet_length(l.record), 0) + 300 + (select"
                + " coalesce(sum(octet_length(n.record) + octet_length(n.ranks_data) + 150), 0)"
                + " from node n where n.launch_id = l.id)"
                + " from launch l where l.updated_ns >= ? and %s order by l.updated_ns limit %d")
            .formatted(OVER, LAUNCHES_AT_ONCE);
    return removeAll(
        () -> {
          long excess = usedBytes() - bytes;
          return excess > 0 ? chosen(sql, Long.MIN_VALUE, excess) : List.of();
        });
  }

  private interface Choice {
    List<Long> next();
  }

  private long removeAll(Choice choice) {
    long removed = 0;
    removeNodes(); // of a removal that was cut short
    while (goesOn.getAsBoolean()) {
      List<Long> next = choice.next();
      if (next.isEmpty()) {
        break;
      }
      removed += connections.write(connection -> removeLaunches(connection, next));
      removeNodes();
    }
    if (removed > 0 && connections.dialect() == Dialect.SQLITE) {
      shrink();
    }
    return removed;
  }

  private List<Long> chosen(String sql, long parameter, long enough) {
    return connections.read(
        connection -> {
          List<Long> ids = new ArrayList<>();
          try (PreparedStatement select = connection.prepareStatement(sql)) {
            select.setLong(1, parameter);
            try (ResultSet rows = select.executeQuery()) {
              long bytes = 0;
              while (bytes < enough && rows.next()) {
                ids.add(rows.getLong(1));
                bytes += rows.getLong(2);
              }
            }
          }
          return ids;
        });
  }

  private static int removeLaunches(Connection connection, List<Long> ids) throws SQLException {
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
    return ids.size();
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
  long usedBytes() {
    return connections.read(connection -> number(connection, connections.dialect().usedBytes()));
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
