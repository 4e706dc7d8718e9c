package io.hpcrun.daemon.store;

/**
 * A node of a launch, without its ranks.
 *
 * @param node its name
 * @param ranks how many ranks it has
 * @param record its own line, as JSON
 */
public record StoredNode(String node, long ranks, String record) {}
