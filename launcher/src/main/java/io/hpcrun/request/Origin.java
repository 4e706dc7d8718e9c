package io.hpcrun.request;

/**
 * Where the value of an option came from.
 *
 * @param kind who said it
 * @param where the file with line and column, the variable, the option, or the reason
 */
public record Origin(Kind kind, String where) {
  /** Who says something of a launch; who comes later here wins. */
  public enum Kind {
    SITE("site"),
    PARTITION("partition"),
    MODULE("module"),
    TEMPLATE("template"),
    JOB_FILE("job file"),
    SCRIPT("#HPCRUN line"),
    VARIABLE("variable"),
    OPTION("option"),
    /** What hpcrun chose for the resources that are asked for; where: the reason. */
    PACKING("packing");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** For people. */
    public String label() {
      return label;
    }
  }

  @Override
  public String toString() {
    return kind.label() + ": " + where;
  }
}
