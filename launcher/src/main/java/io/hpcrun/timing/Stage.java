package io.hpcrun.timing;

import java.util.Locale;

/** The named intervals of a launch, in the order in which they happen. */
public enum Stage {
  /** Submit to job start; whole seconds, from Slurm. */
  QUEUE,
  /** Job start (whole seconds, from Slurm) to the moment the script asks for the nodes. */
  SCRIPT,
  /** The step that prepares all nodes, asked to done, on the batch node's clock. */
  PREPARE,
  /** The node's own checks within it. */
  CHECK,
  /** Launch step asked, on the batch node, to the rank's first instruction, on its node. */
  SPAWN,
  /** The rank's own work before it becomes the container. */
  BIND,
  /** The rank's container and application, from exec to the end of the task. */
  RUN,
  /** End of the last rank to the end of the launch step, on the batch node's clock. */
  TEARDOWN;

  /** The name in tables and JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
