package io.hpcrun.daemon.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;

/** The store's connections: one for the writer, a few for readers. Thread-safe. */
final class Connections implements AutoCloseable {
  private static final int READERS = 4;
  private static final int REASON_LIMIT = 300;

  /** What is done in one transaction. */
  interface Work<T> {
    T run(Connection connection) throws SQLException;
  }

  private final Dialect dialect;
  private final HikariDataSource writer;
  private final HikariDataSource readers;

  /**
   * Connects.
   *
   * @throws StoreException when the database is not there
   */
  Connections(String url, Properties properties) {
    dialect = Dialect.of(url);
    try {
      writer = new HikariDataSource(pool(url, properties, true, 1));
    } catch (PoolInitializationException absent) {
      throw new StoreException(
          "the store " + url + " cannot be opened: " + absent.getCause().getMessage(),
          absent,
          false);
    }
    readers = new HikariDataSource(pool(url, properties, false, READERS));
  }

  private HikariConfig pool(String url, Properties properties, boolean writes, int size) {
    HikariConfig pool = dialect.connections(url, properties, writes);
    pool.setPoolName(writes ? "store-writer" : "store-readers");
    pool.setMaximumPoolSize(size);
    pool.setMinimumIdle(1);
    pool.setConnectionTimeout(10_000);
    if (!writes) {
      pool.setInitializationFailTimeout(-1); // the writer has proved that the database is there
    }
    return pool;
  }

  Dialect dialect() {
    return dialect;
  }

  /** Reads in one transaction, which sees one state of the store. */
  <T> T read(Work<T> work) {
    return run(readers, work);
  }

  /** Writes in one transaction: all or nothing. Waits for a writer before it. */
  <T> T write(Work<T> work) {
    return run(writer, work);
  }

  private <T> T run(HikariDataSource pool, Work<T> work) {
    try (Connection connection = pool.getConnection()) {
      try {
        connection.setAutoCommit(false);
        T result = work.run(connection);
        connection.commit();
        connection.setAutoCommit(true);
        return result;
      } catch (SQLException | RuntimeException | Error failed) {
        rollBack(connection, failed);
        pool.evictConnection(connection); // what state it is in is not known
        throw failed;
      }
    } catch (SQLException failed) {
      throw wrapped(failed);
    }
  }

  private static void rollBack(Connection connection, Throwable reason) {
    try {
      connection.rollback();
    } catch (SQLException alsoFailed) {
      reason.addSuppressed(alsoFailed); // SQLite has rolled back by itself where its disk is full
    }
  }

  private StoreException wrapped(SQLException failed) {
    boolean dataFault = false;
    Throwable innermost = failed;
    for (Throwable each = failed; each != null; each = each.getCause()) {
      dataFault |= each instanceof SQLException told && dialect.isDataFault(told);
      innermost = each instanceof SQLException ? each : innermost;
    }
    // PostgreSQL's driver puts all of a batch's values into the message of the outer one.
    String reason = String.valueOf(innermost.getMessage());
    return new StoreException(
        reason.length() > REASON_LIMIT ? reason.substring(0, REASON_LIMIT) + "…" : reason,
        failed,
        dataFault);
  }

  @Override
  public void close() {
    readers.close();
    writer.close();
  }
}
