package io.hpcrun.script;

import io.hpcrun.spec.ByteString;
import java.util.List;

/**
 * Values that differ from one element of a job array to the next. In a text, a slot is a character
 * of its own: one of Unicode's noncharacters, which are in no text.
 *
 * @param slots the values
 * @param paired whether the values of all slots go together, the first with the first; else each
 *     goes with each, the last slot's changing first
 */
public record Slots(List<Slot> slots, boolean paired) {
  /** Unicode has so many noncharacters in a row. */
  public static final int MOST = 32;

  /** None. */
  public static final Slots NONE = new Slots(List.of(), false);

  private static final char FIRST = '\uFDD0';

  private static final int WIDTH = 96;

  /**
   * A slot.
   *
   * @param name what people call it
   * @param values its values
   */
  public record Slot(String name, List<String> values) {
    /** Copies the list. */
    public Slot {
      values = List.copyOf(values);
    }
  }

  /** Copies the list. */
  public Slots {
    slots = List.copyOf(slots);
  }

  /** What stands for a slot in a text. */
  public static String mark(int slot) {
    return String.valueOf((char) (FIRST + slot));
  }

  /** Whether slots are in a text. */
  public static boolean isMarked(String text) {
    return text.chars().anyMatch(Slots::isMark);
  }

  /** The number of the first slot in a marked text. */
  public static int first(String text) {
    return text.chars().filter(Slots::isMark).findFirst().orElseThrow() - FIRST;
  }

  private static boolean isMark(int c) {
    return c >= FIRST && c < FIRST + MOST;
  }

  /** How many elements there are. */
  public int size() {
    return paired
        ? slots.getFirst().values().size()
        : slots.stream().mapToInt(slot -> slot.values().size()).reduce(1, Math::multiplyExact);
  }

  /** The values of an element, in the order of the slots. */
  public List<String> element(int index) {
    String[] values = new String[slots.size()];
    int rest = index;
    for (int i = slots.size() - 1; i >= 0; i--) {
      List<String> all = slots.get(i).values();
      values[i] = all.get(paired ? index : rest % all.size());
      rest /= all.size();
    }
    return List.of(values);
  }

  /** A text with the values of an element. */
  public String filled(String text, int index) {
    List<String> values = element(index);
    StringBuilder filled = new StringBuilder();
    text.chars()
        .forEach(
            c -> {
              if (isMark(c)) {
                filled.append(values.get(c - FIRST));
              } else {
                filled.append((char) c);
              }
            });
    return filled.toString();
  }

  /** A word as bash source: quoted, with the variables of slots in their places. */
  String quote(ByteString word) {
    if (slots.isEmpty() || !word.isUtf8()) {
      return ShellWord.quote(word);
    }
    String text = word.utf8();
    StringBuilder quoted = new StringBuilder();
    int from = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i == text.length() || isMark(text.charAt(i))) {
        if (i > from) {
          quoted.append(ShellWord.quote(text.substring(from, i)));
        }
        if (i < text.length()) {
          quoted.append("\"$value_").append(text.charAt(i) - FIRST).append('"');
        }
        from = i + 1;
      }
    }
    return quoted.isEmpty() ? "''" : quoted.toString();
  }

  /** Bash source that sets the variables of this element's values; empty without slots. */
  String source() {
    if (slots.isEmpty()) {
      return "";
    }
    StringBuilder source = new StringBuilder();
    source.append("element=${SLURM_ARRAY_TASK_ID:?this is a script of a job array}\n");
    source.append("if ((element >= %d)); then\n".formatted(size()));
    source.append(
        "  printf 'hpcrun: there is no element %%s: the sweep has %d\\n' \"$element\" >&2\n"
            .formatted(size()));
    source.append("  exit 2\nfi\n");
    int after = 1;
    for (int i = slots.size() - 1; i >= 0; i--) {
      Slot slot = slots.get(i);
      int count = slot.values().size();
      source.append("# ").append(slot.name()).append('\n');
      values(source, "values_" + i + "=(", slot.values());
      String index = paired ? "element" : "element / %d %% %d".formatted(after, count);
      source.append("value_%d=${values_%d[%s]}\n".formatted(i, i, index));
      after *= count;
    }
    return source.toString();
  }

  private static void values(StringBuilder source, String start, List<String> values) {
    StringBuilder line = new StringBuilder(start);
    for (String value : values) {
      String quoted = ShellWord.quote(value);
      if (line.length() + quoted.length() + 1 > WIDTH) {
        source.append(line).append('\n');
        line = new StringBuilder(" ");
      }
      line.append(line.toString().endsWith("(") ? "" : " ").append(quoted);
    }
    source.append(line).append(")\n");
  }
}
