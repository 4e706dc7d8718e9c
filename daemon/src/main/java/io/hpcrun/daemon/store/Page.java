package io.hpcrun.daemon.store;

import java.util.List;
import java.util.Optional;

/**
 * Some launches, newest first.
 *
 * @param launches the launches
 * @param next where the next page begins; empty after the last one
 */
public record Page(List<StoredLaunch> launches, Optional<Cursor> next) {
  /**
   * A place in the list of launches, which stays the same while launches come and go.
   *
   * @param begunNs when the launch before it began
   * @param id that launch's number
   */
  public record Cursor(long begunNs, long id) {
    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
      return begunNs + "." + id;
    }

    /** Reads what {@link #toString} wrote; empty for any other text. */
    public static Optional<Cursor> parse(String text) {
      int dot = text.indexOf('.');
      try {
        return dot < 0
            ? Optional.empty()
            : Optional.of(
                new Cursor(
                    Long.parseLong(text.substring(0, dot)),
                    Long.parseLong(text.substring(dot + 1))));
      } catch (NumberFormatException noCursor) {
        return Optional.empty();
      }
    }
  }
}
