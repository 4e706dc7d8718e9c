package io.hpcrun.daemon.dashboard;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import tools.jackson.databind.JsonNode;

/** A tab of the browser: its page, its keyboard, and what its console said. */
public final class Tab implements AutoCloseable {
  private final Browser browser;
  private final String session;
  private final String context;
  private final List<String> complaints = new CopyOnWriteArrayList<>();

  Tab(Browser browser, String session, String context) {
    this.browser = browser;
    this.session = session;
    this.context = context;
  }

  void prepare() {
    send("Runtime.enable", Map.of());
    send("Log.enable", Map.of());
    send("Page.enable", Map.of());
    send("Emulation.setFocusEmulationEnabled", Map.of("enabled", true));
    send("Emulation.setScrollbarsHidden", Map.of("hidden", true));
    size(1280, 900);
  }

  /** Keeps what a user would find in the console in red or yellow. */
  void heard(JsonNode message) {
    JsonNode parameters = message.get("params");
    switch (message.get("method").asString()) {
      case "Runtime.exceptionThrown" ->
          complaints.add(parameters.get("exceptionDetails").toString());
      case "Runtime.consoleAPICalled" -> {
        if (List.of("error", "warning", "assert").contains(parameters.get("type").asString())) {
          complaints.add(parameters.get("args").toString());
        }
      }
      case "Log.entryAdded" -> {
        JsonNode entry = parameters.get("entry");
        if (List.of("error", "warning").contains(entry.get("level").asString())) {
          complaints.add(entry.get("source").asString() + ": " + entry.get("text").asString());
        }
      }
      default -> {}
    }
  }

  /** Errors and warnings of the console since the last time it was asked for them. */
  public List<String> complaints() {
    evaluate("new Promise((done) => setTimeout(done))"); // what was said before is heard by then
    List<String> said = new ArrayList<>(complaints);
    complaints.clear();
    said.removeIf(Tab::ofTheMachine);
    return said;
  }

  /** The width and height of the page; 320 wide is 1280 at a zoom of 400 %. */
  public void size(int width, int height) {
    send(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
  }

  /** What the system says of colours: {@code light} or {@code dark}. */
  public void systemColours(String scheme) {
    send(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(
                Map.of("name", "prefers-color-scheme", "value", scheme),
                Map.of("name", "prefers-reduced-motion", "value", "reduce"))));
  }

  /** Loads a page and waits until the view of its address is shown. */
  public void load(String address) {
    do {
      complaints.removeIf(Tab::ofTheMachine);
      send("Page.navigate", Map.of("url", address));
      waitFor(
          "document.querySelector('#main')?.getAttribute('aria-busy') === 'false'",
          () -> complaints.stream().anyMatch(Tab::ofTheMachine));
    } while (complaints.stream().anyMatch(Tab::ofTheMachine));
  }

  /** Containers that start beside the tests change this machine's networks; Chromium minds that. */
  private static boolean ofTheMachine(String complaint) {
    return complaint.contains("ERR_NETWORK_CHANGED");
  }

  /** Goes to a view within the page. */
  public void go(String hash) {
    evaluate("location.hash = " + quoted(hash));
    waitForView(hash);
  }

  /** Waits until the view of an address is shown. */
  public void waitForView(String hash) {
    waitFor(
        "document.querySelector('#main').dataset.address === "
            + quoted(hash)
            + " && document.querySelector('#main').getAttribute('aria-busy') === 'false'");
  }

  /** Waits until an expression holds. */
  public void waitFor(String expression) {
    waitFor(expression, () -> false);
  }

  private void waitFor(String expression, BooleanSupplier orElse) {
    try {
      Browser.waitUntil(
          () -> truth(expression) || orElse.getAsBoolean(),
          () ->
              "never: "
                  + expression
                  + "\nconsole: "
                  + complaints
                  + "\npage: "
                  + evaluate("document.body?.innerText ?? ''").asString());
    } catch (IOException never) {
      throw new UncheckedIOException(never);
    }
  }

  private boolean truth(String expression) {
    try {
      return evaluate("Boolean(" + expression + ")").asBoolean();
    } catch (IllegalStateException betweenTwoPages) {
      return false;
    }
  }

  /** The value of an expression, which may be a promise. */
  public JsonNode evaluate(String expression) {
    JsonNode result =
        send(
            "Runtime.evaluate",
            Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    if (result.has("exceptionDetails")) {
      throw new IllegalStateException(result.get("exceptionDetails").toString());
    }
    JsonNode value = result.get("result").get("value");
    return value == null ? tools.jackson.databind.node.NullNode.getInstance() : value;
  }

  /** The text of the page, as it is seen. */
  public String text() {
    return evaluate("document.body.innerText").asString();
  }

  /**
   * Presses a key: a character, {@code Tab}, {@code Shift+Tab}, {@code Enter} or {@code Escape}.
   */
  public void press(String key) {
    boolean shift = key.startsWith("Shift+");
    String name = shift ? key.substring(6) : key;
    Map<String, Object> event = new java.util.HashMap<>();
    event.put("key", name);
    event.put("modifiers", shift ? 8 : 0);
    switch (name) {
      case "Tab" -> event.put("windowsVirtualKeyCode", 9);
      case "Escape" -> event.put("windowsVirtualKeyCode", 27);
      case "Enter" -> {
        event.put("windowsVirtualKeyCode", 13);
        event.put("text", "\r");
      }
      default -> event.put("text", name);
    }
    event.put("type", "keyDown");
    send("Input.dispatchKeyEvent", event);
    event.put("type", "keyUp");
    event.remove("text");
    send("Input.dispatchKeyEvent", event);
  }

  /** Types text into what has the focus. */
  public void type(String words) {
    send("Input.insertText", Map.of("text", words));
  }

  /** The id of what has the keyboard's focus, or its name and text if it has none. */
  public String focused() {
    return evaluate(
            "(() => { const at = document.activeElement;"
                + " return at.id || `${at.localName} ${at.textContent}`; })()")
        .asString();
  }

  /** Draws what is seen into a PNG file. */
  public void screenshot(Path file) throws IOException {
    String data =
        send("Page.captureScreenshot", Map.of("format", "png", "optimizeForSpeed", false))
            .get("data")
            .asString();
    Files.createDirectories(file.getParent());
    Files.write(file, Base64.getDecoder().decode(data));
  }

  static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }

  private JsonNode send(String method, Map<String, Object> parameters) {
    return browser.send(session, method, parameters);
  }

  @Override
  public void close() {
    browser.send("", "Target.disposeBrowserContext", Map.of("browserContextId", context));
  }
}
