package io.hpcrun.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.cluster.ClusterFacts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that do not read, or send a byte now and then. */
@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SlowClientsTest {
  private static final ClusterFacts CLUSTER =
      new ClusterFacts("24.11.5", "pmix", Optional.empty(), "/spool", "/tmp", "", "amd64");
  private static final int FOR_EVER_S = 3600;
  private static final int PER_USER = 4;
  private static final int TOGETHER = 8;

  @TempDir private Path directory;
  private final List<SocketChannel> unread = new ArrayList<>();
  private Service service;
  private SocketHttp socket;
  private URI page;

  private void start(int requestSeconds) throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    page = URI.create("http://127.0.0.1:" + port + "/");
    service =
        new Service(
            new Settings(
                directory.resolve("s"),
                directory.resolve("state"),
                null,
                null,
                null,
                new Settings.Limits(1_000_000, 100_000L, requestSeconds, TOGETHER, PER_USER),
                null,
                Optional.of(new Settings.Tcp("127.0.0.1:" + port, null, null, null))),
            () -> CLUSTER);
    service.start();
    socket = new SocketHttp(directory.resolve("s"));
  }

  @AfterEach
  void stop() throws IOException {
    for (SocketChannel each : unread) {
      each.close();
    }
    service.close();
  }

  private SocketChannel connect() throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    channel.connect(UnixDomainSocketAddress.of(directory.resolve("s")));
    return channel;
  }

  private static ByteBuffer ascii(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** Asks for more than fits into the socket's buffers, and reads nothing. */
  private SocketChannel askAndDoNotRead() throws IOException {
    SocketChannel channel = connect();
    channel.write(ascii("GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100)));
    return channel;
  }

  private void awaitStatus(int status) throws IOException, InterruptedException {
    while (socket.get("/v1/version").status() != status) {
      Thread.sleep(20);
    }
  }

  @Test
  void oneUsersUnreadAnswersKeepNobodyElseFromAnAnswer() throws Exception {
    start(FOR_EVER_S);
    for (int i = 0; i < 10 * TOGETHER; i++) {
      unread.add(askAndDoNotRead());
    }
    awaitStatus(429);
    try (HttpClient other = HttpClient.newHttpClient()) {
      for (int i = 0; i < 10; i++) {
        assertThat(
                other
                    .send(HttpRequest.newBuilder(page).build(), BodyHandlers.discarding())
                    .statusCode())
            .isEqualTo(200);
      }
    }
  }

  /** A client that takes a little now and then is not idle. */
  @Test
  void anAnswerThatIsNotTakenInTimeIsDropped() throws Exception {
    start(1);
    for (int i = 0; i < PER_USER; i++) {
      unread.add(askAndDoNotRead());
    }
    awaitStatus(429);
    SocketChannel sip = unread.getFirst();
    sip.configureBlocking(false);
    while (socket.get("/v1/version").status() != 200) {
      sip.read(ByteBuffer.allocate(100));
      Thread.sleep(100);
    }
  }

  @Test
  void aHeaderThatDoesNotArriveInTimeEndsTheConnection() throws Exception {
    start(1);
    try (SocketChannel channel = connect()) {
      channel.configureBlocking(false);
      channel.write(ascii("GET /v1/version HTTP/1.1\r\nX-Long: "));
      ByteBuffer answer = ByteBuffer.allocate(1000);
      boolean open = true;
      while (open) {
        Thread.sleep(100);
        try {
          open = channel.write(ascii("x")) > 0 && channel.read(answer) == 0;
        } catch (IOException closed) {
          open = false;
        }
      }
      assertThat(answer.position()).isZero();
    }
  }
}
