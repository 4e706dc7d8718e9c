package io.hpcrun.timing;

import java.util.HashMap;
import java.util.Map;

/**
 * A launch's or a node's own line of a record: its numbers and its texts by their names
 * (docs/records.md). Readers fill the same object again for the next line. Not thread-safe.
 */
public final class RecordLine {
  private final Map<String, Long> numbers = new HashMap<>();
  private final Map<String, String> texts = new HashMap<>();
  private long from;
  private long to;

  RecordLine() {}

  void clear(long begins) {
    numbers.clear();
    texts.clear();
    from = begins;
  }

  void put(String name, long value) {
    numbers.put(name, value);
  }

  void put(String name, String value) {
    texts.put(name, value);
  }

  /** Takes over what was read as a rank's before the line's type was known. */
  void takeOver(RankLine rank, long ends) {
    putUnlessAbsent("rank", rank.rank());
    putUnlessAbsent("local", rank.local());
    putUnlessAbsent("begin_ns", rank.begin());
    putUnlessAbsent("exec_ns", rank.exec());
    putUnlessAbsent("end_ns", rank.end());
    if (!rank.network().isEmpty()) {
      texts.put("network", rank.network());
    }
    if (!rank.evidence().isEmpty()) {
      texts.put("evidence", rank.evidence());
    }
    to = ends;
  }

  private void putUnlessAbsent(String name, long value) {
    if (value != RankLine.ABSENT) {
      numbers.put(name, value);
    }
  }

  /** The number of this name, or {@link RankLine#ABSENT}. */
  public long number(String name) {
    return numbers.getOrDefault(name, RankLine.ABSENT);
  }

  /** The text of this name, or the empty text. */
  public String text(String name) {
    return texts.getOrDefault(name, "");
  }

  /** All numbers, by their names. */
  public Map<String, Long> numbers() {
    return Map.copyOf(numbers);
  }

  /** All texts, by their names. */
  public Map<String, String> texts() {
    return Map.copyOf(texts);
  }

  /** Where the line's object begins in what was read, in bytes. */
  public long from() {
    return from;
  }

  /** Where it ends, exclusive. */
  public long to() {
    return to;
  }
}
