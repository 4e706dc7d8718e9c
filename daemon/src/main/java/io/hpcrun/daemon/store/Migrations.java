package io.hpcrun.daemon.store;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Brings the store's schema up to date: numbered SQL files, each applied once and in one
 * transaction. What was applied stands in the table {@code schema_version}.
 */
final class Migrations {
  private Migrations() {}

  /**
   * Applies what was not applied yet.
   *
   * @throws Failure with exit code 2 when a newer hpcrund has made the schema
   */
  static void apply(Connections connections) {
    connections.write(
        connection -> {
          execute(
              connection,
              "create table if not exists schema_version"
                  + " (version bigint primary key, applied_ns bigint not null)");
          return null;
        });
    int known = 0;
    while (resource(known + 1) != null) {
      known++;
    }
    long applied = connections.read(Migrations::version);
    if (applied > known) {
      throw Failure.usage(
          "the store's schema has version " + applied + ", and this hpcrund knows " + known,
          "start the newer hpcrund again, or give this one a store of its own");
    }
    for (int version = (int) applied + 1; version <= known; version++) {
      apply(connections, version);
    }
  }

  private static void apply(Connections connections, int version) {
    String migration = connections.dialect().ddl(text(version));
    connections.write(
        connection -> {
          for (String statement : migration.replaceAll("(?m)^--.*$", "").split(";")) {
            if (!statement.isBlank()) {
              execute(connection, statement);
            }
          }
          try (PreparedStatement insert =
              connection.prepareStatement(
                  "insert into schema_version (version, applied_ns) values (?, ?)")) {
            insert.setLong(1, version);
            insert.setLong(2, System.currentTimeMillis() * 1_000_000);
            insert.executeUpdate();
          }
          return null;
        });
  }

  /** The version that the store has; 0 for a new one. */
  static long version(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("select coalesce(max(version), 0) from schema_version")) {
      row.next();
      return row.getLong(1);
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static InputStream resource(int version) {
    return Migrations.class.getResourceAsStream("migrations/%03d.sql".formatted(version));
  }

  private static String text(int version) {
    try (InputStream in = resource(version)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }
}
