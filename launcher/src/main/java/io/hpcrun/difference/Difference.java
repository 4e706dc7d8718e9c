package io.hpcrun.difference;

import java.util.Locale;

/**
 * Something that differs between two launches, for people.
 *
 * @param section what it is about
 * @param what an option, a variable, a stage and so on
 * @param before what it was in the first; empty if it was not there
 * @param after what it was in the second; empty if it was not there
 * @param note what else is known of it; empty if nothing is
 */
public record Difference(Section section, String what, String before, String after, String note) {

  /** What a difference is about, the most telling first. */
  public enum Section {
    OUTCOME,
    IMAGE,
    COMMAND,
    OPTIONS,
    DECISIONS,
    ENVIRONMENT,
    VERSIONS,
    NODES,
    TIMING;

    /** The word for it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
