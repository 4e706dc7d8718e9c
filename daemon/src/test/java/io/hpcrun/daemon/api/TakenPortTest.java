package io.hpcrun.daemon.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.daemon.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A TCP port that somebody else has when the daemon starts. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TakenPortTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  @TempDir private Path directory;

  private static String firstLine(int port) throws IOException {
    try (Socket client = new Socket(LOOPBACK, port)) {
      client.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      return new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .findFirst()
          .orElse("");
    }
  }

  @Test
  void theSocketIsServedAndThePortIsTriedAgain() throws Exception {
    Path socket = directory.resolve("s");
    int port;
    ApiServer server;
    try (ServerSocket other = new ServerSocket()) {
      other.bind(new InetSocketAddress(LOOPBACK, 0));
      port = other.getLocalPort();
      Settings settings =
          new Settings(
              socket,
              directory,
              null,
              null,
              null,
              null,
              null,
              Optional.of(
                  new Settings.Tcp(LOOPBACK.getHostAddress() + ":" + port, null, null, null)));
      server =
          new ApiServer(
              settings,
              () -> new Accounts(List.of(), System::nanoTime),
              new Tokens(Clock.systemUTC()),
              Duration.ofMillis(20));
      server.start(new DashboardEndpoints().endpoints());
      assertThat(socket).exists();
      assertThat(server.trouble().orElseThrow())
          .startsWith("hpcrund cannot listen at 127.0.0.1:" + port + " (BindException: ");
    }
    while (server.trouble().isPresent()) {
      Thread.sleep(20);
    }
    assertThat(firstLine(port)).isEqualTo("HTTP/1.1 200 OK");
    server.stop();
  }
}
