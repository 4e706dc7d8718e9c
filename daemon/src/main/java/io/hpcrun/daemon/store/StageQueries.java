package io.hpcrun.daemon.store;

import io.hpcrun.timing.Durations;
import io.hpcrun.timing.LaunchStages;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordReader;
import io.hpcrun.timing.Stage;
import io.hpcrun.timing.StageDurations;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;
import java.util.Map;

/**
 * How long stages took, over all ranks of many launches. Rows come in the order of their groups, so
 * that memory is needed for one group at a time. Not thread-safe; for one query.
 */
final class StageQueries {
  private final Grouping grouping;
  private final LaunchStore.Groups groups;
  private final StageDurations durations = new StageDurations();
  private final RankColumns.Decoder decoder = new RankColumns.Decoder();
  private LaunchStages stages;
  private String group;
  private long launches;
  private long ranks;

  StageQueries(Grouping grouping, LaunchStore.Groups groups) {
    this.grouping = grouping;
    this.groups = groups;
  }

  /** Hands over one group after the other. */
  void run(Connection connection, LaunchFilter filter, Viewer viewer) throws SQLException {
    Conditions conditions = Conditions.of(filter, viewer);
    filter
        .node()
        .ifPresent(node -> conditions.add("n.node = ?", node)); // and not the launch's others
    String sql =
        "select l.id, %s as grouped, l.batch_node, l.submit_s, l.start_s, l.prepare_asked_ns,"
                .formatted(grouping.sql())
            + " l.prepare_done_ns, l.launch_asked_ns, l.launch_done_ns,"
            + " n.record as node_record, n.ranks_data from launch l"
            + (grouping == Grouping.NODE ? " join" : " left join")
            + " node n on n.launch_id = l.id where "
            + conditions.sql()
            + " order by "
            + (grouping == Grouping.NONE ? "l.id, n.node" : "grouped, l.id, n.node");
    try (PreparedStatement select =
            conditions.prepare(connection, sql, StoredRecords.LARGE_ROWS_AT_ONCE);
        ResultSet rows = select.executeQuery()) {
      long launch = -1;
      while (rows.next()) {
        boolean another = beginGroup(rows.getString("grouped"));
        if (another || rows.getLong("id") != launch) {
          endLaunch();
          launch = rows.getLong("id");
          beginLaunch(rows);
        }
        readNode(rows.getString("node_record"), rows.getBytes("ranks_data"));
      }
      endLaunch();
      endGroup();
    }
  }

  /** Whether the row begins another group. */
  private boolean beginGroup(String name) {
    if (name.equals(group)) {
      return false;
    }
    endLaunch();
    endGroup();
    group = name;
    return true;
  }

  private void endGroup() {
    if (group != null) {
      Map<Stage, Durations.Summary> summaries = durations.summaries();
      groups.take(
          grouping == Grouping.DAY ? LocalDate.ofEpochDay(Long.parseLong(group)).toString() : group,
          launches,
          ranks,
          summaries);
    }
    durations.reset();
    launches = 0;
    ranks = 0;
  }

  private void beginLaunch(ResultSet row) throws SQLException {
    stages = new LaunchStages(StoredLaunch.times(row), this::add);
    launches++;
    stages.job();
  }

  private void add(Stage stage, long nanoseconds, String node, long rank, long uncertainty) {
    if (grouping != Grouping.NODE || !stage.isOfWholeLaunch()) {
      durations.add(stage, nanoseconds, node, rank, uncertainty);
    }
  }

  private void endLaunch() {
    if (stages != null) {
      stages.leave();
    }
    stages = null;
  }

  private void readNode(String record, byte[] packed) {
    if (record == null) {
      return; // a launch that no node has left a record of
    }
    stages.beginNode();
    StoredRecords.readLine(
        record,
        new RecordReader.Lines() {
          @Override
          public void head(RecordLine line) {
            stages.node(line);
          }

          @Override
          public void rank(RankLine none) {
            throw new IllegalStateException("a node's own line is no rank's");
          }
        });
    decoder.begin(packed);
    for (RankLine rank; (rank = decoder.next()) != null; ) {
      stages.rank(rank);
      ranks++;
    }
  }
}
