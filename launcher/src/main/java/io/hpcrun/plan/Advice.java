package io.hpcrun.plan;

import io.hpcrun.policy.Enforcement;
import io.hpcrun.policy.Rule;
import io.hpcrun.spec.UserScript;

/**
 * Something that does not fit, or may not.
 *
 * @param text what was found, one sentence without its full stop
 * @param remedy what to do about it
 * @param source where this is known from
 */
public record Advice(String text, String remedy, String source) {
  private static final String POLICY = "policy ";

  /** What a rule of the site says. */
  static Advice of(Rule.Finding finding) {
    Rule rule = finding.rule();
    return new Advice(
        finding.words(),
        "change that, or ask " + rule.contact(),
        POLICY + rule.id() + " (" + rule.contact() + ")");
  }

  /**
   * What slurmctld would say of a script that starts launches itself.
   *
   * @param partition one that takes no such scripts
   */
  static Advice of(Enforcement enforcement, String partition, UserScript script) {
    boolean sweep = script.isSweep();
    return new Advice(
        "policy job-script: %s (%s takes no script that starts launches itself, %s)"
            .formatted(
                enforcement.reason(),
                partition,
                sweep ? "as a sweep in one array is" : "a user's or a job file's"),
        (sweep
                ? "write 'as: jobs' in the sweep"
                : "start each launch with a 'hpcrun submit' of its own")
            + ", or ask "
            + enforcement.contact(),
        POLICY + "job-script (" + enforcement.contact() + ")");
  }

  /** Whether it is the site's word, which {@code --force} does not override. */
  public boolean isOfSite() {
    return source.startsWith(POLICY);
  }
}
