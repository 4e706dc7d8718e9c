package io.hpcrun.it;

import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Outcome;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What a user has on nodes: processes, FUSE mounts in any mount namespace, temporary files and file
 * locks. Looked at on the node itself, where a look takes a twentieth of a second. The directory of
 * Slurm's own PMIx plug-in does not count: Slurm takes seconds to remove it, and leaves it where
 * its slurmstepd was killed.
 *
 * @param left what is left, each as {@code NODE: KIND …}
 * @param goneAt when nothing was left, in seconds since the epoch; of the last node
 * @param last what went last on each node
 */
record Remains(List<String> left, BigDecimal goneAt, List<String> last) {
  /**
   * {@code $1} the user, {@code $2} for how many seconds, {@code $3} a pattern of what may stay.
   */
  private static final String WATCH =
      """
      user=$1 uid=$(id -u "$1")
      look() {
        ps -u "$user" -o pid=,stat=,args= | sed 's/^ */process /' | cut -c-100
        grep -hE ' - fuse(\\.[^ ]+)? .*user_id='"$uid"'(,|$)' /proc/[0-9]*/mountinfo |
          cut -d ' ' -f 3- | sort -u | sed 's/^/mount /'
        find /tmp /var/tmp /dev/shm -mindepth 1 -maxdepth 1 \\
          \\( -user "$user" -o -name 'hpcrun[.]*' \\) -printf 'file %p\\n'
        while read -r _ kind _ _ pid file _; do
          [[ $(stat -c %u "/proc/$pid") != "$uid" ]] || echo "lock $kind $file of $pid"
        done </proc/locks
      } 2>/dev/null
      end=$((SECONDS + $2))
      last=''
      while left=$(look | grep -v '^file /tmp/spmix_appdir_') && ((SECONDS < end)); do
        last=$(date +%T)$'\\n'$left
        sleep 0.2
      done
      date +%s.%N
      sed 's/^/last /' <<<"$last"
      echo "$left"
      """;

  private static final ExecutorService THREADS = Executors.newVirtualThreadPerTaskExecutor();

  /** What is there now. */
  static List<String> now(LabCluster lab, String user, List<String> nodes) {
    return watch(lab, user, nodes, 0).left();
  }

  /**
   * Waits until nothing is left.
   *
   * @param seconds after which what is left is left for good
   */
  static Remains watch(LabCluster lab, String user, List<String> nodes, int seconds) {
    Map<String, CompletableFuture<Outcome>> watching = new LinkedHashMap<>();
    for (String node : nodes) {
      watching.put(
          node,
          CompletableFuture.supplyAsync(
              () -> lab.as("root", node).bash(WATCH, user, String.valueOf(seconds)).succeeded(),
              THREADS));
    }
    List<String> left = new ArrayList<>();
    List<String> last = new ArrayList<>();
    BigDecimal goneAt = BigDecimal.ZERO;
    for (Map.Entry<String, CompletableFuture<Outcome>> each : watching.entrySet()) {
      List<String> lines = each.getValue().join().lines();
      goneAt = goneAt.max(new BigDecimal(lines.getFirst()));
      lines.stream()
          .skip(1)
          .filter(line -> !line.isEmpty())
          .forEach(
              line -> (line.startsWith("last ") ? last : left).add(each.getKey() + ": " + line));
    }
    return new Remains(left, goneAt, last);
  }
}
