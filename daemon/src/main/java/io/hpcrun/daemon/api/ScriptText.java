package io.hpcrun.daemon.api;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.io.JsonStringEncoder;

/**
 * A job script in an answer: in JSON a text with one character (U+0000 to U+00FF) for each byte.
 * Nearly all of a script is the node agent, the same in all; its JSON is kept, since making it took
 * as long as all the rest of a plan.
 *
 * @param latin1 the script
 */
public record ScriptText(String latin1) {
  private static final String MARK = "\n# ---- the node agent\n";
  private static final JsonStringEncoder ENCODER = JsonStringEncoder.getInstance();

  /** The end of the script that was written last, and its JSON. */
  private static final AtomicReference<Encoded> LAST =
      new AtomicReference<>(new Encoded("", new byte[0]));

  private record Encoded(String text, byte[] json) {}

  /** The script with these bytes. */
  static ScriptText of(byte[] script) {
    return new ScriptText(new String(script, StandardCharsets.ISO_8859_1));
  }

  /** Writes it as a JSON string. */
  void writeTo(JsonGenerator json) {
    Encoded end = LAST.get();
    if (end.text().isEmpty() || !latin1.endsWith(end.text())) {
      String text = latin1.substring(Math.max(latin1.lastIndexOf(MARK), 0));
      end = new Encoded(text, ENCODER.quoteAsUTF8(text));
      LAST.set(end);
    }
    byte[] head = ENCODER.quoteAsUTF8(latin1.substring(0, latin1.length() - end.text().length()));
    byte[] whole = Arrays.copyOf(head, head.length + end.json().length);
    System.arraycopy(end.json(), 0, whole, head.length, end.json().length);
    json.writeRawUTF8String(whole, 0, whole.length);
  }
}
