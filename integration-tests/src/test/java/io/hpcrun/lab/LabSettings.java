package io.hpcrun.lab;

/**
 * What a cluster apart is like.
 *
 * @param flavour its Slurm
 * @param computeNodes how many; they are called c1, c2 and so on
 * @param slurmConf lines for slurm.conf, the last of which win
 * @param accounting whether slurmdbd runs, so that sacct answers
 */
public record LabSettings(Flavour flavour, int computeNodes, String slurmConf, boolean accounting) {
  /** Two nodes, without accounting and with the lab's own slurm.conf. */
  public static LabSettings of(Flavour flavour) {
    return new LabSettings(flavour, 2, "", false);
  }

  /** The same with another number of nodes. */
  public LabSettings withComputeNodes(int number) {
    return new LabSettings(flavour, number, slurmConf, accounting);
  }

  /** The same with lines for slurm.conf. */
  public LabSettings withSlurmConf(String lines) {
    return new LabSettings(flavour, computeNodes, lines, accounting);
  }

  /** The same with accounting. */
  public LabSettings withAccounting() {
    return new LabSettings(flavour, computeNodes, slurmConf, true);
  }
}
