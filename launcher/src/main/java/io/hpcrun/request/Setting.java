package io.hpcrun.request;

import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.SecretNames;
import io.hpcrun.spec.SlurmOption;
import java.util.List;

/**
 * An option as somebody gave it.
 *
 * @param name the long name without the dashes
 * @param values its values, as Latin-1 views of their bytes; none for a flag
 * @param origin who gave it
 */
public record Setting(String name, List<String> values, Origin origin) {
  /** Copies the list. */
  public Setting {
    values = List.copyOf(values);
  }

  /** As words of a command line. */
  public List<String> words() {
    return values.isEmpty()
        ? List.of("--" + name)
        : values.stream().map(value -> "--" + name + "=" + value).toList();
  }

  /** The value for people, without those of secret-looking variables. */
  public String shown() {
    return values.isEmpty() ? "yes" : String.join(" ", values.stream().map(this::shown).toList());
  }

  private String shown(String value) {
    boolean export = name.equals(SlurmOption.EXPORT.option()) || value.startsWith("--export=");
    if (export && value.contains("=")) {
      int from = value.startsWith("--export=") ? "--export=".length() : 0;
      return value.substring(0, from) + ByteString.ofLatin1(Export.masked(value.substring(from)));
    }
    int equals = value.indexOf('=');
    boolean secret =
        name.equals(OwnOption.ENV.option())
            && equals > 0
            && SecretNames.isSecret(value.substring(0, equals), value.substring(equals + 1));
    return secret ? value.substring(0, equals) + "=***" : ByteString.ofLatin1(value).toString();
  }
}
