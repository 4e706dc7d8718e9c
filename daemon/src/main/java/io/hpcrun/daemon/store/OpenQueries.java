package io.hpcrun.daemon.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Questions about launches that are open: neither their records nor Slurm have told an end. Anybody
 * can write records of such, as many as there is room for.
 */
final class OpenQueries {
  private static final int ROWS_AT_ONCE = 256;

  private OpenQueries() {}

  /** The open launches of a cluster, of each user this many at most: the ones known longest. */
  static List<OpenRecord> of(Connection connection, String cluster, int perUser)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select l.id, l.cluster, l.uid, l.launch, l.begun_ns, l.user_name from launch l join"
                + " (select id, row_number() over (partition by uid order by id) as place"
                + " from launch where is_open = 1 and cluster = ?) o on o.id = l.id"
                + " where o.place <= ?")) {
      select.setString(1, cluster);
      select.setInt(2, perUser);
      select.setFetchSize(ROWS_AT_ONCE);
      List<OpenRecord> open = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          open.add(
              new OpenRecord(
                  rows.getLong(1),
                  new LaunchKey(
                      rows.getString(2), rows.getLong(3), rows.getString(4), rows.getLong(5)),
                  Optional.ofNullable(rows.getString(6))));
        }
      }
      return open;
    }
  }

  /** Open launches of other clusters than this of which nothing was heard since a moment. */
  static List<Long> silentElsewhere(Connection connection, String own, long beforeNs, int most)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select id from launch where is_open = 1 and cluster <> ? and updated_ns < ? limit ?")) {
      select.setString(1, own);
      select.setLong(2, beforeNs);
      select.setInt(3, most);
      List<Long> ids = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          ids.add(rows.getLong(1));
        }
      }
      return ids;
    }
  }

  /** Hands over the users' numbers and the images of open launches whose records say they run. */
  static void images(
      Connection connection, Optional<String> cluster, BiConsumer<Long, String> images)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "select uid, image from launch where is_open = 1 and state = 'running'"
                + " and image is not null"
                + (cluster.isPresent() ? " and cluster = ?" : "")
                + " order by id")) {
      if (cluster.isPresent()) {
        select.setString(1, cluster.get());
      }
      select.setFetchSize(ROWS_AT_ONCE);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          images.accept(rows.getLong(1), rows.getString(2));
        }
      }
    }
  }
}
