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

/**
 * The records of a launch, from the store. Nodes are read some at a time, in transactions of their
 * own: who takes them slowly keeps none open.
 */
final class StoredRecords implements RecordSource {
  private static final int NODES_AT_ONCE = 256;

  private final Connections connections;
  private final StoredLaunch launch;
  private final String only;

  /** The records of a launch; {@code only} names a node, or is empty for all. */
  StoredRecords(Connections connections, StoredLaunch launch, String only) {
    this.connections = connections;
    this.launch = launch;
    this.only = only;
  }

  @Override
  public String id() {
    return launch.key().launch();
  }

  @Override
  public void readLaunch(RecordReader.Lines lines) {
    launch.record().ifPresent(record -> readLine(record, lines));
  }

  private record PackedNode(String node, String record, byte[] ranks) {}

  @Override
  public void readNodes(Nodes nodes) {
    RankColumns.Decoder decoder = new RankColumns.Decoder();
    List<PackedNode> some = readSome("");
    while (!some.isEmpty()) {
      for (PackedNode node : some) {
        readLine(node.record(), nodes);
        decoder.begin(node.ranks());
        for (RankLine rank; (rank = decoder.next()) != null; ) {
          nodes.rank(rank);
        }
        nodes.nodeIsComplete();
      }
      some = some.size() < NODES_AT_ONCE ? List.of() : readSome(some.getLast().node());
    }
  }

  private List<PackedNode> readSome(String after) {
    return connections.read(
        connection -> {
          try (PreparedStatement select =
              connection.prepareStatement(
                  "select node, record, ranks_data from node where launch_id = ? and node > ?"
                      + (only.isEmpty() ? "" : " and node = ?")
                      + " order by node limit "
                      + NODES_AT_ONCE)) {
            select.setLong(1, launch.id());
            select.setString(2, after);
            if (!only.isEmpty()) {
              select.setString(3, only);
            }
            List<PackedNode> some = new ArrayList<>();
            try (ResultSet rows = select.executeQuery()) {
              while (rows.next()) {
                some.add(new PackedNode(rows.getString(1), rows.getString(2), rows.getBytes(3)));
              }
            }
            return some;
          }
        });
  }

  /** Reads a line that was checked before it was stored. */
  static void readLine(String record, RecordReader.Lines lines) {
    try {
      RecordReader.trusting().read(record.getBytes(StandardCharsets.UTF_8), lines);
    } catch (IOException damaged) {
      throw new StoreException(
          "a stored record is damaged: " + damaged.getMessage(), damaged, true);
    }
  }
}
