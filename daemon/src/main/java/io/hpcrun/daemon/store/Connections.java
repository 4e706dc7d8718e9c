package io.hpcrun.daemon.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;

/**
 * The store's connections: one for the writer, three for what the daemon itself reads, and some for
 * users' questions, of which nobody has more than a part and nobody for longer than a limit.
 * Thread-safe.
 */
final class Connections implements AutoCloseable {
  private static final int REASON_LIMIT = 300;

  /**
   * For what the daemon itself reads: the ingest, the reconciler, and who looks after the store.
   */
  private static final int OWN_READERS = 3;

  /**
   * How users' questions are answered.
   *
   * @param atOnce questions that are answered at a time; others wait
   * @param ofOneUser how many of them one user's may be
   * @param patience how long a question waits for its turn
   * @param longest how long the answer may take
   */
  record Limits(int atOnce, int ofOneUser, Duration patience, Duration longest) {
    /** Four at once, two of one user, 10 s of waiting and 30 s of answering. */
    static final Limits USUAL = new Limits(4, 2, Duration.ofSeconds(10), Duration.ofSeconds(30));
  }

  /** What is done in one transaction. */
  interface Work<T> {
    T run(Connection connection) throws SQLException;
  }

  private final Dialect dialect;
  private final Limits limits;
  private final HikariDataSource writer;
  private final HikariDataSource own;
  private final HikariDataSource users;
  private final Turns turns;
  private final ExecutorService threads;
  private final ScheduledExecutorService clock;

  /**
   * Connects.
   *
   * @throws StoreException when the database is not there
   */
  Connections(String url, Properties properties, Limits limits) {
    this.dialect = Dialect.of(url);
    this.limits = limits;
    try {
      writer = new HikariDataSource(pool(url, properties, "writer", 1));
    } catch (PoolInitializationException absent) {
      throw new StoreException(
          "the store " + url + " cannot be opened: " + absent.getCause().getMessage(),
          absent,
          StoreException.Kind.STORE);
    }
    own = new HikariDataSource(pool(url, properties, "own", OWN_READERS));
    HikariConfig limited = pool(url, properties, "users", limits.atOnce());
    dialect.limit(limits.longest()).ifPresent(limited::setConnectionInitSql);
    users = new HikariDataSource(limited);
    turns = new Turns(limits.atOnce(), limits.ofOneUser(), limits.patience());
    // Databases are asked by native code or synchronously: a virtual thread would keep its carrier.
    threads =
        Executors.newFixedThreadPool(
            limits.atOnce(), Thread.ofPlatform().daemon().name("store-reader-", 0).factory());
    clock =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("store-limits").factory());
  }

  private HikariConfig pool(String url, Properties properties, String name, int size) {
    boolean writes = name.equals("writer");
    HikariConfig pool = dialect.connections(url, properties, writes);
    pool.setPoolName("store-" + name);
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

  /** Reads for the daemon in one transaction, which sees one state of the store. */
  <T> T read(Work<T> work) {
    return run(own, work);
  }

  /**
   * Reads for a user in one transaction, in a thread for it; for the daemon as {@link #read}.
   *
   * @param asker whose question it is
   * @throws StoreException of kind BUSY when the user has too many questions, and of kind TOO_SLOW
   *     when this one takes too long
   */
  <T> T readFor(long asker, Work<T> work) {
    if (asker == Viewer.DAEMON) {
      return read(work);
    }
    boolean begun = false;
    try {
      if (!turns.take(asker)) {
        throw new StoreException(
            "the store has too many other questions, of you or of others",
            null,
            StoreException.Kind.BUSY);
      }
      Future<T> answer;
      try {
        answer = threads.submit(() -> answer(asker, work));
        begun = true;
      } finally {
        if (!begun) {
          turns.giveBack(asker);
        }
      }
      return answer.get();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new StoreException(
          "nobody waits for the answer any more", interrupted, StoreException.Kind.BUSY);
    } catch (ExecutionException failed) {
      switch (failed.getCause()) {
        case RuntimeException defect -> throw defect;
        case Error error -> throw error;
        default -> throw new IllegalStateException(failed.getCause());
      }
    }
  }

  private <T> T answer(long asker, Work<T> work) {
    try {
      return run(users, work);
    } finally {
      turns.giveBack(asker);
    }
  }

  /** Writes in one transaction: all or nothing. Waits for a writer before it. */
  <T> T write(Work<T> work) {
    return run(writer, work);
  }

  private <T> T run(HikariDataSource pool, Work<T> work) {
    try (Connection connection = pool.getConnection()) {
      if (pool != users) {
        return transaction(pool, connection, work);
      }
      TimeLimit limit = new TimeLimit(clock, limits.longest(), dialect, connection);
      try (limit) {
        return transaction(pool, connection, work);
      } catch (SQLException | RuntimeException failed) {
        if (limit.isReached()) {
          throw tooSlow(failed);
        }
        throw failed;
      } finally {
        if (limit.isReached()) {
          pool.evictConnection(connection);
        }
      }
    } catch (SQLException failed) {
      throw wrapped(failed);
    }
  }

  private StoreException tooSlow(Exception failed) {
    return new StoreException(
        "the answer was not found within %d s".formatted(limits.longest().toSeconds()),
        failed,
        StoreException.Kind.TOO_SLOW);
  }

  private static <T> T transaction(HikariDataSource pool, Connection connection, Work<T> work)
      throws SQLException {
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
        dataFault ? StoreException.Kind.DATA : StoreException.Kind.STORE);
  }

  @Override
  public void close() {
    threads.shutdownNow();
    clock.shutdownNow();
    users.close();
    own.close();
    writer.close();
  }
}
