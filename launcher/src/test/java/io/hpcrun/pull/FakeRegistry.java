package io.hpcrun.pull;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

/** A web server of this machine that answers as it is told, and remembers what it was asked. */
final class FakeRegistry implements AutoCloseable {
  private final HttpServer server;
  private final Map<String, Handler> answers = new ConcurrentHashMap<>();
  final List<String> asked = new CopyOnWriteArrayList<>();

  /** Answers a request. */
  interface Handler {
    void answer(HttpExchange exchange) throws IOException;
  }

  FakeRegistry() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext(
        "/",
        exchange -> {
          asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
          Handler handler =
              answers.getOrDefault(
                  exchange.getRequestURI().getPath(), other -> send(other, 404, new byte[0]));
          handler.answer(exchange);
        });
    server.start();
  }

  /** Host and port. */
  String host() {
    return "127.0.0.1:" + server.getAddress().getPort();
  }

  void on(String path, Handler handler) {
    answers.put(path, handler);
  }

  void on(String path, int status, String body) {
    on(path, exchange -> send(exchange, status, body.getBytes(StandardCharsets.UTF_8)));
  }

  /** Serves a manifest by its digest and a tag; returns the digest. */
  String manifest(String name, String tag, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    String digest = digest(bytes);
    for (String each : List.of(tag, digest)) {
      on(
          "/v2/" + name + "/manifests/" + each,
          exchange -> {
            exchange.getResponseHeaders().add("Docker-Content-Digest", digest);
            send(exchange, 200, bytes);
          });
    }
    return digest;
  }

  /** Serves a blob; returns its digest. */
  String blob(String name, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    String digest = digest(bytes);
    on("/v2/" + name + "/blobs/" + digest, exchange -> send(exchange, 200, bytes));
    return digest;
  }

  /** Serves an image for one kind of processor; returns its manifest's digest. */
  String image(String name, String tag, String architecture) {
    String config = blob(name, "{\"architecture\":\"%s\"}".formatted(architecture));
    return manifest(
        name,
        tag,
        "{\"config\":{\"digest\":\"%s\"},\"layers\":[{\"size\":100},{\"size\":23}]}"
            .formatted(config));
  }

  static String digest(byte[] bytes) {
    return "sha256:" + HexFormat.of().formatHex(Registry.sha256().digest(bytes));
  }

  static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
    boolean none = exchange.getRequestMethod().equals("HEAD") || body.length == 0;
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().add("Content-Length", String.valueOf(body.length));
    }
    exchange.sendResponseHeaders(status, none ? -1 : body.length);
    if (!none) {
      exchange.getResponseBody().write(body);
    }
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
