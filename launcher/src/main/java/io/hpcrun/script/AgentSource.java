package io.hpcrun.script;

import io.hpcrun.spec.ByteString;

/**
 * The source of the node agent, as job scripts carry it: a daemon renders thousands of scripts with
 * the same one.
 *
 * @param latin1 one character (0 to 255) for each of its bytes
 */
public record AgentSource(String latin1) {
  /** This text, without blank lines around it. */
  public static AgentSource of(String text) {
    return new AgentSource(ByteString.of(text.strip()).latin1());
  }
}
