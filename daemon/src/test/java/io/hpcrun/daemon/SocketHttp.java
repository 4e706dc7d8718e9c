package io.hpcrun.daemon;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** HTTP on a Unix socket, one request for each connection. */
final class SocketHttp {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path socket;

  SocketHttp(Path socket) {
    this.socket = socket;
  }

  /**
   * An answer.
   *
   * @param status HTTP's number
   * @param body its body as text
   */
  record Answer(int status, String body) {
    JsonNode json() {
      return JSON.readTree(body);
    }
  }

  Answer get(String path) throws IOException {
    return send("GET " + path, "");
  }

  Answer post(String path, String body) throws IOException {
    return send("POST " + path, body);
  }

  private Answer send(String request, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return raw(
        request
            + " HTTP/1.0\r\nHost: x\r\nContent-Length: "
            + bytes.length
            + "\r\n\r\n"
            + new String(bytes, StandardCharsets.ISO_8859_1));
  }

  /** Sends these characters, one byte each. */
  Answer raw(String text) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      ByteBuffer out = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
      while (out.hasRemaining()) {
        channel.write(out);
      }
      ByteArrayOutputStream in = new ByteArrayOutputStream();
      ByteBuffer some = ByteBuffer.allocate(1 << 16);
      while (channel.read(some) >= 0) {
        in.write(some.array(), 0, some.position());
        some.clear();
      }
      String answer = in.toString(StandardCharsets.UTF_8);
      int end = answer.indexOf("\r\n\r\n");
      return new Answer(
          Integer.parseInt(answer.substring(9, 12)), answer.substring(end < 0 ? 0 : end + 4));
    }
  }
}
