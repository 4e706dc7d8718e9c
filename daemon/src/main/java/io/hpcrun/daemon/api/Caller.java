package io.hpcrun.daemon.api;

/**
 * Who asks.
 *
 * @param uid the user's number, as the kernel has it
 * @param user the user's name, or the number where there is none
 * @param operator whether everybody's launches may be seen
 */
public record Caller(long uid, String user, boolean operator) {}
