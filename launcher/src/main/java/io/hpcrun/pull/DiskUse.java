package io.hpcrun.pull;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What files take on the disk: the blocks that they have, not the size that they say, and how many
 * they are. Java does not tell it, du(1) does.
 */
public final class DiskUse {
  private DiskUse() {}

  /**
   * Bytes of a file, or of a directory with all that is in it; what goes meanwhile does not count.
   *
   * @throws IOException if it cannot be told within that time
   */
  public static long of(Path path, Duration limit) throws IOException {
    return du("--block-size=1", path, limit);
  }

  /**
   * Files and directories that there are, the directory itself among them; otherwise as for bytes.
   *
   * @throws IOException if it cannot be told within that time
   */
  static long files(Path path, Duration limit) throws IOException {
    return du("--inodes", path, limit);
  }

  private static long du(String what, Path path, Duration limit) throws IOException {
    try {
      Programs.Result result =
          Programs.run(
              List.of("du", "-s", what, "--", path.toString()), Set.of(), new byte[0], limit);
      String number = result.output().split("\t")[0];
      if (number.matches("\\d{1,18}")) {
        return Long.parseLong(number);
      }
      throw new IOException("du: " + result.error().strip());
    } catch (Failure failed) {
      throw new IOException(failed.getMessage(), failed);
    }
  }
}
