package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A daemon with the heap that it has in use, and a user who sends large requests. */
class FullHeapTest {
  private static final int LARGE = 16 << 20;
  private static final int CLIENTS = 8;
  private static final int OWN_MISTAKE = 400;

  @TempDir private Path directory;

  /** All but the last byte, so that no request ends. */
  private static void send(Path socket, SocketChannel channel, int bytes) throws Exception {
    channel.connect(UnixDomainSocketAddress.of(socket));
    String header =
        "POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n\"".formatted(LARGE);
    channel.write(ByteBuffer.wrap(header.getBytes(StandardCharsets.US_ASCII)));
    ByteBuffer body = ByteBuffer.wrap("x".repeat(bytes).getBytes(StandardCharsets.US_ASCII));
    while (body.hasRemaining()) {
      channel.write(body);
    }
  }

  @Test
  @Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void largeRequestsDoNotEndTheDaemon() throws Exception {
    Path socket = directory.resolve("s");
    Path site = directory.resolve("site.yaml");
    Files.writeString(
        site, "daemon: {socket: %s, state: %s}\n".formatted(socket, directory.resolve("state")));
    Process daemon =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "io.hpcrun.daemon.Main",
                "--config=" + site)
            .inheritIO()
            .start();
    try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS)) {
      while (!Files.exists(socket) || !Files.isWritable(socket)) {
        assertThat(daemon.isAlive()).isTrue();
        Thread.sleep(20);
      }
      SocketHttp http = new SocketHttp(socket);
      try (Held held = new Held(CLIENTS)) {
        held.sendAll(threads, channel -> send(socket, channel, LARGE - 2));
        assertThat(http.get("/v1/version").status()).isEqualTo(200);
        assertThat(http.post("/v1/plan", "{}").status()).isEqualTo(OWN_MISTAKE);
      }
      String large = "\"" + "x".repeat(LARGE - 2) + "\"";
      int status;
      do {
        status = http.post("/v1/plan", large).status();
      } while (status == 503); // until those who hung up are forgotten
      assertThat(status).isEqualTo(OWN_MISTAKE);
      assertThat(daemon.isAlive()).isTrue();
    } finally {
      daemon.destroy();
      daemon.waitFor();
    }
  }

  private interface Sender {
    void send(SocketChannel channel) throws Exception;
  }

  /** Connections that stay open until the end. */
  private static final class Held implements AutoCloseable {
    private final SocketChannel[] channels;

    Held(int count) throws Exception {
      channels = new SocketChannel[count];
      for (int i = 0; i < count; i++) {
        channels[i] = SocketChannel.open(StandardProtocolFamily.UNIX);
      }
    }

    void sendAll(ExecutorService threads, Sender sender) throws Exception {
      threads.invokeAll(
          Arrays.stream(channels)
              .<Callable<Object>>map(
                  channel ->
                      () -> {
                        sender.send(channel);
                        return null;
                      })
              .toList());
    }

    @Override
    public void close() throws Exception {
      for (SocketChannel each : channels) {
        each.close();
      }
    }
  }
}
