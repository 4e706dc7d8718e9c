package io.hpcrun.daemon.store;

import io.hpcrun.failure.Failure;
import io.hpcrun.slurm.JobState;
import io.hpcrun.timing.Durations;
import io.hpcrun.timing.RecordSource;
import io.hpcrun.timing.Stage;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

/**
 * Everything that hpcrund knows about launches. Every query takes who looks: an operator or one
 * user. Thread-safe: one writes, several read.
 */
public final class LaunchStore implements AutoCloseable {
  /** The largest page of {@link #launches}. */
  public static final int PAGE_LIMIT = 1_000;

  private static final int NOTED_AT_ONCE = 500;

  /**
   * What became of records that came in.
   *
   * @param stored records that were new, or said more of a launch than was known
   * @param known records that said nothing new
   * @param differing second records of a node that say something else than the first; dropped
   * @param ranks ranks of the stored nodes
   */
  public record Outcome(int stored, int known, int differing, long ranks) {}

  /**
   * How much there is.
   *
   * @param launches launches by their states
   * @param nodes nodes of all launches
   * @param bytes bytes that the database uses for them
   */
  public record Size(Map<LaunchState, Long> launches, long nodes, long bytes) {}

  /** Takes groups of launches with how long their stages took. */
  public interface Groups {
    /**
     * Takes one group.
     *
     * @param name the group, such as an image's path; empty for what has none
     * @param launches how many launches; grouped by node, how many times the node was in one
     * @param ranks how many ranks were read
     * @param stages the stages that were measured
     */
    void take(String name, long launches, long ranks, Map<Stage, Durations.Summary> stages);
  }

  private final String url;
  private final Connections connections;
  private final InstantSource clock;
  private volatile LaunchListener listener = LaunchListener.NONE;

  private LaunchStore(String url, Connections connections, InstantSource clock) {
    this.url = url;
    this.connections = connections;
    this.clock = clock;
  }

  /**
   * Opens the store and brings its schema up to date.
   *
   * @param url {@code jdbc:sqlite:/FILE}, made if it is not there, or {@code jdbc:postgresql:…}
   * @param properties of the driver, such as {@code user} and {@code password}
   * @param clock tells when the store learned something
   * @throws Failure with exit code 2 for another URL, or a schema of a newer hpcrund
   * @throws StoreException when the database is not there
   */
  public static LaunchStore open(String url, Properties properties, InstantSource clock) {
    return open(url, properties, clock, Connections.Limits.USUAL);
  }

  static LaunchStore open(
      String url, Properties properties, InstantSource clock, Connections.Limits limits) {
    if (Dialect.of(url) == Dialect.SQLITE) {
      new SqliteFile(url).make();
    }
    Connections connections = new Connections(url, properties, limits);
    try {
      Migrations.apply(connections);
    } catch (Failure | StoreException failed) {
      connections.close();
      throw failed;
    }
    return new LaunchStore(url, connections, clock);
  }

  /**
   * Takes records, all or none. What is known already is not taken again, whatever the order in
   * which records come; a launch's own record counts more the further the launch is.
   */
  public Outcome store(List<Arrival> arrivals) {
    return writeAndTell(
        (connection, milestones) ->
            new RecordWriter(connection, milestones, now()).write(arrivals));
  }

  /** Says from now on which launches end and become whole, in the thread that stores. */
  public void listen(LaunchListener other) {
    listener = other;
  }

  private interface Writing<T> {
    T run(Connection connection, Milestones milestones) throws SQLException;
  }

  private <T> T writeAndTell(Writing<T> writing) {
    Milestones[] reached = new Milestones[1];
    T result =
        connections.write(
            connection -> {
              reached[0] = new Milestones(connection);
              return writing.run(connection, reached[0]);
            });
    reached[0].tell(listener);
    return result;
  }

  /** Notes what Slurm says of the job of a launch whose record does not tell its end. */
  public void noteSlurmState(long id, String state) {
    writeAndTell(
        (connection, milestones) -> {
          milestones.comes(id, state);
          noteSlurmState(connection, id, state);
          return null;
        });
  }

  private void noteSlurmState(Connection connection, long id, String state) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement(
            "update launch set slurm_state = ?, updated_ns = ?,"
                + " is_open = case when is_open = 1 then ? else 0 end where id = ?")) {
      update.setString(1, state);
      update.setLong(2, now());
      update.setInt(3, JobState.isEnd(state) ? 0 : 1);
      update.setLong(4, id);
      update.executeUpdate();
    }
  }

  /**
   * The launches of a cluster that are not known to be over.
   *
   * @param perUser how many of one user at most: those known longest, and others when these are
   *     over
   */
  public List<OpenRecord> open(String cluster, int perUser) {
    return connections.read(connection -> OpenQueries.of(connection, cluster, perUser));
  }

  /**
   * Notes as lost what is open on clusters that cannot be asked about it.
   *
   * @param own the cluster that can be asked
   * @param silence for how long nothing was heard of the launch
   * @param goesOn asked between transactions; false ends the work early, to be taken up again
   * @return how many launches were noted
   */
  public long giveUpElsewhere(String own, Duration silence, BooleanSupplier goesOn) {
    long before = now() - silence.toNanos();
    long noted = 0;
    for (int some = NOTED_AT_ONCE; some == NOTED_AT_ONCE && goesOn.getAsBoolean(); noted += some) {
      some =
          writeAndTell(
              (connection, milestones) -> {
                List<Long> ids =
                    OpenQueries.silentElsewhere(connection, own, before, NOTED_AT_ONCE);
                for (long id : ids) {
                  milestones.comes(id, JobState.LOST);
                  noteSlurmState(connection, id, JobState.LOST);
                }
                return ids.size();
              });
    }
    return noted;
  }

  /**
   * Hands over the images of launches that run with the numbers of their users, as their records
   * tell and as far as Slurm has not said that they are over, the oldest first; one may come
   * several times.
   *
   * @param cluster of this cluster; empty for all
   */
  public void imagesOfRunning(Optional<String> cluster, BiConsumer<Long, String> images) {
    connections.read(
        connection -> {
          OpenQueries.images(connection, cluster, images);
          return null;
        });
  }

  /**
   * Launches, newest first.
   *
   * @param limit how many at most, up to {@link #PAGE_LIMIT}; there are fewer where their texts are
   *     long
   * @param after where the page begins; empty for the first one
   */
  public Page launches(LaunchFilter filter, Viewer viewer, int limit, Optional<Page.Cursor> after) {
    return new LaunchQueries(connections).launches(filter, viewer, limit, after);
  }

  /** A launch by its number in this store; empty if the viewer sees none. */
  public Optional<StoredLaunch> launch(long id, Viewer viewer) {
    return new LaunchQueries(connections).launch(id, viewer);
  }

  /**
   * Nodes of a launch, in the order of their names' bytes.
   *
   * @param after the name that comes before; empty to begin
   * @param limit how many at most; there are fewer where their records are long
   */
  public StoredNode.Page nodes(long id, Viewer viewer, String after, int limit) {
    return new LaunchQueries(connections).nodes(id, viewer, after, limit);
  }

  /** One node of a launch. */
  public Optional<StoredNode> node(long id, Viewer viewer, String name) {
    return new LaunchQueries(connections).node(id, viewer, name);
  }

  /**
   * The next nodes of a launch, so many that they have not many more ranks than wanted; one at
   * least, if there is one.
   *
   * @param after the name that comes before; empty to begin
   * @param nodes how many nodes at most
   * @param ranks no further node when those before have so many ranks
   */
  public NodeRange range(long id, Viewer viewer, String after, int nodes, long ranks) {
    return new LaunchQueries(connections).range(id, viewer, after, nodes, ranks);
  }

  /**
   * The records of a launch, node by node with all ranks, for {@link
   * io.hpcrun.timing.LaunchTiming#read}; empty if the viewer sees no such launch.
   */
  public Optional<RecordSource> records(long id, Viewer viewer) {
    return records(id, viewer, NodeRange.ALL);
  }

  /** The same with the records of some nodes only. */
  public Optional<RecordSource> records(long id, Viewer viewer, NodeRange range) {
    return launch(id, viewer)
        .map(launch -> new StoredRecords(connections, launch, viewer.asker(), range));
  }

  /** Hands over how long stages took over all ranks of the launches, group by group. */
  public void stages(LaunchFilter filter, Viewer viewer, Grouping grouping, Groups groups) {
    connections.readFor(
        viewer.asker(),
        connection -> {
          new StageQueries(grouping, groups).run(connection, filter, viewer);
          return null;
        });
  }

  /**
   * Removes launches that are over and of which nothing was heard for so long.
   *
   * @param goesOn asked between transactions; false ends the work early, to be taken up again
   * @return how many launches were removed
   */
  public long removeOlderThan(Duration age, BooleanSupplier goesOn) {
    return new Retention(connections, goesOn).removeBefore(now() - age.toNanos());
  }

  /**
   * Removes launches while the store uses more than so many bytes: the oldest ones of the users who
   * have the most, down to a share that is the same for all.
   *
   * @param goesOn asked between transactions; false ends the work early, to be taken up again
   * @return how many launches were removed
   */
  public long removeToFit(long bytes, BooleanSupplier goesOn) {
    return new Retention(connections, goesOn).removeToFit(bytes);
  }

  /**
   * Writes a copy of a SQLite store while it is in use.
   *
   * @param target the file, which appears whole; an older one is replaced
   * @throws Failure with exit code 2 for another store, or when the file cannot be written
   */
  public void backUp(Path target) {
    if (connections.dialect() != Dialect.SQLITE) {
      throw Failure.usage(
          "hpcrund makes no backups of PostgreSQL", "use pg_dump, or what the site has for it");
    }
    new SqliteFile(url).backUp(target);
  }

  /** How much there is; counts in an index, for once a minute and not for every request. */
  public Size size() {
    return connections.read(
        connection -> {
          Map<LaunchState, Long> launches = new EnumMap<>(LaunchState.class);
          try (Statement statement = connection.createStatement();
              ResultSet rows =
                  statement.executeQuery("select state, count(*) from launch group by state")) {
            while (rows.next()) {
              launches.put(
                  LaunchState.of(rows.getString(1)).orElse(LaunchState.UNKNOWN), rows.getLong(2));
            }
          }
          return new Size(
              launches,
              Retention.number(connection, "select coalesce(sum(nodes), 0) from user_usage"),
              Retention.number(connection, connections.dialect().usedBytes()));
        });
  }

  private long now() {
    Instant now = clock.instant();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  @Override
  public void close() {
    connections.close();
  }
}
