package io.hpcrun.planning;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where the site's daemon listens. The command runs the script that it gets from there, so whoever
 * can put a socket there runs programs as the user: only root, the user, and the owner of a
 * directory that others cannot write to may.
 */
final class DaemonSocket {
  /** Names another socket, or {@code none}. */
  static final String VARIABLE = "HPCRUN_DAEMON";

  private static final String NONE = "none";
  private static final Path DEFAULT = Path.of("/run/hpcrund/hpcrund.sock");

  private DaemonSocket() {}

  /**
   * The socket; empty if there is no daemon here.
   *
   * @throws Failure with exit code 2 when {@code HPCRUN_DAEMON} is not an absolute path
   */
  static Optional<Path> of(Map<String, String> environment) {
    String named = environment.getOrDefault(VARIABLE, "");
    if (named.equals(NONE)) {
      return Optional.empty();
    }
    if (!named.isEmpty() && !named.startsWith("/")) {
      throw Failure.usage(
          VARIABLE + "=" + named + " is not an absolute path",
          "write the path of hpcrund's socket from / on, or 'none'");
    }
    // A site without a daemon hears nothing of it; a path that somebody named must work.
    return named.isEmpty()
        ? Optional.of(DEFAULT).filter(Files::exists)
        : Optional.of(Path.of(named));
  }

  /**
   * Checks who could have made the socket.
   *
   * @throws DaemonUnavailable when others than root, its owner and the user could
   */
  static void check(Path socket) throws IOException {
    Path directory = socket.toRealPath().getParent();
    Object owner = Files.getAttribute(directory, "unix:uid");
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(directory);
    if (!owner.equals(Files.getAttribute(socket, "unix:uid", LinkOption.NOFOLLOW_LINKS))
        && !owner.equals(0)) {
      throw new DaemonUnavailable(
          "hpcrund's socket " + socket + " is not its directory's owner's, so it is not used");
    }
    if (permissions.contains(PosixFilePermission.OTHERS_WRITE)
        || (permissions.contains(PosixFilePermission.GROUP_WRITE) && !owner.equals(0))) {
      throw new DaemonUnavailable(
          "hpcrund's socket is not used, because others can write to " + directory);
    }
  }
}
