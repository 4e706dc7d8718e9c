package io.hpcrun.daemon.bench;

import io.hpcrun.daemon.Records;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Asks a running hpcrund as many clients do, over its Unix socket, and prints figures. Started by
 * {@code ./bench daemon}.
 *
 * <pre>
 *   plans SOCKET REQUEST CONNECTIONS SECONDS   POST /v1/plan with this file's content, one after the other
 *   clients SOCKET REQUEST CLIENTS SECONDS     a new connection for each request, as commands do
 *   records SOCKET SPOOL NODES RANKS           from the spool to what the API tells
 *   stages SOCKET TIMES                        percentiles over all that is in the store
 * </pre>
 */
public final class DaemonBenchmark {
  private static final byte[] HEAD_END = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Path socket;
  private final Histogram nanos = new ConcurrentHistogram(3);
  private final Map<String, AtomicLong> failures = new ConcurrentHashMap<>();

  private DaemonBenchmark(Path socket) {
    this.socket = socket;
  }

  /** Runs one of the measurements. */
  public static void main(String[] words) throws Exception {
    DaemonBenchmark benchmark = new DaemonBenchmark(Path.of(words[1]));
    switch (words[0]) {
      case "plans" -> benchmark.load(words, true);
      case "clients" -> benchmark.load(words, false);
      case "records" ->
          benchmark.records(
              Path.of(words[2]), Integer.parseInt(words[3]), Integer.parseInt(words[4]));
      case "stages" -> benchmark.stages(Integer.parseInt(words[2]));
      default -> throw new IllegalArgumentException(words[0]);
    }
  }

  private void load(String[] words, boolean kept) throws IOException, InterruptedException {
    byte[] body = Files.readAllBytes(Path.of(words[2]));
    int clients = Integer.parseInt(words[3]);
    long seconds = Long.parseLong(words[4]);
    long until = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
    CountDownLatch running = new CountDownLatch(clients);
    for (int i = 0; i < clients; i++) {
      Thread.ofVirtual()
          .start(
              () -> {
                while (System.nanoTime() < until) {
                  try (Connection connection = new Connection(socket)) {
                    do {
                      ask(connection, body, kept);
                    } while (kept && System.nanoTime() < until);
                  } catch (IOException failed) {
                    fail(String.valueOf(failed.getMessage()));
                  }
                }
                running.countDown();
              });
    }
    running.await();
    System.out.printf(
        "%-8s %4d clients, %d s: %,7.0f requests/s; ms: median %.1f, p99 %.1f, longest %.1f;"
            + " failures: %s%n",
        words[0],
        clients,
        seconds,
        nanos.getTotalCount() / (double) seconds,
        nanos.getValueAtPercentile(50) / 1e6,
        nanos.getValueAtPercentile(99) / 1e6,
        nanos.getMaxValue() / 1e6,
        failures.isEmpty() ? "0" : new TreeMap<>(failures));
  }

  private void ask(Connection connection, byte[] body, boolean kept) throws IOException {
    long began = System.nanoTime();
    int status = connection.send("POST /v1/plan", body, kept);
    nanos.recordValue(System.nanoTime() - began);
    if (status != 200) {
      fail("status " + status);
    }
  }

  private void fail(String what) {
    failures.computeIfAbsent(what, name -> new AtomicLong()).incrementAndGet();
  }

  private void records(Path spool, int nodes, int ranks) throws Exception {
    long uid =
        ((Number) Files.getAttribute(Path.of("/proc/self").toRealPath(), "unix:uid")).longValue();
    long begun = Records.at(0);
    Path filled = Files.createDirectories(spool.resolveSibling("filled"));
    for (int i = 0; i < nodes; i++) {
      Files.writeString(
          filled.resolve("node.n" + i + ".jsonl"),
          Records.node("1.0.0", uid, begun, "n" + i, i * ranks, ranks));
    }
    Files.writeString(
        filled.resolve("job.ended.jsonl"),
        Records.launch(
            "1.0.0",
            uid,
            begun,
            "ended",
            nodes,
            nodes * ranks,
            ",\"image\":\"/images/solver.sif\",\"partition\":\"batch\",\"mode\":\"auto\""));
    long began = System.nanoTime();
    try (var files = Files.list(filled)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.move(file, spool.resolve(file.getFileName()));
      }
    }
    long wanted = (long) nodes * ranks;
    String counted = "\"spawn\":{\"count\":" + wanted + ",";
    while (!get("/v1/stages").contains(counted)) {
      Thread.sleep(100);
    }
    System.out.printf(
        "records  %,d ranks of %,d nodes from the spool to percentiles over all of them: %.2f s%n",
        wanted, nodes, (System.nanoTime() - began) / 1e9);
  }

  private void stages(int times) throws IOException {
    for (String group : new String[] {"none", "image", "day", "node"}) {
      long[] taken = new long[times];
      int bytes = 0;
      for (int i = 0; i < times; i++) {
        long began = System.nanoTime();
        bytes = get("/v1/stages?group=" + group).length();
        taken[i] = System.nanoTime() - began;
      }
      long first = taken[0];
      Arrays.sort(taken);
      System.out.printf(
          "stages   by %-5s %,9d bytes; ms: first %.0f, least %.0f, median %.0f, most %.0f%n",
          group,
          bytes,
          first / 1e6,
          taken[0] / 1e6,
          taken[times / 2] / 1e6,
          taken[times - 1] / 1e6);
    }
  }

  private String get(String path) throws IOException {
    try (Connection connection = new Connection(socket)) {
      int status = connection.send("GET " + path, new byte[0], false);
      if (status != 200) {
        throw new IOException("status " + status);
      }
      return connection.body();
    }
  }

  /** HTTP/1.1 on a Unix socket, whose answers have a length. */
  private static final class Connection implements AutoCloseable {
    private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    private final ByteBuffer in = ByteBuffer.allocate(1 << 16);
    private byte[] answer = {};
    private int bodyAt;

    Connection(Path socket) throws IOException {
      channel.connect(UnixDomainSocketAddress.of(socket));
    }

    int send(String request, byte[] body, boolean kept) throws IOException {
      String head =
          request
              + " HTTP/1.1\r\nHost: x\r\n"
              + (kept ? "" : "Connection: close\r\n")
              + "Content-Length: "
              + body.length
              + "\r\n\r\n";
      ByteBuffer[] out = {
        ByteBuffer.wrap(head.getBytes(StandardCharsets.US_ASCII)), ByteBuffer.wrap(body)
      };
      while (out[0].hasRemaining() || out[1].hasRemaining()) {
        channel.write(out);
      }
      ByteArrayOutputStream read = new ByteArrayOutputStream();
      int end = -1;
      int length = Integer.MAX_VALUE;
      while (end < 0 || read.size() < end + length) {
        in.clear();
        if (channel.read(in) < 0) {
          throw new IOException("the answer ended early");
        }
        read.write(in.array(), 0, in.position());
        if (end < 0) {
          end = headEnd(read.toByteArray());
          length = end < 0 ? length : length(new String(read.toByteArray(), 0, end));
        }
      }
      answer = read.toByteArray();
      bodyAt = end;
      return Integer.parseInt(new String(answer, 9, 3, StandardCharsets.US_ASCII));
    }

    String body() {
      return new String(answer, bodyAt, answer.length - bodyAt, StandardCharsets.UTF_8);
    }

    private static int headEnd(byte[] text) {
      for (int i = 0; i + HEAD_END.length <= text.length; i++) {
        if (Arrays.equals(text, i, i + HEAD_END.length, HEAD_END, 0, HEAD_END.length)) {
          return i + HEAD_END.length;
        }
      }
      return -1;
    }

    private static int length(String head) {
      return Integer.parseInt(
          head.lines()
              .filter(line -> line.toLowerCase(java.util.Locale.ROOT).startsWith("content-length:"))
              .findFirst()
              .orElseThrow()
              .replaceAll("\\D", ""));
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
