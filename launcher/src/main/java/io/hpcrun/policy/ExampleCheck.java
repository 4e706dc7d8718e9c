package io.hpcrun.policy;

import io.hpcrun.policy.Rule.Example;
import io.hpcrun.policy.Rule.Finding;
import io.hpcrun.policy.Rule.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What comes of the examples of a rule: each of them, and that there is one of each kind.
 *
 * @param rule which
 * @param wrong examples of which the rule says something else, each with its place
 * @param missing examples that should be there
 */
public record ExampleCheck(Rule rule, List<String> wrong, List<String> missing) {
  /** Copies the lists. */
  public ExampleCheck {
    wrong = List.copyOf(wrong);
    missing = List.copyOf(missing);
  }

  /** Checks the examples of all rules. */
  public static List<ExampleCheck> of(Policy policy) {
    return policy.rules().stream().map(ExampleCheck::of).toList();
  }

  private static ExampleCheck of(Rule rule) {
    List<String> wrong = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (Verdict needed : List.of(Verdict.PASS, rule.refuses() ? Verdict.REFUSE : Verdict.WARN)) {
      if (rule.judges() && rule.examples().stream().noneMatch(each -> each.verdict() == needed)) {
        missing.add("%s: the rule has no example '%s'".formatted(rule.place(), needed.label()));
      }
    }
    for (Example example : rule.examples()) {
      Optional<Finding> finding = rule.judge(example.facts());
      Verdict said = finding.map(Finding::verdict).orElse(Verdict.PASS);
      if (said != example.verdict()) {
        wrong.add(
            "%s: the rule should say '%s' of this launch, and says '%s'%s"
                .formatted(
                    example.place(),
                    example.verdict().label(),
                    said.label(),
                    finding.map(found -> ": " + found.what()).orElse("")));
      }
    }
    return new ExampleCheck(rule, wrong, missing);
  }
}
