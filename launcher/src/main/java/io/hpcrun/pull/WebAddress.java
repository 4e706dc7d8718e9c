package io.hpcrun.pull;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Addresses of web servers, written the one way, so that what is the same looks the same. */
final class WebAddress {
  /** An encoded letter, digit or mark that need not be (RFC 3986, 2.3). */
  private static final Pattern UNRESERVED =
      Pattern.compile("(?i)%(2d|2e|3\\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])");

  private static final int HTTPS = 443;

  private WebAddress() {}

  /**
   * The same address in its normal form (RFC 3986, 6.2.2): host in small letters, no default port,
   * no dots that lead up, nothing encoded that need not be; without user and fragment.
   *
   * @param address has a host
   */
  static URI normal(URI address) {
    boolean usual = address.getPort() < 0 || address.getPort() == HTTPS;
    String query = address.getRawQuery() == null ? "" : "?" + address.getRawQuery();
    return URI.create(
        address.getScheme().toLowerCase(Locale.ROOT)
            + "://"
            + address.getHost().toLowerCase(Locale.ROOT)
            + (usual ? "" : ":" + address.getPort())
            + withoutDots(UNRESERVED.matcher(address.getRawPath()).replaceAll(WebAddress::decoded))
            + query);
  }

  private static String decoded(MatchResult encoded) {
    return String.valueOf((char) Integer.parseInt(encoded.group(1), 16));
  }

  /** Removes the segments {@code .} and {@code ..} (RFC 3986, 5.2.4). */
  private static String withoutDots(String path) {
    List<String> kept = new ArrayList<>();
    String[] segments = path.split("/", -1);
    for (int i = 1; i < segments.length; i++) {
      boolean up = segments[i].equals("..");
      if (up && !kept.isEmpty()) {
        kept.removeLast();
      }
      if (!up && !segments[i].equals(".")) {
        kept.add(segments[i]);
      } else if (i == segments.length - 1) {
        kept.add("");
      }
    }
    return "/" + String.join("/", kept);
  }
}
