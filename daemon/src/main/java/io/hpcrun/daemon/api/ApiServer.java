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
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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
import org.eclipse.jetty.util.HostPort;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves the endpoints over HTTP/1.1 on a Unix socket that every user of the machine may open. */
public final class ApiServer {
  private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);
  private static final int THREADS = 16;
  private static final long STOP_MS = 10_000;
  private static final Duration RETRY = Duration.ofSeconds(30);
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final Server server;
  private final SocketConnector connector;
  private final Optional<ServerConnector> tcp;
  private final SlowClients slow;
  private final Duration retry;
  private final Settings.Limits limits;
  private final Supplier<Accounts> accounts;
  private final Tokens tokens;
  private final Path socket;
  private final boolean inherited;
  private boolean listens;
  private GracefulHandler running;
  private volatile Optional<String> trouble = Optional.empty();

  /**
   * Prepares the server; nothing listens yet.
   *
   * @param settings where, and what one user may ask for
   * @param accounts who the users are
   * @param tokens who has been given one
   */
  public ApiServer(Settings settings, Supplier<Accounts> accounts, Tokens tokens) {
    this(settings, accounts, tokens, RETRY);
  }

  /** The same, which tries a TCP port that it does not get again after this time. */
  ApiServer(Settings settings, Supplier<Accounts> accounts, Tokens tokens, Duration retry) {
    this.retry = retry;
    this.limits = settings.limits();
    this.accounts = accounts;
    this.tokens = tokens;
    this.socket = settings.socket();
    this.inherited = inherited();
    QueuedThreadPool threads = new QueuedThreadPool(THREADS, 1);
    threads.setName("http");
    threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server = new Server(threads);
    server.setStopTimeout(STOP_MS);
    server.setErrorHandler(new ProblemPages());
    slow = new SlowClients(server.getScheduler(), Duration.ofSeconds(limits.requestSeconds()));
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    // Without it Jetty takes the socket's path for a request without Host, and warns of each.
    http.setServerAuthority(new HostPort("localhost"));
    http.setIdleTimeout(limits.requestSeconds() * 1000L);
    connector = new SocketConnector(server, factory(http));
    connector.setInheritChannel(inherited);
    // Jetty removes the path at the end, and fails without one: systemd's socket must stay.
    connector.setUnixDomainPath(inherited ? socket.resolveSibling(".none") : socket);
    connector.setIdleTimeout(limits.requestSeconds() * 1000L);
    connector.setAcceptQueueSize(1024);
    server.addConnector(connector);
    this.tcp = settings.tcp().map(each -> tcp(each, http));
  }

  private HttpConnectionFactory factory(HttpConfiguration http) {
    HttpConnectionFactory factory = new HttpConnectionFactory(http);
    factory.addBean(slow, false);
    return factory;
  }

  private ServerConnector tcp(Settings.Tcp tcp, HttpConfiguration http) {
    HttpConfiguration configuration = new HttpConfiguration(http);
    HttpConnectionFactory plain = factory(configuration);
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
   * Listens at the socket, and at the TCP port if there is one and nobody else has it; what keeps
   * it from that is told by {@link #trouble} until it is over.
   *
   * @param endpoints what may be asked
   * @throws Failure with exit code 2 when the socket cannot be made, or another daemon has it
   */
  public void start(List<Endpoint> endpoints) {
    QoSHandler atOnce =
        new QoSHandler(
            new Router(endpoints, accounts, tokens, limits, RequestMemory.ofHeap(), slow));
    atOnce.setMaxRequestCount(limits.requestsAtOnce());
    slow.setHandler(atOnce);
    running = new GracefulHandler(slow);
    server.setHandler(running);
    startSocket();
    tcp.ifPresent(this::startTcp);
  }

  private void startSocket() {
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
          "hpcrund cannot listen at " + socket + ": " + reason(failed),
          "check daemon.socket, and that hpcrund's user may write to the socket's directory");
    }
  }

  /** Users at the socket are served whether or not the port is free. */
  private void startTcp(ServerConnector port) {
    if (!server.isStarted()) {
      return;
    }
    try {
      port.open();
      port.start();
    } catch (Exception taken) {
      String found =
          "hpcrund cannot listen at %s:%d (%s), and tries again every %d s"
              .formatted(port.getHost(), port.getPort(), reason(taken), retry.toSeconds());
      if (trouble.isEmpty()) {
        LOG.error("{}; end what listens there, or change daemon.tcp and restart hpcrund", found);
      }
      trouble = Optional.of(found);
      server.getScheduler().schedule(() -> startTcp(port), retry.toMillis(), TimeUnit.MILLISECONDS);
      return;
    }
    // A server that runs starts no connector that is added, but stops it at its end.
    server.addConnector(port);
    server.manage(port);
    if (trouble.isPresent()) {
      LOG.info("listening at {}:{} now", port.getHost(), port.getPort());
    }
    trouble = Optional.empty();
  }

  /** Why the TCP port is not listened at, for people; empty if it is, or there is none. */
  public Optional<String> trouble() {
    return trouble;
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
