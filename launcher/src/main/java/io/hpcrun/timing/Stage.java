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
  /** The image is copied to the node, or found there. */
  STAGE,
  /** The node's container is started and tried. */
  HOLD,
  /** Entering the container once, as each rank does: measured with a probe before the ranks. */
  ENTER,
  /** Launch step asked, on the batch node, to the rank's first instruction, on its node. */
  SPAWN,
  /** The rank's own work before it enters. */
  BIND,
  /** The rank's entering and its application, from exec to the end of the task. */
  RUN,
  /** End of the last rank to the end of the launch step, on the batch node's clock. */
  LEAVE,
  /** The node's container is closed. */
  TEARDOWN;

  /** Whether it is measured once for a launch, and not on each node or rank. */
  public boolean isOfWholeLaunch() {
    return this == QUEUE || this == SCRIPT || this == PREPARE || this == LEAVE;
  }

  /** The name in tables and JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
