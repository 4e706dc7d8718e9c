package io.hpcrun.plan;

/**
 * One choice of the planner, as data.
 *
 * @param what what was decided, such as {@code mpi}
 * @param value the choice
 * @param reason why, one sentence without its full stop
 * @param source where it came from: an option, a Slurm setting, a rule
 */
public record Decision(String what, String value, String reason, String source) {}
