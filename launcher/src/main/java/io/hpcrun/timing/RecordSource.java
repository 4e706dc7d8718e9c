package io.hpcrun.timing;

/**
 * Where the lines of a launch's records come from: the files that its nodes wrote, or the daemon's
 * store. Statistics are made from this, so that both give the same figures.
 */
public interface RecordSource {
  /** The launch: job, restart and number in the job, such as {@code 12_3.0.0}. */
  String id();

  /** Hands over the launch's own line, if there is one. */
  void readLaunch(RecordReader.Lines lines);

  /** Hands over each node's lines, one node after the other. */
  void readNodes(Nodes nodes);

  /** Takes the nodes of a launch. */
  interface Nodes extends RecordReader.Lines {
    /** All lines of a node were handed over. */
    void nodeIsComplete();
  }
}
