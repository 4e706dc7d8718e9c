package io.hpcrun.spec;

import java.util.regex.Pattern;

/**
 * The forms that values of sbatch options have (sbatch(1)). A value that does not match is refused
 * before anything is submitted.
 */
public enum SlurmValue {
  /** The option has no value. */
  NONE("", "no value"),
  /** A whole number from 1 on. */
  COUNT("[1-9][0-9]{0,8}", "a whole number from 1 on"),
  /** A whole number, zero allowed. */
  NUMBER("-?[0-9]{1,9}", "a whole number"),
  /** Nodes: {@code 4} or {@code 2-4}, with k or m for thousands. */
  NODES("[1-9][0-9]{0,8}[kKmM]?(-[1-9][0-9]{0,8}[kKmM]?)?", "a number of nodes such as 4 or 2-4"),
  /** A length of time as sbatch takes it. */
  TIME(
      "[0-9]+|[0-9]+:[0-9]{1,2}|[0-9]+:[0-9]{1,2}:[0-9]{1,2}"
          + "|[0-9]+-[0-9]{1,2}(:[0-9]{1,2}){0,2}|(?i)infinite|(?i)unlimited",
      "a time such as 30 (minutes), 1:30:00 or 2-12:00"),
  /** Memory: a number with an optional unit. */
  MEMORY("[0-9]+(\\.[0-9]+)?[KMGTkmgt]?[Bb]?", "a size such as 4000M or 16G"),
  /** Array indices: {@code 0-15%4}, {@code 1,3,7}, {@code 0-100:10}. */
  ARRAY(
      "[0-9]+(-[0-9]+(:[1-9][0-9]*)?)?(,[0-9]+(-[0-9]+(:[1-9][0-9]*)?)?)*(%[1-9][0-9]*)?",
      "indices such as 0-15 or 1,3,7%2"),
  /** A signal: {@code USR1}, {@code 10@120}, {@code R:TERM@60}. */
  SIGNAL("(R:)?([0-9]{1,2}|[A-Za-z][A-Za-z0-9]*)(@[0-9]+)?", "a signal such as USR1@120"),
  /** Sockets, cores and threads: {@code 2:8:1}, {@code *} for any. */
  SOCKETS("([0-9]+(-[0-9]+)?|\\*)(:([0-9]+(-[0-9]+)?|\\*)){0,2}", "numbers such as 2:8:1"),
  /** {@code append} or {@code truncate}. */
  OPEN_MODE("append|truncate", "append or truncate"),
  /** {@code exclusive}'s optional word. */
  OPTIONAL_WORD("(?i:user|mcs|topo)?", "one of user, mcs, topo (or nothing; in a file, true)"),
  /** Any text without control characters that is not empty. */
  TEXT("[^\\p{Cntrl}]+", "one line of text without control characters");

  private final Pattern pattern;
  private final String description;

  SlurmValue(String pattern, String description) {
    this.pattern = Pattern.compile(pattern);
    this.description = description;
  }

  /** Whether the text has this form. */
  public boolean matches(String text) {
    return pattern.matcher(text).matches();
  }

  /** What a right value looks like, for messages and help. */
  public String description() {
    return description;
  }
}
