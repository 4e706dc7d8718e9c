package io.hpcrun.daemon.store;

import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordReader;
import java.util.Optional;

/**
 * A node of a launch, without its ranks.
 *
 * @param node its name
 * @param ranks how many ranks it has
 * @param mode how they entered; empty if the record does not tell
 * @param record its own line, as JSON
 */
public record StoredNode(String node, long ranks, Optional<String> mode, String record) {
  static StoredNode of(String node, long ranks, String record) {
    String[] mode = {""};
    StoredRecords.readLine(
        record,
        new RecordReader.Lines() {
          @Override
          public void head(RecordLine line) {
            mode[0] = line.text("mode");
          }

          @Override
          public void rank(RankLine none) {
            throw new IllegalStateException("a node's own line is no rank's");
          }
        });
    return new StoredNode(
        node, ranks, Optional.of(mode[0]).filter(name -> !name.isEmpty()), record);
  }

  /**
   * Some nodes.
   *
   * @param nodes the nodes, in the order of their names' bytes
   * @param more whether there are others behind them
   */
  public record Page(java.util.List<StoredNode> nodes, boolean more) {}
}
