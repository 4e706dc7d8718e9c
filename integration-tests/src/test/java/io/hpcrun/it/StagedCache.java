package io.hpcrun.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import java.util.List;

/** alice's cache of staged images on the compute nodes, and who changes what in it. */
final class StagedCache {
  static final String DIRECTORY = "/tmp/hpcrun-cache.1001";

  private static final String LOG = "/root/cache-events";

  /** inotify, as the nodes have no program for it: a line for each file made, moved or removed. */
  private static final String WATCH =
      """
      my ($directory, $log) = @ARGV;
      my ($moved_to, $create, $delete) = (0x80, 0x100, 0x200);
      my ($add_watch, $init) = (254, 294);
      my $descriptor = syscall $init, 0x80000;
      syscall($add_watch, $descriptor, $directory, $moved_to | $create | $delete) >= 0 or die $!;
      open my $events, "<&=", $descriptor or die $!;
      open STDOUT, ">", $log or die $!;
      $| = 1;
      print "watching\\n";
      while (sysread $events, my $buffer, 65536) {
        while ($buffer ne "") {
          my (undef, $mask, undef, $length) = unpack "iIII", $buffer;
          my $name = unpack "Z*", substr $buffer, 16, $length;
          substr $buffer, 0, 16 + $length, "";
          print "created $name\\n" if $mask & $create;
          print "moved $name\\n" if $mask & $moved_to;
          print "removed $name\\n" if $mask & $delete;
        }
      }
      """;

  private final LabCluster lab;

  StagedCache(LabCluster lab) {
    this.lab = lab;
  }

  private void onNodes(String script, String... words) {
    LabCluster.COMPUTE_NODES.forEach(
        node -> lab.as("root", node).bash("set -e\n" + script, words).succeeded());
  }

  /** Removes the caches. */
  void remove() {
    onNodes("rm -rf -- \"$1\"", DIRECTORY);
  }

  /** Makes the caches anew and begins to watch them. */
  void watch() {
    endWatch();
    remove();
    onNodes(
        """
        install -d -m 700 -o alice -g alice -- "$1"
        rm -f -- "$2"
        setsid perl -e "$3" "$1" "$2" >/dev/null 2>&1 & echo $! >"$2.pid"
        """,
        DIRECTORY,
        LOG,
        WATCH);
    LabCluster.COMPUTE_NODES.forEach(
        node -> Jobs.await("the watch on " + node, () -> events(node).contains("watching")));
  }

  void endWatch() {
    onNodes("[[ ! -e $1.pid ]] || kill $(<\"$1.pid\") || true\nrm -f -- \"$1.pid\"", LOG);
  }

  /** What happened on a node since the watch began. */
  List<String> events(String node) {
    return lab.as("root", node).run("cat", LOG).lines();
  }

  /** Copies that were begun on a node, killed ones as well. */
  long begun(String node) {
    return events(node).stream().filter(event -> event.startsWith("created part.")).count();
  }

  /** Images that were put in place on a node. */
  long finished(String node) {
    return events(node).stream().filter(event -> event.matches("moved .*\\.sif")).count();
  }

  /** The names of the files in a node's cache. */
  List<String> files(String node) {
    return lab.as("root", node).run("ls", "-A", "--", DIRECTORY).succeeded().lines();
  }

  /** Checks that a node holds one image and nothing else, and that it is the right one. */
  void holdsOnly(String node, String digest) {
    assertThat(files(node)).as("the cache of %s", node).containsExactly(digest + ".sif");
    assertThat(digest(node, digest)).isEqualTo(digest);
  }

  /** The SHA-256 of the copy of the image with this one. */
  String digest(String node, String digest) {
    return lab.as("root", node)
        .run("sha256sum", "--", DIRECTORY + "/" + digest + ".sif")
        .succeeded()
        .output()
        .split(" ")[0];
  }
}
