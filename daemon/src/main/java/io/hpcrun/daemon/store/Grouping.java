package io.hpcrun.daemon.store;

/** By what the durations of many launches are put together. */
public enum Grouping {
  /** All together; the group's name is empty. */
  NONE("''"),
  /** The image's path. */
  IMAGE("coalesce(l.image, '')"),
  /** The partition. */
  PARTITION("coalesce(l.partition, '')"),
  /** How ranks entered; how they were meant to, where no node has told. */
  MODE("coalesce(l.entered, l.mode, '')"),
  /** The day (UTC) on which the launch began, such as 2026-11-21. */
  DAY("l.begun_ns / 86400000000000"),
  /** The node; stages of the whole launch are left out. */
  NODE("n.node");

  private final String sql;

  Grouping(String sql) {
    this.sql = sql;
  }

  /** The group's key as an SQL expression. */
  String sql() {
    return sql;
  }
}
