package io.hpcrun.slurm;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Slurm calls a job: {@code 12}, an array's element {@code 12_3}, a component of a
 * heterogeneous job {@code 12+1}.
 *
 * @param number the job's, the array's or the heterogeneous job's number
 * @param element the array's element, {@link #NONE} for other jobs
 * @param component the component of a heterogeneous job, {@link #NONE} for other jobs
 */
public record JobId(long number, int element, int component) {
  /** Stands for no element and no component. */
  public static final int NONE = -1;

  private static final Pattern TEXT =
      Pattern.compile("([0-9]{1,10})(?:_([0-9]{1,9})|\\+([0-9]{1,9}))?");

  /**
   * Reads an id as Slurm prints it; empty for anything else, such as {@code 12_[4-7]}, which stands
   * for elements that have not started.
   */
  public static Optional<JobId> parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    return Optional.of(
        new JobId(
            Long.parseLong(matcher.group(1)), number(matcher.group(2)), number(matcher.group(3))));
  }

  private static int number(String digits) {
    return digits == null ? NONE : Integer.parseInt(digits);
  }

  /** Slurm's commands take no component in a list of jobs, and answer with all of them. */
  String asked() {
    return element == NONE ? String.valueOf(number) : number + "_" + element;
  }

  /**
   * Whether an answer of Slurm's is about this job. The first component of a heterogeneous job,
   * which has its batch script, is also meant by the bare number.
   */
  public boolean isAnsweredBy(JobId answer) {
    return number == answer.number
        && element == answer.element
        && Math.max(component, 0) == Math.max(answer.component, 0);
  }

  @Override
  public String toString() {
    return component == NONE ? asked() : number + "+" + component;
  }
}
