package io.hpcrun.daemon.store;

import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordReader;
import io.hpcrun.timing.RecordSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The records of a launch, from the store. Nodes are read some at a time, in transactions of their
 * own: who takes them slowly keeps none open, and little is in memory however large they are.
 */
final class StoredRecords implements RecordSource {
  private static final int NODES_AT_ONCE = 256;
  private static final long BYTES_AT_ONCE = 256 << 10;

  /** Rows that PostgreSQL's driver holds: each may have some hundred kilobytes. */
  static final int LARGE_ROWS_AT_ONCE = 16;

  private final Connections connections;
  private final StoredLaunch launch;
  private final long asker;
  private final NodeRange range;

  /** The records of a launch, and of these nodes of it. */
  StoredRecords(Connections connections, StoredLaunch launch, long asker, NodeRange range) {
    this.connections = connections;
    this.launch = launch;
    this.asker = asker;
    this.range = range;
  }

  @Override
  public String id() {
    return launch.key().launch();
  }

  @Override
  public void readLaunch(RecordReader.Lines lines) {
    Optional<String> record =
        connections.readFor(
            asker,
            connection -> {
              try (PreparedStatement select =
                  connection.prepareStatement("select record from launch where id = ?")) {
                select.setLong(1, launch.id());
                try (ResultSet row = select.executeQuery()) {
                  return row.next() ? Optional.ofNullable(row.getString(1)) : Optional.empty();
                }
              }
            });
    record.ifPresent(text -> readLine(text, lines));
  }

  private record PackedNode(String node, String record, byte[] ranks) {}

  private record Some(List<PackedNode> nodes, boolean more) {}

  @Override
  public void readNodes(Nodes nodes) {
    RankColumns.Decoder decoder = new RankColumns.Decoder();
    String after = range.after();
    for (Some some = new Some(List.of(), true); some.more(); ) {
      some = readSome(after);
      for (PackedNode node : some.nodes()) {
        readLine(node.record(), nodes);
        decoder.begin(node.ranks());
        for (RankLine rank; (rank = decoder.next()) != null; ) {
          nodes.rank(rank);
        }
        nodes.nodeIsComplete();
        after = node.node();
      }
    }
  }

  private Some readSome(String after) {
    String sql =
        "select node, record, ranks_data from node where launch_id = ? and node > ?"
            + (range.only().isEmpty() ? "" : " and node = ?")
            + (range.isCut() ? " and node <= ?" : "")
            + " order by node limit "
            + NODES_AT_ONCE;
    return connections.readFor(
        asker,
        connection -> {
          try (PreparedStatement select = connection.prepareStatement(sql)) {
            int at = 1;
            select.setLong(at++, launch.id());
            select.setString(at++, after);
            if (!range.only().isEmpty()) {
              select.setString(at++, range.only());
            }
            if (range.isCut()) {
              select.setString(at, range.upTo());
            }
            select.setFetchSize(LARGE_ROWS_AT_ONCE);
            try (ResultSet rows = select.executeQuery()) {
              return some(rows);
            }
          }
        });
  }

  private static Some some(ResultSet rows) throws java.sql.SQLException {
    List<PackedNode> some = new ArrayList<>();
    long bytes = 0;
    while (bytes < BYTES_AT_ONCE && rows.next()) {
      PackedNode node = new PackedNode(rows.getString(1), rows.getString(2), rows.getBytes(3));
      bytes += node.record().length() + node.ranks().length;
      some.add(node);
    }
    return new Some(some, bytes >= BYTES_AT_ONCE || some.size() == NODES_AT_ONCE);
  }

  /** Reads a line that was checked before it was stored. */
  static void readLine(String record, RecordReader.Lines lines) {
    try {
      RecordReader.trusting().read(record.getBytes(StandardCharsets.UTF_8), lines);
    } catch (IOException damaged) {
      throw new StoreException(
          "a stored record is damaged: " + damaged.getMessage(), damaged, StoreException.Kind.DATA);
    }
  }
}
