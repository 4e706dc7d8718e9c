package io.hpcrun.spec;

import java.util.Locale;
import java.util.Optional;

/**
 * Where the nodes read the image from.
 *
 * @param from the choice ({@code --stage})
 * @param directory node-local directory that takes the cache ({@code --stage-dir}); empty: {@code
 *     /tmp}
 * @param limit bytes that the cache may hold on a node ({@code --stage-limit})
 */
public record Staging(From from, Optional<ByteString> directory, long limit) {
  /** The default limit: 20 GiB. */
  public static final long DEFAULT_LIMIT = 20L << 30;

  /** The values of {@code --stage}. */
  public enum From {
    /** hpcrun decides by file system, number of nodes and size. */
    AUTO,
    /** From the path that was given. */
    SHARED,
    /** From a copy on the node. */
    NODE;

    /** The name in options. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }
}
