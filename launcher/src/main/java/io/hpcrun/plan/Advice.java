package io.hpcrun.plan;

import io.hpcrun.policy.Rule;

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

  /** Whether it is the site's word, which {@code --force} does not override. */
  public boolean isOfSite() {
    return source.startsWith(POLICY);
  }
}
