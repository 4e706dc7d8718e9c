package io.hpcrun.jobfile;

import io.hpcrun.spec.SlurmTime;
import io.hpcrun.spec.SlurmValue;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** What the value of a parameter is like. */
public enum ParameterType {
  /** Any text; its limits are numbers of characters. */
  TEXT("(?s).*", "text", "text"),
  /** A name without anything special. */
  WORD("[A-Za-z0-9][A-Za-z0-9._+-]{0,255}", "a word of letters, digits and . _ + -", "word"),
  /** A file or directory. */
  PATH("[^\\p{Cntrl}]+", "a path", "/path"),
  /** A whole number. */
  INTEGER("[+-]?[0-9]{1,18}", "a whole number", "1"),
  /** A number. */
  NUMBER(
      "[+-]?([0-9]{1,30}(\\.[0-9]{0,30})?|\\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?", "a number", "1"),
  /** {@code true} or {@code false}. */
  BOOLEAN("true|false", "true or false", "false"),
  /** Memory or storage, as sbatch takes it. */
  SIZE("[0-9]{1,9}(\\.[0-9]{1,3})?[KMGT]", "a size with its unit, such as 500M or 20G", "1G"),
  /** A length of time, as sbatch takes it. */
  TIME("", SlurmValue.TIME.description(), "1:00:00"),
  /** Several texts, which may stand as several words; its limits are numbers of them. */
  LIST("(?s).*", "a list of texts", "text");

  private final Pattern form;
  private final String described;
  private final String sample;

  ParameterType(String form, String described, String sample) {
    this.form = Pattern.compile(form);
    this.described = described;
    this.sample = sample;
  }

  /** The word in files. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What a right value looks like. */
  public String described() {
    return described;
  }

  /** A right value, to check with where none is known. */
  String sample() {
    return sample;
  }

  /** Whether a value has this form; of a list, each of its texts. */
  boolean matches(String value) {
    return this == TIME ? SlurmValue.TIME.matches(value) : form.matcher(value).matches();
  }

  /** Whether a value without quotes is a number or a truth value in YAML. */
  boolean plain() {
    return this == INTEGER || this == NUMBER || this == BOOLEAN;
  }

  /** What limits are in: the type itself, or numbers of characters and of texts. */
  ParameterType limits() {
    return this == TEXT || this == WORD || this == PATH || this == LIST ? INTEGER : this;
  }

  /** What limits are compared with; empty if nothing limits it. */
  Optional<BigDecimal> measure(String value) {
    return switch (this) {
      case TEXT, WORD, PATH -> Optional.of(BigDecimal.valueOf(value.codePoints().count()));
      case INTEGER, NUMBER -> Optional.of(new BigDecimal(value));
      case SIZE ->
          Optional.of(
              new BigDecimal(value.substring(0, value.length() - 1))
                  .multiply(
                      BigDecimal.valueOf(
                          1L << 10 * (1 + "KMGT".indexOf(value.charAt(value.length() - 1))))));
      case TIME -> {
        var seconds = SlurmTime.seconds(value);
        yield Optional.of(
            BigDecimal.valueOf(seconds.isPresent() ? seconds.getAsLong() : Long.MAX_VALUE));
      }
      case BOOLEAN, LIST -> Optional.empty();
    };
  }
}
