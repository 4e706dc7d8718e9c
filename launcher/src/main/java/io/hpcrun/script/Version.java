package io.hpcrun.script;

/** hpcrun's version, which stands in scripts and records. */
public final class Version {
  /** The same as the Maven project's; a test compares them. */
  public static final String VERSION = "0.1.0";

  private Version() {}
}
