package io.hpcrun.daemon.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Ends what is done with a connection when it takes too long, also in the midst of a statement. */
final class TimeLimit implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TimeLimit.class);

  private final Dialect dialect;
  private final Connection connection;
  private final Future<?> alarm;
  private boolean closed;
  private boolean reached;

  /** Begins to count. */
  TimeLimit(
      ScheduledExecutorService clock, Duration limit, Dialect dialect, Connection connection) {
    this.dialect = dialect;
    this.connection = connection;
    this.alarm = clock.schedule(this::reach, limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  private synchronized void reach() {
    if (!closed) {
      reached = true;
      try {
        dialect.interrupt(connection);
      } catch (SQLException gone) {
        LOG.debug("the connection is gone already", gone);
      }
    }
  }

  /** Whether the time was over; the connection is of no use then. */
  synchronized boolean isReached() {
    return reached;
  }

  /** What was done is done: from now on the connection is left alone. */
  @Override
  public synchronized void close() {
    closed = true;
    alarm.cancel(false);
  }
}
