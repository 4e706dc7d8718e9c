package io.hpcrun.daemon.api;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Closes connections whose client is waited for too long: until the next request's header is there,
 * or until an answer is taken. Jetty closes those on which nothing at all is moved; here a client
 * that sends or takes a byte now and then is found as well. Thread-safe.
 */
final class SlowClients extends Handler.Wrapper implements Connection.Listener {
  private static final int LOOKS = 10;

  private final Map<Connection, Long> waitedFor = new ConcurrentHashMap<>();
  private final Scheduler scheduler;
  private final Duration patience;

  /**
   * Nobody is connected yet.
   *
   * @param patience how long a client is waited for; up to a tenth more
   */
  SlowClients(Scheduler scheduler, Duration patience) {
    this.scheduler = scheduler;
    this.patience = patience;
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    lookLater();
  }

  private void lookLater() {
    scheduler.schedule(this::look, patience.toMillis() / LOOKS, TimeUnit.MILLISECONDS);
  }

  private void look() {
    long now = System.nanoTime();
    waitedFor.forEach(
        (connection, since) -> {
          if (now - since > patience.toNanos()) {
            drop(connection);
          }
        });
    lookLater();
  }

  /** Closes a connection; an answer that is being written fails. */
  static void drop(Connection connection) {
    connection.getEndPoint().close(new TimeoutException("the client is too slow"));
  }

  /** From now on the client is waited for. */
  void waitFor(Connection connection) {
    waitedFor.put(connection, System.nanoTime());
    if (!connection.getEndPoint().isOpen()) {
      waitedFor.remove(connection);
    }
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws Exception {
    Connection connection = request.getConnectionMetaData().getConnection();
    waitedFor.remove(connection);
    Request.addCompletionListener(request, failure -> waitFor(connection));
    return super.handle(request, response, callback);
  }

  @Override
  public void onOpened(Connection connection) {
    waitFor(connection);
  }

  @Override
  public void onClosed(Connection connection) {
    waitedFor.remove(connection);
  }
}
