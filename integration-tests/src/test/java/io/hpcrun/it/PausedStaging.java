package io.hpcrun.it;

import io.hpcrun.lab.Jobs;
import io.hpcrun.lab.LabCluster;
import io.hpcrun.lab.Login;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Launches of alice's that stop at a point of staging, so that they can be killed there: Slurm's
 * sbcast and sha256sum of coreutils are scripts in a directory that is first on her PATH.
 */
final class PausedStaging {
  /** Before the image is sent. */
  static final String SEND = "send";

  /** When the image was sent and nobody knows yet. */
  static final String SENT = "sent";

  /** While the copy on the node is checked. */
  static final String CHECK = "check";

  private static final String DIRECTORY = "/home/alice/paused/";
  private static final String PROGRAMS =
      """
      set -e
      rm -rf "$1" && mkdir "$1" "$1/bin"
      cat >"$1/pause" <<'X'
      [[ -e ${0%/bin/*}/at-$1 ]] || return 0
      printf '%s\\n' "$SLURM_ARRAY_TASK_ID" >"${0%/bin/*}/$1.$SLURMD_NODENAME"
      while [[ -e ${0%/bin/*}/at-$1 ]]; do sleep 0.1; done
      X
      cat >"$1/bin/sbcast" <<'X'
      #!/bin/bash
      . "${0%/bin/*}/pause" send
      /usr/bin/sbcast "$@"
      code=$?
      . "${0%/bin/*}/pause" sent
      exit "$code"
      X
      cat >"$1/bin/sha256sum" <<'X'
      #!/bin/bash
      case $(readlink /proc/self/fd/0) in
        */part.*) . "${0%/bin/*}/pause" check ;;
      esac
      exec /usr/bin/sha256sum "$@"
      X
      chmod 755 "$1"/bin/*
      """;

  private final LabCluster lab;
  private final Login alice;

  PausedStaging(LabCluster lab) {
    this.lab = lab;
    this.alice = lab.alice();
    alice.bash(PROGRAMS, DIRECTORY).succeeded();
  }

  /** Submits with {@code hpcrun submit}; the job's id. */
  String submit(String... words) {
    String[] command =
        Stream.concat(Stream.of("hpcrun", "submit", "--parsable"), Arrays.stream(words))
            .toArray(String[]::new);
    return alice
        .bash("PATH=" + DIRECTORY + "bin:$PATH exec \"$@\"", command)
        .succeeded()
        .output()
        .strip();
  }

  /** From now on launches stop at this point. */
  void stopAt(String point) {
    alice.bash("rm -f \"$1$2\".* && touch \"$1at-$2\"", DIRECTORY, point).succeeded();
  }

  /** They go on. */
  void goOn(String point) {
    alice.run("rm", "-f", DIRECTORY + "at-" + point).succeeded();
  }

  /** Waits for a launch that stops on a node; which element of its array it is. */
  String stoppedOn(String node, String point) {
    String file = DIRECTORY + point + "." + node;
    Jobs.await(
        "a launch that stops on " + node, () -> alice.run("test", "-s", file).exitCode() == 0);
    return alice.run("cat", file).succeeded().output().strip();
  }

  /** The process ids of an element's agent on a node. */
  List<String> agents(String node, String element) {
    return lab.as("root", node)
        .bash(
            """
            for process in $(pgrep -u alice -x bash); do
              if tr '\\0' '\\n' </proc/$process/environ | grep -qx "SLURM_ARRAY_TASK_ID=$1" &&
                tr '\\0' '\\n' </proc/$process/environ | grep -qx 'SLURM_STEP_ID=[0-9]*' &&
                tr '\\0' '\\n' </proc/$process/cmdline | grep -qx hpcrun-agent; then
                echo $process
              fi
            done 2>/dev/null
            """,
            element)
        .succeeded()
        .lines();
  }
}
