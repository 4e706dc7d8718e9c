package io.hpcrun.daemon.store;

import io.hpcrun.timing.LaunchTimes;
import java.util.Optional;

/** A record that came in, checked, as the store takes it. */
public sealed interface Arrival {
  /** The launch that it is of. */
  LaunchKey key();

  /** The owner's name; empty if the system knows none. */
  Optional<String> user();

  /**
   * A launch's own record. Texts are empty and numbers {@link io.hpcrun.timing.RankLine#ABSENT}
   * where the record has none.
   *
   * @param key the launch
   * @param user its owner's name
   * @param state how far it is
   * @param exitCode the launch step's exit code
   * @param nodes how many nodes
   * @param ranks how many ranks
   * @param partition the partition
   * @param image path of the image
   * @param imageId the image's own id
   * @param command first word of the command
   * @param mode how ranks enter
   * @param mpi what wires them
   * @param scriptNs when the batch script began, in nanoseconds since the epoch
   * @param times what stages are made from, and the batch node
   * @param record the whole record, as JSON
   */
  record OfLaunch(
      LaunchKey key,
      Optional<String> user,
      LaunchState state,
      long exitCode,
      long nodes,
      long ranks,
      String partition,
      String image,
      String imageId,
      String command,
      String mode,
      String mpi,
      long scriptNs,
      LaunchTimes times,
      String record)
      implements Arrival {}

  /**
   * A node's record.
   *
   * @param key the launch
   * @param user its owner's name
   * @param node the node's name
   * @param ranks how many ranks it has
   * @param mode how they entered; empty if the record does not tell
   * @param record the node's own line, as JSON
   * @param ranksData the ranks, as {@link RankColumns} packs them
   */
  record OfNode(
      LaunchKey key,
      Optional<String> user,
      String node,
      int ranks,
      String mode,
      String record,
      byte[] ranksData)
      implements Arrival {}
}
