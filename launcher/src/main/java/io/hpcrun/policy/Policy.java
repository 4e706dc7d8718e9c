package io.hpcrun.policy;

import io.hpcrun.policy.Rule.Finding;
import java.util.List;
import java.util.Optional;

/**
 * A site's policy.
 *
 * @param rules in the order of the file
 * @param enforcement what slurmctld takes; empty if it takes everything
 */
public record Policy(List<Rule> rules, Optional<Enforcement> enforcement) {
  /** Nothing is refused. */
  public static final Policy NONE = new Policy(List.of(), Optional.empty());

  /** Copies the list. */
  public Policy {
    rules = List.copyOf(rules);
  }

  /** What the rules say of a launch: refusals and warnings, in their order. */
  public List<Finding> judge(Facts facts) {
    return rules.stream().flatMap(rule -> rule.judge(facts).stream()).toList();
  }

  /** The rules that add something to a launch, unless it is known that they are not for it. */
  public List<Rule> forcing(Facts facts) {
    return rules.stream()
        .filter(rule -> !rule.force().equals(Rule.Force.NOTHING))
        .filter(rule -> rule.applies(facts).orElse(true))
        .toList();
  }
}
