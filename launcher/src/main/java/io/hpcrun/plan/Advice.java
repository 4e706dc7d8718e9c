package io.hpcrun.plan;

/**
 * Something that does not fit, or may not.
 *
 * @param text what was found, one sentence without its full stop
 * @param remedy what to do about it
 * @param source where this is known from
 */
public record Advice(String text, String remedy, String source) {}
