package io.hpcrun.it;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A table of what was tried and what came of it, for a report. */
final class CaseTable {
  private final List<List<String>> rows = new ArrayList<>();

  CaseTable(String... heads) {
    rows.add(List.of(heads));
    rows.add(Arrays.stream(heads).map(head -> "---").toList());
  }

  void row(Object... cells) {
    rows.add(
        Arrays.stream(cells)
            .map(cell -> String.valueOf(cell).replace("|", "\\|").replace("\n", "; "))
            .toList());
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    rows.forEach(row -> text.append("| ").append(String.join(" | ", row)).append(" |\n"));
    return text.toString();
  }
}
