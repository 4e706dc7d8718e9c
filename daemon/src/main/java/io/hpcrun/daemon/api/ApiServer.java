package io.hpcrun.daemon.api;

import io.hpcrun.daemon.Settings;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.server.handler.QoSHandler;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves the endpoints over HTTP/1.1 on a Unix socket that every user of the machine may open. */
public final class ApiServer {
  private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);
  private static final int THREADS = 16;
  private static final long STOP_MS = 10_000;
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final Server server;
  private final SocketConnector connector;
  private final Settings.Limits limits;
  private final Supplier<Accounts> accounts;
  private final Tokens tokens;
  private final Path socket;
  private final boolean inherited;
  private boolean listens;
  private GracefulHandler running;
  private final String listening;

  /**
   * Prepares the server; nothing listens yet.
   *
   * @param settings where, and what one user may ask for
   * @param accounts who the users are
   * @param tokens who has been given one
   */
  public ApiServer(Settings settings, Supplier<Accounts> accounts, Tokens tokens) {
    this.limits = settings.limits();
    this.accounts = accounts;
    this.tokens = tokens;
    this.socket = settings.socket();
    this.inherited = inherited();
    this.listening = socket + settings.tcp().map(tcp -> " and " + tcp.listen()).orElse("");
    QueuedThreadPool threads = new QueuedThreadPool(THREADS, 1);
    threads.setName("http");
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server = new Server(threads);
    server.setStopTimeout(STOP_MS);
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setIdleTimeout(limits.requestSeconds() * 1000L);
    connector = new SocketConnector(server, new HttpConnectionFactory(http));
    connector.setInheritChannel(inherited);
    // Jetty removes the path at the end, and fails without one: systemd's socket must stay.
    connector.setUnixDomainPath(inherited ? socket.resolveSibling(".none") : socket);
    connector.setIdleTimeout(limits.requestSeconds() * 1000L);
    connector.setAcceptQueueSize(1024);
    server.addConnector(connector);
    settings.tcp().ifPresent(tcp -> server.addConnector(tcp(tcp, http)));
  }

  private ServerConnector tcp(Settings.Tcp tcp, HttpConfiguration http) {
    HttpConfiguration configuration = new HttpConfiguration(http);
    HttpConnectionFactory plain = new HttpConnectionFactory(configuration);
    ServerConnector connector;
    if (tcp.certificate().isPresent()) {
      SslContextFactory.Server tls = new SslContextFactory.Server();
      tls.setKeyStore(PemKeys.read(tcp.certificate().get(), tcp.key().orElseThrow()));
      tls.setKeyStorePassword("");
      configuration.addCustomizer(new SecureRequestCustomizer(false));
      connector =
          new ServerConnector(
              server, 1, 1, new SslConnectionFactory(tls, plain.getProtocol()), plain);
    } else {
      connector = new ServerConnector(server, 1, 1, plain);
    }
    connector.setHost(tcp.host());
    connector.setPort(tcp.port());
    connector.setIdleTimeout(http.getIdleTimeout());
    return connector;
  }

  /**
   * Listens.
   *
   * @param endpoints what may be asked
   * @throws Failure with exit code 2 when the socket cannot be made, or another daemon has it
   */
  public void start(List<Endpoint> endpoints) {
    QoSHandler atOnce = new QoSHandler(new Router(endpoints, accounts, tokens, limits));
    atOnce.setMaxRequestCount(limits.requestsAtOnce());
    running = new GracefulHandler(atOnce);
    server.setHandler(running);
    try {
      if (inherited) {
        server.start();
        return;
      }
      if (Files.exists(socket)) {
        takeOver();
      }
      server.start();
      listens = true;
      Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
    } catch (Failure known) {
      throw known;
    } catch (Exception failed) {
      throw Failure.usage(
          "hpcrund cannot listen at " + listening + ": " + reason(failed),
          "check daemon.socket and daemon.tcp, and that hpcrund's user may write to the socket's"
              + " directory");
    }
  }

  /**
   * Whether systemd has made the socket, which bin/hpcrund gives as standard input: it stays while
   * the daemon is started anew, and connections wait.
   */
  private static boolean inherited() {
    try {
      return System.inheritedChannel() instanceof ServerSocketChannel channel
          && channel.getLocalAddress() instanceof UnixDomainSocketAddress;
    } catch (IOException noChannel) {
      throw Failure.internal(
          "standard input cannot be looked at: " + noChannel.getMessage(),
          "start hpcrund with /dev/null as standard input, or by systemd's socket unit",
          noChannel);
    }
  }

  /** A socket that nobody listens at any more was left by a daemon that was killed. */
  private void takeOver() throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
    } catch (ConnectException nobody) {
      Files.delete(socket);
      return;
    }
    throw Failure.usage(
        "another hpcrund listens at " + socket, "stop it, or give this one another daemon.socket");
  }

  /**
   * Answers who has connected already, then stops. The socket is gone afterwards, unless it is
   * systemd's: who connects to that one from now on waits for the next daemon.
   */
  public void stop() {
    try {
      if (server.isStarted()) {
        connector.drain(
            () -> running.getCurrentRequestCount() > 0, PATIENCE, Duration.ofMillis(STOP_MS));
      }
      server.stop();
      if (listens) {
        Files.deleteIfExists(socket);
      }
    } catch (TimeoutException slowClients) {
      LOG.warn("some requests were not answered before the end");
    } catch (Exception failed) {
      throw Failure.internal("hpcrund did not stop in order", "see its log", failed);
    }
  }

  private static String reason(Exception failed) {
    Throwable cause = failed.getCause() == null ? failed : failed.getCause();
    return cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }
}
