package io.hpcrun.daemon.store;

import static io.hpcrun.timing.RankLine.ABSENT;

import io.hpcrun.timing.LaunchTimes;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A launch as the store knows it, without its record.
 *
 * @param id its number in this store
 * @param key what tells it from all others
 * @param user the owner's name
 * @param job the job's id
 * @param state how far it is
 * @param exitCode the launch step's exit code
 * @param nodes how many nodes it has
 * @param ranks how many ranks it has
 * @param partition the partition
 * @param image path of the image
 * @param imageId the image's own id
 * @param command first word of the command
 * @param mode how ranks were meant to enter
 * @param entered how they did, as nodes told: the modes in order, such as {@code exec and join}
 * @param mpi what wires them
 * @param scriptNs when the batch script began
 * @param times what stages are made from, and the batch node
 * @param slurmState what Slurm said of the job when it was asked
 * @param updatedNs when the store last learned something of it
 */
public record StoredLaunch(
    long id,
    LaunchKey key,
    Optional<String> user,
    String job,
    LaunchState state,
    OptionalLong exitCode,
    OptionalLong nodes,
    OptionalLong ranks,
    Optional<String> partition,
    Optional<String> image,
    Optional<String> imageId,
    Optional<String> command,
    Optional<String> mode,
    Optional<String> entered,
    Optional<String> mpi,
    OptionalLong scriptNs,
    LaunchTimes times,
    Optional<String> slurmState,
    long updatedNs) {
  /** The columns that {@link #of} reads. */
  static final String COLUMNS =
      "l.id, l.cluster, l.uid, l.user_name, l.launch, l.begun_ns, l.job, l.state, l.exit_code,"
          + " l.nodes, l.ranks, l.batch_node, l.partition, l.image, l.image_id, l.command, l.mode,"
          + " l.entered, l.mpi, l.submit_s, l.start_s, l.script_ns, l.prepare_asked_ns, l.prepare_done_ns,"
          + " l.launch_asked_ns, l.launch_done_ns, l.slurm_state, l.updated_ns";

  static StoredLaunch of(ResultSet row) throws SQLException {
    return new StoredLaunch(
        row.getLong("id"),
        new LaunchKey(
            row.getString("cluster"),
            row.getLong("uid"),
            row.getString("launch"),
            row.getLong("begun_ns")),
        text(row, "user_name"),
        row.getString("job"),
        LaunchState.of(row.getString("state")).orElse(LaunchState.UNKNOWN),
        number(row, "exit_code"),
        number(row, "nodes"),
        number(row, "ranks"),
        text(row, "partition"),
        text(row, "image"),
        text(row, "image_id"),
        text(row, "command"),
        text(row, "mode"),
        text(row, "entered"),
        text(row, "mpi"),
        number(row, "script_ns"),
        times(row),
        text(row, "slurm_state"),
        row.getLong("updated_ns"));
  }

  /** How many characters its texts have: their owner may have chosen some of them. */
  int length() {
    return Stream.of(user, partition, image, imageId, command, mode, mpi, slurmState)
            .flatMap(Optional::stream)
            .mapToInt(String::length)
            .sum()
        + key.cluster().length()
        + times.batchNode().length();
  }

  /** The times that stages are made from, of a row with their columns. */
  static LaunchTimes times(ResultSet row) throws SQLException {
    return new LaunchTimes(
        text(row, "batch_node").orElse(""),
        time(row, "submit_s"),
        time(row, "start_s"),
        time(row, "prepare_asked_ns"),
        time(row, "prepare_done_ns"),
        time(row, "launch_asked_ns"),
        time(row, "launch_done_ns"));
  }

  private static Optional<String> text(ResultSet row, String column) throws SQLException {
    return Optional.ofNullable(row.getString(column));
  }

  private static OptionalLong number(ResultSet row, String column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? OptionalLong.empty() : OptionalLong.of(value);
  }

  private static long time(ResultSet row, String column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? ABSENT : value;
  }
}
