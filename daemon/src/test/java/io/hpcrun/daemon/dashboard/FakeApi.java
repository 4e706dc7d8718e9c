package io.hpcrun.daemon.dashboard;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.hpcrun.daemon.api.Answer;
import io.hpcrun.daemon.api.Call;
import io.hpcrun.daemon.api.Caller;
import io.hpcrun.daemon.api.DashboardEndpoints;
import io.hpcrun.daemon.api.Endpoint;
import io.hpcrun.daemon.api.Json;
import io.hpcrun.daemon.api.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * Serves the dashboard's real files, and an API of the same shape as hpcrund's whose answers a test
 * decides.
 */
final class FakeApi implements AutoCloseable {
  static final String TOKEN = "a token/+=";

  private final HttpServer server;
  private final List<Endpoint> files = new DashboardEndpoints().endpoints();
  private final Map<String, Function<Map<String, String>, Object>> answers =
      new ConcurrentHashMap<>();
  private final List<String> asked = new CopyOnWriteArrayList<>();

  FakeApi() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::handle);
    server.start();
  }

  /** What a path below {@code /v1} answers; it gets the query, and may throw a problem. */
  FakeApi with(String path, Function<Map<String, String>, Object> answer) {
    answers.put(path, answer);
    return this;
  }

  /** The address of the page, with the token as {@code hpcrun dashboard} gives it. */
  String address() {
    return base() + "/#token=" + java.net.URLEncoder.encode(TOKEN, StandardCharsets.UTF_8);
  }

  /** The address of the page without a token. */
  String base() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Paths and queries that were asked for below {@code /v1}, in order. */
  List<String> asked() {
    return asked;
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getRawPath();
      if (!path.startsWith("/v1/")) {
        send(exchange, 200, file(path));
        return;
      }
      asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
      try {
        send(exchange, 200, api(exchange, path));
      } catch (Problem.Unanswerable unanswerable) {
        send(
            exchange,
            unanswerable.problem().status(),
            Answer.of(
                "application/problem+json", Json.MAPPER.writeValueAsBytes(unanswerable.problem())));
      }
    }
  }

  private Answer file(String path) {
    Call call =
        new Call(
            new Caller(0, "nobody", false),
            Map.of("file", path.substring(path.lastIndexOf('/') + 1)),
            Map.of(),
            InputStream.nullInputStream());
    return files.get(path.equals("/") ? 0 : 1).action().answer(call);
  }

  private Answer api(HttpExchange exchange, String path) throws IOException {
    if (!("Bearer " + TOKEN).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
      throw new Problem(401, "unknown caller", "the token is not known", "hpcrun dashboard")
          .asException();
    }
    Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
    query.put("body", new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
    Function<Map<String, String>, Object> answer = answers.get(path);
    if (answer == null) {
      throw Problem.notFound(path);
    }
    Object value = answer.apply(query);
    return value instanceof Answer whole ? whole : Answer.json(value);
  }

  private static Map<String, String> query(String raw) {
    Map<String, String> values = new HashMap<>();
    for (String part : raw == null ? new String[0] : raw.split("&")) {
      String[] sides = part.split("=", 2);
      values.put(
          URLDecoder.decode(sides[0], StandardCharsets.UTF_8),
          URLDecoder.decode(sides[1], StandardCharsets.UTF_8));
    }
    return values;
  }

  private static void send(HttpExchange exchange, int status, Answer answer) {
    try {
      exchange.getResponseHeaders().add("Content-Type", answer.type());
      exchange.getResponseHeaders().add("X-Content-Type-Options", "nosniff");
      answer.headers().forEach(exchange.getResponseHeaders()::add);
      exchange.sendResponseHeaders(status, answer.bytes().length);
      exchange.getResponseBody().write(answer.bytes());
    } catch (IOException left) {
      throw new UncheckedIOException(left);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
