package io.hpcrun.lab;

import java.util.List;

/**
 * hpcrund on the login node, as a user of its own ({@code hpcrund}), at the socket where commands
 * look for it unless they are told otherwise. Its spool is on the file system that all nodes share.
 */
public final class LabDaemon implements AutoCloseable {
  /** The spool, as {@code HPCRUN_SPOOL} names it. */
  public static final String SPOOL = "/home/hpcrund/spool";

  private static final String SOCKET = "/run/hpcrund/hpcrund.sock";
  private static final String SITE = "/home/hpcrund/site.yaml";
  private static final String STATE = "/var/lib/hpcrund";
  private static final String LOG = "/var/log/hpcrund.log";
  private static final String SETTINGS =
      "daemon:\n  socket: %s\n  state: %s\n  spool: %s\n  operators: [staff]\n"
          .formatted(SOCKET, STATE, SPOOL);

  private final Login root;

  /** Makes the user and the directories; nothing runs yet. */
  public LabDaemon(LabCluster lab) {
    root = lab.as("root", LabCluster.LOGIN_NODE);
    root.bash(
            """
            set -e
            id hpcrund >/dev/null 2>&1 || useradd --system --create-home --shell /usr/sbin/nologin hpcrund
            chmod 755 /home/hpcrund
            install -d -m 755 -o hpcrund -g hpcrund "${1%/*}" "$2"
            install -d -m 3733 -o hpcrund -g hpcrund "$3"
            """,
            SOCKET, STATE, SPOOL)
        .succeeded();
    settings(SETTINGS);
  }

  /** Writes another site file. */
  public void settings(String yaml) {
    root.bash("printf %s \"$2\" >\"$1\" && chmod 644 \"$1\"", SITE, yaml).succeeded();
  }

  /** The settings that it starts with. */
  public static String settings() {
    return SETTINGS;
  }

  /** Starts it, and waits until it knows the cluster. */
  public LabDaemon start() {
    root.bash(
            "setsid -f runuser -u hpcrund -- \"$(readlink -f \"$(command -v hpcrun)\")d\" \"--config=$1\""
                + " </dev/null >>\"$2\" 2>&1",
            SITE,
            LOG)
        .succeeded();
    Jobs.await("hpcrund is ready", () -> ask("/v1/health/ready").exitCode() == 0);
    return this;
  }

  /** Asks as root; fails where the answer is a problem. */
  public Outcome ask(String path) {
    return ask(root, path);
  }

  /** Asks as somebody; fails where the answer is a problem. */
  public Outcome ask(Login user, String path) {
    return user.run(
        "curl", "-sS", "--fail-with-body", "--unix-socket", SOCKET, "http://localhost" + path);
  }

  /** Sends it a signal, such as {@code HUP}. */
  public void signal(String name) {
    root.bash("kill \"-$1\" $(pgrep -u hpcrund -f io.hpcrun.daemon.Main)", name).succeeded();
  }

  /** What it has logged. */
  public List<String> log() {
    return root.run("cat", LOG).succeeded().lines();
  }

  /** Ends it in order, and waits until it has ended. */
  @Override
  public void close() {
    root.bash(
            "pkill -CONT -u hpcrund -f io.hpcrun.daemon.Main; pkill -u hpcrund -f io.hpcrun.daemon.Main; true")
        .succeeded();
    awaitGone();
  }

  /** Waits until no process of it is left. */
  public void awaitGone() {
    Jobs.await(
        "hpcrund has ended",
        () -> root.run("pgrep", "-u", "hpcrund", "-f", "io.hpcrun.daemon.Main").exitCode() != 0);
  }
}
