package io.hpcrun.daemon.api;

import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.ManagedSelector;
import org.eclipse.jetty.io.SelectorManager;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;

/**
 * Jetty's connector for a Unix socket, which can also stop to accept without cutting anybody off.
 * It accepts in the selector's thread: one that waits in accept() can only be interrupted, and what
 * it has accepted then would be lost.
 */
final class SocketConnector extends UnixDomainServerConnector {
  private static final long LOOK_MS = 5;

  private final AtomicLong accepted = new AtomicLong();

  SocketConnector(Server server, ConnectionFactory http) {
    super(server, 0, 1, http);
  }

  @Override
  protected void configure(SocketChannel channel) throws IOException {
    super.configure(channel);
    accepted.incrementAndGet();
  }

  @Override
  protected void onEndPointClosed(EndPoint endPoint) {
    super.onEndPointClosed(endPoint);
    accepted.decrementAndGet();
  }

  /**
   * Accepts nobody any more and waits until all who were accepted have got their answers.
   *
   * @param busy whether anybody's request is being answered
   * @param patience how long to wait for those who are connected and ask nothing
   * @param limit how long to wait at most
   */
  void drain(BooleanSupplier busy, Duration patience, Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    // setAccepting(false) does nothing where the selector accepts (Jetty 12.1.12).
    for (ManagedSelector selector :
        getBean(SelectorManager.class).getBeans(ManagedSelector.class)) {
      CountDownLatch ended = new CountDownLatch(1);
      selector.submit(
          keys -> {
            keys.keys().stream()
                .filter(key -> key.channel() instanceof ServerSocketChannel)
                .forEach(SelectionKey::cancel);
            ended.countDown();
          });
      if (!ended.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        return;
      }
    }
    long quiet = System.nanoTime();
    while (accepted.get() > 0
        && System.nanoTime() - end < 0
        && System.nanoTime() - quiet < patience.toNanos()) {
      Thread.sleep(LOOK_MS);
      if (busy.getAsBoolean()) {
        quiet = System.nanoTime();
      }
    }
  }
}
