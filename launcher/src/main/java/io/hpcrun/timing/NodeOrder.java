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
        String x = a.substring(i, endA).replaceFirst("^0+", "");
        String y = b.substring(j, endB).replaceFirst("^0+", "");
        int order = x.length() != y.length() ? x.length() - y.length() : x.compareTo(y);
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

  private static int endOfDigits(String text, int from) {
    int end = from;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    return end;
  }
}
