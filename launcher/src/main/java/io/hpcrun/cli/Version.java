package io.hpcrun.cli;

/** hpcrun's version, which stands in scripts and records. */
final class Version {
  /** The same as the Maven project's; a test compares them. */
  static final String VERSION = "0.1.0";

  private Version() {}
}
