package io.hpcrun.daemon.store;

import com.zaxxer.hikari.HikariConfig;
import io.hpcrun.failure.Failure;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteException;

/** What differs between the databases. */
enum Dialect {
  /** One file on a local disk. Its write-ahead log lets readers read while one writer writes. */
  SQLITE("integer primary key autoincrement", "text", "blob") {
    @Override
    HikariConfig connections(String url, Properties properties, boolean writer) {
      SQLiteConfig config = new SQLiteConfig();
      config.setJournalMode(SQLiteConfig.JournalMode.WAL);
      config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
      config.setBusyTimeout(10_000);
      config.setJournalSizeLimit(64 << 20);
      config.setTransactionMode(
          writer ? SQLiteConfig.TransactionMode.IMMEDIATE : SQLiteConfig.TransactionMode.DEFERRED);
      SQLiteDataSource source = new SQLiteDataSource(config);
      source.setUrl(url);
      HikariConfig pool = new HikariConfig();
      pool.setDataSource(source);
      pool.setConnectionInitSql(writer ? "select 1" : "pragma query_only = on");
      return pool;
    }

    @Override
    boolean isDataFault(SQLException failed) {
      return failed instanceof SQLiteException told
          && SQLITE_DATA_FAULTS.contains(told.getResultCode().code & 0xff);
    }

    @Override
    void interrupt(Connection connection) throws SQLException {
      connection.unwrap(SQLiteConnection.class).getDatabase().interrupt();
    }

    @Override
    String usedBytes() {
      return "select (p.page_count - f.freelist_count) * s.page_size from"
          + " pragma_page_count() p, pragma_freelist_count() f, pragma_page_size() s";
    }
  },

  /** A server, for sites that have one. */
  POSTGRESQL("bigint generated always as identity primary key", "text collate \"C\"", "bytea") {
    @Override
    HikariConfig connections(String url, Properties properties, boolean writer) {
      HikariConfig pool = new HikariConfig();
      pool.setJdbcUrl(url);
      pool.setDataSourceProperties(properties);
      pool.setReadOnly(!writer);
      if (!writer) {
        pool.setTransactionIsolation("TRANSACTION_REPEATABLE_READ");
      }
      return pool;
    }

    @Override
    boolean isDataFault(SQLException failed) {
      String state = failed.getSQLState();
      return state != null && POSTGRESQL_DATA_FAULTS.contains(state.substring(0, 2));
    }

    @Override
    void interrupt(Connection connection) throws SQLException {
      connection.abort(Runnable::run);
    }

    @Override
    Optional<String> limit(Duration longest) {
      return Optional.of("set statement_timeout = " + longest.toMillis());
    }

    @Override
    String usedBytes() {
      // Space of deleted rows comes free for new ones only, so files tell nothing about what is
      // kept.
      return "select coalesce(sum(bytes), 0) from user_usage";
    }
  };

  /** SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_RANGE (sqlite.org/rescode.html). */
  private static final Set<Integer> SQLITE_DATA_FAULTS = Set.of(18, 19, 20, 25);

  /** Data exception, integrity constraint, program limit (PostgreSQL's manual, appendix A). */
  private static final Set<String> POSTGRESQL_DATA_FAULTS = Set.of("22", "23", "54");

  private final String id;
  private final String text;
  private final String bytes;

  Dialect(String id, String text, String bytes) {
    this.id = id;
    this.text = text;
    this.bytes = bytes;
  }

  /**
   * The database that a JDBC URL names.
   *
   * @throws Failure with exit code 2 when it is neither SQLite nor PostgreSQL
   */
  static Dialect of(String url) {
    if (url.startsWith("jdbc:sqlite:/")) {
      return SQLITE;
    }
    if (url.startsWith("jdbc:postgresql:")) {
      return POSTGRESQL;
    }
    throw Failure.usage(
        "the store '" + url + "' is neither jdbc:sqlite:/FILE nor jdbc:postgresql:…",
        "write one of these");
  }

  /** Connections for the one writer, or for readers; the pool's size is the caller's matter. */
  abstract HikariConfig connections(String url, Properties properties, boolean writer);

  /** Whether the data is at fault, and not the database. */
  abstract boolean isDataFault(SQLException failed);

  /** Ends what another thread does with a connection, which is of no use afterwards. */
  abstract void interrupt(Connection connection) throws SQLException;

  /**
   * Makes a new connection's statements end by themselves, where nobody can end those of a server
   * from outside; empty where {@link #interrupt} does.
   */
  Optional<String> limit(Duration longest) {
    return Optional.empty();
  }

  /** A query for the bytes that the database uses for what it holds. */
  abstract String usedBytes();

  /** A migration's text for this database. */
  String ddl(String migration) {
    return migration.replace("${id}", id).replace("${text}", text).replace("${bytes}", bytes);
  }
}
