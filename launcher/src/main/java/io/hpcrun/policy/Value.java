package io.hpcrun.policy;

import java.util.List;

/** What is known of a fact. */
public sealed interface Value {
  /** A time limit that is none, in seconds. */
  long UNLIMITED = Long.MAX_VALUE;

  /**
   * Texts.
   *
   * @param values none, one or several
   */
  record Texts(List<String> values) implements Value {
    /** Copies the list. */
    public Texts {
      values = List.copyOf(values);
    }
  }

  /**
   * A count, seconds or bytes.
   *
   * @param value zero for nothing
   */
  record Number(long value) implements Value {}

  /**
   * Yes or no.
   *
   * @param value which
   */
  record Truth(boolean value) implements Value {}

  /**
   * Nothing is known.
   *
   * @param why a clause that may say what to do; empty if there is nothing to say
   */
  record Unknown(String why) implements Value {}

  /** Some texts. */
  static Value of(List<String> values) {
    return new Texts(values);
  }

  /** One text. */
  static Value of(String value) {
    return new Texts(List.of(value));
  }

  /** A number. */
  static Value of(long value) {
    return new Number(value);
  }

  /** Yes or no. */
  static Value of(boolean value) {
    return new Truth(value);
  }

  /** Nothing, and why. */
  static Value unknown(String why) {
    return new Unknown(why);
  }
}
