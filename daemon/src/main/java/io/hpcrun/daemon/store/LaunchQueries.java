package io.hpcrun.daemon.store;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Users' questions about launches and their nodes; whatever records hold, an answer is small. */
final class LaunchQueries {
  /** How many characters the texts of a page may have until no further row is added. */
  private static final long PAGE_LENGTH = 1 << 20;

  private static final int ROWS_AT_ONCE = 256;

  private final Connections connections;

  LaunchQueries(Connections connections) {
    this.connections = connections;
  }

  Page launches(LaunchFilter filter, Viewer viewer, int limit, Optional<Page.Cursor> after) {
    Conditions conditions = Conditions.of(filter, viewer);
    after.ifPresent(
        cursor -> conditions.add("(l.begun_ns, l.id) < (?, ?)", cursor.begunNs(), cursor.id()));
    Found found =
        select(
            conditions,
            " order by l.begun_ns desc, l.id desc",
            Math.clamp(limit, 1, LaunchStore.PAGE_LIMIT));
    StoredLaunch last = found.more() ? found.launches().getLast() : null;
    return new Page(
        found.launches(),
        Optional.ofNullable(last).map(each -> new Page.Cursor(each.key().begunNs(), each.id())));
  }

  Optional<StoredLaunch> launch(long id, Viewer viewer) {
    return select(Conditions.of(viewer).add("l.id = ?", id), "", 1).launches().stream().findFirst();
  }

  private record Found(List<StoredLaunch> launches, boolean more) {}

  private Found select(Conditions conditions, String order, int most) {
    String sql =
        "select %s from launch l where %s%s limit %d"
            .formatted(StoredLaunch.COLUMNS, conditions.sql(), order, most + 1);
    return connections.readFor(
        conditions.asker(),
        connection -> {
          try (PreparedStatement select = conditions.prepare(connection, sql, ROWS_AT_ONCE);
              ResultSet rows = select.executeQuery()) {
            List<StoredLaunch> launches = new ArrayList<>();
            long length = 0;
            while (rows.next()) {
              if (launches.size() == most || length > PAGE_LENGTH) {
                return new Found(launches, true);
              }
              launches.add(StoredLaunch.of(rows));
              length += launches.getLast().length();
            }
            return new Found(launches, false);
          }
        });
  }

  StoredNode.Page nodes(long id, Viewer viewer, String after, int limit) {
    return nodes(Conditions.of(viewer).add("n.launch_id = ?", id).add("n.node > ?", after), limit);
  }

  Optional<StoredNode> node(long id, Viewer viewer, String name) {
    return nodes(Conditions.of(viewer).add("n.launch_id = ?", id).add("n.node = ?", name), 1)
        .nodes()
        .stream()
        .findFirst();
  }

  private StoredNode.Page nodes(Conditions conditions, int limit) {
    int most = Math.max(1, limit);
    String sql =
        "select n.node, n.ranks, n.record from node n join launch l on l.id = n.launch_id where %s"
                .formatted(conditions.sql())
            + " order by n.node limit %d".formatted(most + 1);
    return connections.readFor(
        conditions.asker(),
        connection -> {
          try (PreparedStatement select =
                  conditions.prepare(connection, sql, StoredRecords.LARGE_ROWS_AT_ONCE);
              ResultSet rows = select.executeQuery()) {
            List<StoredNode> nodes = new ArrayList<>();
            long length = 0;
            while (rows.next()) {
              if (nodes.size() == most || length > PAGE_LENGTH) {
                return new StoredNode.Page(nodes, true);
              }
              String record = rows.getString(3);
              nodes.add(StoredNode.of(rows.getString(1), rows.getLong(2), record));
              length += record.length();
            }
            return new StoredNode.Page(nodes, false);
          }
        });
  }

  NodeRange range(long id, Viewer viewer, String after, int nodes, long ranks) {
    Conditions conditions =
        Conditions.of(viewer).add("n.launch_id = ?", id).add("n.node > ?", after);
    String sql =
        "select n.node, n.ranks from node n join launch l on l.id = n.launch_id where %s"
                .formatted(conditions.sql())
            + " order by n.node limit %d".formatted(nodes + 1);
    return connections.readFor(
        conditions.asker(),
        connection -> {
          try (PreparedStatement select = conditions.prepare(connection, sql, ROWS_AT_ONCE);
              ResultSet rows = select.executeQuery()) {
            String last = after;
            long seen = 0;
            for (int count = 0; rows.next(); count++) {
              if (count == nodes || count > 0 && seen >= ranks) {
                return new NodeRange("", after, last);
              }
              last = rows.getString(1);
              seen += rows.getLong(2);
            }
            return new NodeRange("", after, "");
          }
        });
  }
}
