package io.hpcrun.it;

import io.hpcrun.lab.LabCluster;
import java.util.List;

/** Something that is wrong on nodes for a while; closing it mends it, however far it came. */
final class NodeFault implements AutoCloseable {
  private final LabCluster lab;
  private final List<String> nodes;
  private final String mends;

  /**
   * Breaks and mends with bash scripts, as root.
   *
   * @param mends also right where {@code breaks} failed half-way
   */
  NodeFault(LabCluster lab, List<String> nodes, String breaks, String mends) {
    this.lab = lab;
    this.nodes = nodes;
    this.mends = mends;
    try {
      nodes.forEach(node -> lab.as("root", node).bash("set -e\n" + breaks).succeeded());
    } catch (AssertionError failed) {
      close();
      throw failed;
    }
  }

  @Override
  public void close() {
    nodes.forEach(node -> lab.as("root", node).bash("set -e\n" + mends).succeeded());
  }

  /** Script that takes a file away. */
  static String hide(String path) {
    return "mv %1$s %1$s.hidden\n".formatted(path);
  }

  /** Script that gives a file back. */
  static String giveBack(String path) {
    return "[[ ! -e %1$s.hidden ]] || mv %1$s.hidden %1$s\n".formatted(path);
  }

  /** Script that shows another text in a file, of /proc as well. */
  static String cover(String path, String text) {
    return "echo '%s' >/root/cover && mount --bind /root/cover %s\n".formatted(text, path);
  }

  /** Script that ends a mount. */
  static String unmount(String path) {
    return "! mountpoint -q %1$s || umount %1$s\n".formatted(path);
  }
}
