package io.hpcrun.planning;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.LoggerFactory;

/**
 * Asks the daemon over its Unix socket: one connection for each request, in HTTP/1.0, whose answer
 * ends with the connection (RFC 1945). Java's own HTTP client has no Unix sockets.
 */
final class DaemonConnection {
  /** More than any job script with an embedded user's script (sbatch takes 4 MiB at most). */
  private static final int LARGEST = 32 << 20;

  private static final byte[] HEAD_END = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Path socket;
  private final Duration limit;
  private long spentNanos;

  /** All answers together may take as long as the limit. */
  DaemonConnection(Path socket, Duration limit) {
    this.socket = socket;
    this.limit = limit;
  }

  byte[] get(String path) {
    return exchange("GET " + path, new byte[0]);
  }

  byte[] post(String path, byte[] body) {
    return exchange("POST " + path, body);
  }

  /** What is said of a daemon whose answer is none of hpcrund's. */
  DaemonUnavailable answersOtherwise() {
    return new DaemonUnavailable("what listens at " + socket + " does not answer as hpcrund does");
  }

  private byte[] exchange(String request, byte[] body) {
    long began = System.nanoTime();
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      FutureTask<byte[]> answer = new FutureTask<>(() -> talk(channel, request, body));
      Thread.ofPlatform().daemon().name("hpcrund").start(answer);
      long left = limit.toNanos() - spentNanos;
      return body(answer.get(left, TimeUnit.NANOSECONDS));
    } catch (TimeoutException slow) {
      throw new DaemonUnavailable("hpcrund did not answer within " + limit.toMillis() + " ms");
    } catch (ExecutionException failed) {
      LoggerFactory.getLogger(DaemonConnection.class).debug("{}", request, failed);
      if (failed.getCause() instanceof DaemonUnavailable unavailable) {
        throw unavailable;
      }
      throw new DaemonUnavailable(
          "hpcrund does not answer at " + socket + " (" + reason(failed.getCause()) + ")");
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new DaemonUnavailable("hpcrund was not asked: interrupted");
    } catch (IOException noSockets) {
      throw new DaemonUnavailable("hpcrund cannot be asked: " + noSockets.getMessage());
    } finally {
      spentNanos += System.nanoTime() - began;
    }
  }

  private static String reason(Throwable failure) {
    return failure instanceof NoSuchFileException
        ? "there is no such file"
        : failure instanceof AccessDeniedException ? "permission denied" : failure.getMessage();
  }

  private byte[] talk(SocketChannel channel, String request, byte[] body) throws IOException {
    DaemonSocket.check(socket);
    channel.connect(UnixDomainSocketAddress.of(socket));
    String head =
        request
            + " HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            + body.length
            + "\r\n\r\n";
    ByteBuffer[] out = {
      ByteBuffer.wrap(head.getBytes(StandardCharsets.ISO_8859_1)), ByteBuffer.wrap(body)
    };
    while (out[0].hasRemaining() || out[1].hasRemaining()) {
      channel.write(out);
    }
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    ByteBuffer in = ByteBuffer.allocate(1 << 16);
    while (channel.read(in) >= 0 && answer.size() < LARGEST) {
      answer.write(in.array(), 0, in.position());
      in.clear();
    }
    return answer.toByteArray();
  }

  /** What comes after the head of a good answer, all of it. */
  private byte[] body(byte[] answer) {
    int end = indexOf(answer, HEAD_END);
    if (end < 0) {
      throw answersOtherwise();
    }
    String head = new String(answer, 0, end, StandardCharsets.ISO_8859_1);
    byte[] body = Arrays.copyOfRange(answer, end + HEAD_END.length, answer.length);
    if (!head.matches("(?s)HTTP/1\\.[01] \\d{3}\\b.*")) {
      throw answersOtherwise();
    }
    String length = head.replaceFirst("(?si).*\\r\\ncontent-length: *(\\d+).*", "$1");
    if (!length.equals(Integer.toString(body.length))) {
      throw new DaemonUnavailable("hpcrund ended in the middle of its answer");
    }
    if (!head.startsWith("200", head.indexOf(' ') + 1)) {
      LoggerFactory.getLogger(DaemonConnection.class)
          .debug("{}: {}", head, new String(body, StandardCharsets.UTF_8));
      DaemonProblem.read(body).ifPresent(this::refuse);
      throw new DaemonUnavailable(
          "hpcrund answered '" + head.lines().findFirst().orElse("").substring(9) + "'");
    }
    return body;
  }

  private void refuse(DaemonProblem problem) {
    throw problem;
  }

  private static int indexOf(byte[] text, byte[] part) {
    for (int i = 0; i + part.length <= text.length; i++) {
      if (Arrays.equals(text, i, i + part.length, part, 0, part.length)) {
        return i;
      }
    }
    return -1;
  }
}
