package io.hpcrun.daemon.api;

import io.hpcrun.spec.ByteString;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.deser.std.StdDeserializer;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/**
 * How words of the operating system look in JSON: paths as they are written in a shell, byte
 * strings with one character (U+0000 to U+00FF) for each byte.
 */
public final class Words extends SimpleModule {
  private static final long serialVersionUID = 1L;

  /** Registers both. */
  public Words() {
    super("words");
    addDeserializer(ByteString.class, new OfBytes());
    addDeserializer(Path.class, new OfPath());
    addSerializer(Path.class, new ToPath());
    addSerializer(ScriptText.class, new ToScript());
  }

  private static final class OfBytes extends StdDeserializer<ByteString> {
    OfBytes() {
      super(ByteString.class);
    }

    @Override
    public ByteString deserialize(JsonParser json, DeserializationContext context) {
      String text = text(json, context, ByteString.class);
      if (text.chars().anyMatch(c -> c == 0 || c > 0xFF)) {
        return (ByteString)
            context.handleWeirdStringValue(
                ByteString.class, text, "a character that stands for no byte of a word");
      }
      return ByteString.ofLatin1(text);
    }
  }

  private static final class OfPath extends StdDeserializer<Path> {
    OfPath() {
      super(Path.class);
    }

    @Override
    public Path deserialize(JsonParser json, DeserializationContext context) {
      String text = text(json, context, Path.class);
      try {
        return Path.of(text);
      } catch (InvalidPathException invalid) {
        return (Path) context.handleWeirdStringValue(Path.class, text, invalid.getReason());
      }
    }
  }

  private static final class ToPath extends StdSerializer<Path> {
    ToPath() {
      super(Path.class);
    }

    @Override
    public void serialize(Path path, JsonGenerator json, SerializationContext context) {
      json.writeString(path.toString());
    }
  }

  private static final class ToScript extends StdSerializer<ScriptText> {
    ToScript() {
      super(ScriptText.class);
    }

    @Override
    public void serialize(ScriptText script, JsonGenerator json, SerializationContext context) {
      script.writeTo(json);
    }
  }

  private static String text(JsonParser json, DeserializationContext context, Class<?> type) {
    return json.currentToken() == JsonToken.VALUE_STRING
        ? json.getString()
        : (String) context.handleUnexpectedToken(type, json);
  }
}
