package io.hpcrun.lab;

import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The answer of {@code hpcrun timing --json}. */
public final class Timing {
  private static final JsonMapper JSON = new JsonMapper();

  private final JsonNode document;

  private Timing(JsonNode document) {
    this.document = document;
  }

  /** Asks for the timing of a job, an array or an array's element. */
  public static Timing of(Login login, String job, String... options) {
    List<String> command = new java.util.ArrayList<>(List.of("hpcrun", "timing", "--json"));
    command.addAll(List.of(options));
    command.add(job);
    return new Timing(JSON.readTree(login.run(command).succeeded().out()));
  }

  /** The launches, in their order. */
  public List<JsonNode> launches() {
    return document.get("launches").valueStream().toList();
  }

  /** The job's only launch. */
  public JsonNode launch() {
    if (launches().size() != 1) {
      throw new AssertionError("one launch expected: " + document);
    }
    return launches().getFirst();
  }

  /** The whole document. */
  public JsonNode document() {
    return document;
  }
}
