package io.hpcrun.timing;

import java.util.Comparator;

/** Orders node names as people do: {@code c2} before {@code c10}. */
final class NodeOrder implements Comparator<String> {
  @Override
  public int compare(String a, String b) {
    int i = 0;
    int j = 0;
    while (i < a.length() && j < b.length()) {
      if (Character.isDigit(a.charAt(i)) && Character.isDigit(b.charAt(j))) {
        int endA = endOfDigits(a, i);
        int endB = endOfDigits(b, j);
        int order = compareNumbers(a, i, endA, b, j, endB);
        if (order != 0) {
          return order;
        }
        i = endA;
        j = endB;
      } else if (a.charAt(i) != b.charAt(j)) {
        return a.charAt(i) - b.charAt(j);
      } else {
        i++;
        j++;
      }
    }
    int order = (a.length() - i) - (b.length() - j);
    return order != 0 ? order : a.compareTo(b);
  }

  /** Numbers of any length; a loop, because a launch has many nodes. */
  private static int compareNumbers(String a, int fromA, int endA, String b, int fromB, int endB) {
    int i = fromA;
    int j = fromB;
    while (i < endA && a.charAt(i) == '0') {
      i++;
    }
    while (j < endB && b.charAt(j) == '0') {
      j++;
    }
    int order = (endA - i) - (endB - j);
    for (; order == 0 && i < endA; i++, j++) {
      order = a.charAt(i) - b.charAt(j);
    }
    return order;
  }

  private static int endOfDigits(String text, int from) {
    int end = from;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    return end;
  }
}
