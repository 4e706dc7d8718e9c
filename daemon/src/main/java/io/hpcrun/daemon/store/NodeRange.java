package io.hpcrun.daemon.store;

/**
 * Some nodes of a launch, in the order of their names' bytes.
 *
 * @param only the one node that is meant; empty if the others tell
 * @param after the name that comes before; empty to begin
 * @param upTo the last name; empty for all that follow
 */
public record NodeRange(String only, String after, String upTo) {
  /** All nodes. */
  public static final NodeRange ALL = new NodeRange("", "", "");

  /** One node. */
  public static NodeRange of(String node) {
    return new NodeRange(node, "", "");
  }

  /** Whether there are nodes behind the last one. */
  public boolean isCut() {
    return !upTo.isEmpty();
  }
}
