package io.hpcrun.daemon;

import io.hpcrun.spec.ByteString;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Records with random contents, made from nothing but their types. */
final class RecordSamples {
  private static final String LETTERS = "aZ09 _-'\"\\$`\n\t/:;,é€😀\u0001";

  private final Random random;

  RecordSamples(long seed) {
    this.random = new Random(seed);
  }

  <T extends Record> T of(Class<T> type) {
    return type.cast(value(type));
  }

  private Object value(Type type) {
    if (type instanceof ParameterizedType generic) {
      Type[] arguments = generic.getActualTypeArguments();
      if (generic.getRawType() == Optional.class) {
        return random.nextInt(3) == 0 ? Optional.empty() : Optional.of(value(arguments[0]));
      }
      List<Object> values = new ArrayList<>();
      for (int i = random.nextInt(3); i > 0; i--) {
        values.add(value(arguments[0]));
      }
      if (generic.getRawType() == Map.class) {
        Map<Object, Object> map = new TreeMap<>();
        values.forEach(key -> map.put(key, value(arguments[1])));
        return map;
      }
      return values;
    }
    Class<?> raw = (Class<?>) type;
    if (raw.isRecord()) {
      return record(raw);
    }
    if (raw.isEnum()) {
      return raw.getEnumConstants()[random.nextInt(raw.getEnumConstants().length)];
    }
    if (raw == boolean.class) {
      return random.nextBoolean();
    }
    if (raw == long.class || raw == Long.class) {
      return random.nextLong();
    }
    if (raw == int.class) {
      return random.nextInt();
    }
    if (raw == Path.class) {
      return Path.of("/" + text().replace('\u0000', 'x'));
    }
    if (raw == ByteString.class) {
      byte[] bytes = new byte[random.nextInt(20)];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) (1 + random.nextInt(255));
      }
      return ByteString.of(bytes);
    }
    if (raw == String.class) {
      return text();
    }
    throw new IllegalStateException("no sample of " + raw);
  }

  private Object record(Class<?> type) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] values = Stream.of(components).map(each -> value(each.getGenericType())).toArray();
    try {
      var constructor =
          type.getDeclaredConstructor(
              Stream.of(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException noRecord) {
      throw new IllegalStateException(type + " cannot be made", noRecord);
    }
  }

  private String text() {
    int[] points = LETTERS.codePoints().toArray();
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      text.appendCodePoint(points[random.nextInt(points.length)]);
    }
    return text.toString();
  }
}
