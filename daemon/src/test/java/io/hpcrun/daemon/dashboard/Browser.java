package io.hpcrun.daemon.dashboard;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A headless Chromium, driven by its DevTools protocol. A WebDriver library would bring a hundred
 * jars and a driver that has to fit the browser, for the dozen commands that these tests send.
 */
public final class Browser implements AutoCloseable, WebSocket.Listener {
  /** How long anything may take on a busy machine before the test gives up. */
  static final long PATIENCE_S = 60;

  private static final JsonMapper JSON = new JsonMapper();

  private final Process process;
  private final WebSocket socket;
  private final AtomicLong numbers = new AtomicLong();
  private final Map<Long, CompletableFuture<JsonNode>> asked = new ConcurrentHashMap<>();
  private final Map<String, Consumer<JsonNode>> sessions = new ConcurrentHashMap<>();
  private final StringBuilder text = new StringBuilder();

  /** Where Chromium is on this machine. */
  public static Optional<Path> binary() {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .flatMap(
            directory ->
                Stream.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
                    .map(name -> Path.of(directory, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Starts it with nothing but what it needs.
   *
   * @param profile an empty directory
   * @param more further words of its command line, such as {@code --ignore-certificate-errors}
   */
  public Browser(Path binary, Path profile, String... more) throws IOException {
    List<String> words = new ArrayList<>(List.of(binary.toString()));
    if ("root".equals(System.getProperty("user.name"))) {
      words.add("--no-sandbox"); // Chromium refuses to start as root with it
    }
    words.addAll(
        List.of(
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--force-color-profile=srgb",
            "--lang=en-GB",
            "--remote-debugging-port=0",
            "--user-data-dir=" + profile));
    words.addAll(List.of(more)); // the last word on a switch counts
    words.add("about:blank");
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().put("TZ", "UTC");
    builder.redirectErrorStream(true).redirectOutput(profile.resolve("chromium.log").toFile());
    process = builder.start();
    Path port = profile.resolve("DevToolsActivePort");
    waitUntil(
        () -> Files.exists(port) && Files.readAllLines(port).size() > 1,
        () -> "Chromium did not start: " + profile.resolve("chromium.log"));
    List<String> lines = Files.readAllLines(port);
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create("ws://127.0.0.1:" + lines.get(0) + lines.get(1)), this)
            .join();
  }

  /** A new tab that shares no storage with others. */
  public Tab tab() {
    String context =
        send("", "Target.createBrowserContext", Map.of()).get("browserContextId").asString();
    String target =
        send("", "Target.createTarget", Map.of("url", "about:blank", "browserContextId", context))
            .get("targetId")
            .asString();
    String session =
        send("", "Target.attachToTarget", Map.of("targetId", target, "flatten", true))
            .get("sessionId")
            .asString();
    Tab tab = new Tab(this, session, context);
    sessions.put(session, tab::heard);
    tab.prepare();
    return tab;
  }

  /** Sends a command and waits for its result. */
  JsonNode send(String session, String method, Map<String, Object> parameters) {
    long number = numbers.incrementAndGet();
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    asked.put(number, answer);
    Map<String, Object> message = new java.util.HashMap<>();
    message.put("id", number);
    message.put("method", method);
    message.put("params", parameters);
    if (!session.isEmpty()) {
      message.put("sessionId", session);
    }
    synchronized (socket) {
      socket.sendText(JSON.writeValueAsString(message), true).join();
    }
    JsonNode result = answer.orTimeout(PATIENCE_S, TimeUnit.SECONDS).join();
    if (result.has("error")) {
      throw new IllegalStateException(method + ": " + result.get("error"));
    }
    return result.get("result");
  }

  @Override
  public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
    text.append(part);
    if (last) {
      JsonNode message = JSON.readTree(text.toString());
      text.setLength(0);
      if (message.has("id")) {
        asked.remove(message.get("id").asLong()).complete(message);
      } else if (message.has("sessionId")) {
        sessions.getOrDefault(message.get("sessionId").asString(), m -> {}).accept(message);
      }
    }
    from.request(1);
    return null;
  }

  /** A condition that may fail to be told. */
  public interface Condition {
    boolean holds() throws IOException;
  }

  /** Waits as long as it takes, within reason. */
  public static void waitUntil(Condition condition, java.util.function.Supplier<String> otherwise)
      throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (!condition.holds()) {
      if (System.nanoTime() > end) {
        throw new AssertionError(otherwise.get());
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(interrupted);
      }
    }
  }

  @Override
  public void close() {
    socket.abort();
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
    process.onExit().join();
  }
}
