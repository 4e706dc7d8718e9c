package io.hpcrun.daemon.store;

import io.hpcrun.failure.Failure;
import io.hpcrun.timing.Durations;
import io.hpcrun.timing.RecordSource;
import io.hpcrun.timing.Stage;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Everything that hpcrund knows about launches. Every query takes who looks: an operator or one
 * user. Thread-safe: one writes, several read.
 */
public final class LaunchStore implements AutoCloseable {
  /** The largest page of {@link #launches}. */
  public static final int PAGE_LIMIT = 1_000;

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
    if (Dialect.of(url) == Dialect.SQLITE) {
      new SqliteFile(url).make();
    }
    Connections connections = new Connections(url, properties);
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
    return connections.write(connection -> new RecordWriter(connection, now()).write(arrivals));
  }

  /** Notes what Slurm says of a launch's job that is over, though its record says it runs. */
  public void noteSlurmState(long id, String state) {
    connections.write(
        connection -> {
          try (PreparedStatement update =
              connection.prepareStatement(
                  "update launch set slurm_state = ?, updated_ns = ? where id = ?")) {
            update.setString(1, state);
            update.setLong(2, now());
            update.setLong(3, id);
            return update.executeUpdate();
          }
        });
  }

  /**
   * Launches, newest first.
   *
   * @param limit how many at most, up to {@link #PAGE_LIMIT}
   * @param after where the page begins; empty for the first one
   */
  public Page launches(LaunchFilter filter, Viewer viewer, int limit, Optional<Page.Cursor> after) {
    Conditions conditions = Conditions.of(filter, viewer);
    after.ifPresent(
        cursor -> conditions.add("(l.begun_ns, l.id) < (?, ?)", cursor.begunNs(), cursor.id()));
    int size = Math.clamp(limit, 1, PAGE_LIMIT);
    List<StoredLaunch> found =
        select(conditions, " order by l.begun_ns desc, l.id desc limit " + (size + 1));
    if (found.size() <= size) {
      return new Page(found, Optional.empty());
    }
    StoredLaunch last = found.get(size - 1);
    return new Page(
        found.subList(0, size), Optional.of(new Page.Cursor(last.key().begunNs(), last.id())));
  }

  /** Hands over all launches, newest first, page by page: nothing is held open meanwhile. */
  public void forEach(LaunchFilter filter, Viewer viewer, Consumer<StoredLaunch> launches) {
    Optional<Page.Cursor> after = Optional.empty();
    do {
      Page page = launches(filter, viewer, PAGE_LIMIT, after);
      page.launches().forEach(launches);
      after = page.next();
    } while (after.isPresent());
  }

  /** A launch by its number in this store; empty if the viewer sees none. */
  public Optional<StoredLaunch> launch(long id, Viewer viewer) {
    return select(Conditions.of(viewer).add("l.id = ?", id), "").stream().findFirst();
  }

  private List<StoredLaunch> select(Conditions conditions, String order) {
    String sql =
        "select " + StoredLaunch.COLUMNS + " from launch l where " + conditions.sql() + order;
    return connections.read(
        connection -> {
          try (PreparedStatement select = conditions.prepare(connection, sql);
              ResultSet rows = select.executeQuery()) {
            List<StoredLaunch> launches = new ArrayList<>();
            while (rows.next()) {
              launches.add(StoredLaunch.of(rows));
            }
            return launches;
          }
        });
  }

  /**
   * Nodes of a launch, in the order of their names' bytes.
   *
   * @param after the name that comes before; empty to begin
   * @param limit how many at most
   */
  public List<StoredNode> nodes(long id, Viewer viewer, String after, int limit) {
    return nodes(Conditions.of(viewer).add("n.launch_id = ?", id).add("n.node > ?", after), limit);
  }

  /** One node of a launch. */
  public Optional<StoredNode> node(long id, Viewer viewer, String name) {
    return nodes(Conditions.of(viewer).add("n.launch_id = ?", id).add("n.node = ?", name), 1)
        .stream()
        .findFirst();
  }

  private List<StoredNode> nodes(Conditions conditions, int limit) {
    String sql =
        "select n.node, n.ranks, n.record from node n join launch l on l.id = n.launch_id where "
            + conditions.sql()
            + " order by n.node limit "
            + Math.max(1, limit);
    return connections.read(
        connection -> {
          try (PreparedStatement select = conditions.prepare(connection, sql);
              ResultSet rows = select.executeQuery()) {
            List<StoredNode> nodes = new ArrayList<>();
            while (rows.next()) {
              nodes.add(new StoredNode(rows.getString(1), rows.getLong(2), rows.getString(3)));
            }
            return nodes;
          }
        });
  }

  /**
   * The records of a launch, node by node with all ranks, for {@link
   * io.hpcrun.timing.LaunchTiming#read}; empty if the viewer sees no such launch.
   */
  public Optional<RecordSource> records(long id, Viewer viewer) {
    return launch(id, viewer).map(launch -> new StoredRecords(connections, launch, ""));
  }

  /** The same with the records of one node only. */
  public Optional<RecordSource> records(long id, Viewer viewer, String node) {
    return launch(id, viewer).map(launch -> new StoredRecords(connections, launch, node));
  }

  /** Hands over how long stages took over all ranks of the launches, group by group. */
  public void stages(LaunchFilter filter, Viewer viewer, Grouping grouping, Groups groups) {
    connections.read(
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
   * Removes the oldest launches that are over while the store uses more than so many bytes.
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

  /** How much there is; reads through an index, for once a minute and not for every request. */
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
              Retention.number(connection, "select count(*) from node"),
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
