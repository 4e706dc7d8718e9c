package io.hpcrun.daemon.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The conditions of a query on launches (alias {@code l}), and their values. */
final class Conditions {
  private final List<String> clauses = new ArrayList<>(List.of("1 = 1"));
  private final List<Object> values = new ArrayList<>();
  private final long asker;

  private Conditions(long asker) {
    this.asker = asker;
  }

  /** What the viewer may see and the filter lets through. */
  static Conditions of(LaunchFilter filter, Viewer viewer) {
    Conditions conditions = of(viewer);
    filter.cluster().ifPresent(name -> conditions.add("l.cluster = ?", name));
    filter.uid().ifPresent(uid -> conditions.add("l.uid = ?", uid));
    filter.user().ifPresent(name -> conditions.add("l.user_name = ?", name));
    filter.image().ifPresent(name -> conditions.add("(l.image = ? or l.image_id = ?)", name, name));
    filter.partition().ifPresent(name -> conditions.add("l.partition = ?", name));
    filter
        .node()
        .ifPresent(
            name ->
                conditions.add(
                    "exists (select 1 from node f where f.launch_id = l.id and f.node = ?)", name));
    filter.mode().ifPresent(name -> conditions.add("coalesce(l.entered, l.mode) = ?", name));
    filter.state().ifPresent(state -> conditions.add("l.state = ?", state.label()));
    filter.sinceNs().ifPresent(since -> conditions.add("l.begun_ns >= ?", since));
    filter.untilNs().ifPresent(until -> conditions.add("l.begun_ns < ?", until));
    // Job ids are digits and '_', which come before '~' in the order of bytes.
    filter.job().ifPresent(job -> conditions.add("l.job >= ? and l.job < ?", job, job + "~"));
    filter.launch().ifPresent(launch -> conditions.add("l.launch = ?", launch));
    return conditions;
  }

  /** What the viewer may see. */
  static Conditions of(Viewer viewer) {
    Conditions conditions = new Conditions(viewer.asker());
    viewer.uid().ifPresent(uid -> conditions.add("l.uid = ?", uid));
    return conditions;
  }

  Conditions add(String clause, Object... of) {
    clauses.add(clause);
    values.addAll(List.of(of));
    return this;
  }

  /** Who asks. */
  long asker() {
    return asker;
  }

  String sql() {
    return String.join(" and ", clauses);
  }

  /**
   * A statement with these conditions' values set; values before them must be set by none.
   *
   * @param rows how many rows of the answer are held at a time
   */
  PreparedStatement prepare(Connection connection, String sql, int rows) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(sql);
    for (int i = 0; i < values.size(); i++) {
      statement.setObject(i + 1, values.get(i));
    }
    statement.setFetchSize(rows);
    return statement;
  }
}
