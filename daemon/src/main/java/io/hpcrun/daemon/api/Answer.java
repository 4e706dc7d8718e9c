package io.hpcrun.daemon.api;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an endpoint answers: a body that is written at once, or as it is made.
 *
 * @param type the media type
 * @param bytes the body; null if it is streamed
 * @param stream writes the body; null if it is there
 * @param headers further header lines
 */
public record Answer(String type, byte[] bytes, Stream stream, Map<String, String> headers) {
  private static final String JSON = "application/json";

  /** Writes a body of any length. */
  @FunctionalInterface
  public interface Stream {
    /** Writes all of it. */
    void writeTo(OutputStream out) throws IOException;
  }

  /** A value as JSON. */
  public static Answer json(Object value) {
    return new Answer(JSON, Json.MAPPER.writeValueAsBytes(value), null, Map.of());
  }

  /** JSON that is written already. */
  public static Answer json(byte[] text) {
    return new Answer(JSON, text, null, Map.of());
  }

  /** JSON that is written as it is made. */
  public static Answer jsonStream(Stream stream) {
    return new Answer(JSON, null, stream, Map.of());
  }

  /** Another kind of body. */
  public static Answer of(String type, byte[] bytes) {
    return new Answer(type, bytes, null, Map.of());
  }

  /** The same with another header line. */
  public Answer with(String name, String value) {
    Map<String, String> more = new TreeMap<>(headers);
    more.put(name, value);
    return new Answer(type, bytes, stream, more);
  }
}
