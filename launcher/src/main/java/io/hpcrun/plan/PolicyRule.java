package io.hpcrun.plan;

import io.hpcrun.policy.Facts;
import io.hpcrun.policy.Policy;
import io.hpcrun.policy.Rule;
import io.hpcrun.policy.Rule.Finding;
import io.hpcrun.policy.Rule.Verdict;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Plans under the rules of a site: adds what they force, then asks them about the plan. */
final class PolicyRule {
  private final Policy policy;
  private final List<Decision> decisions = new ArrayList<>();

  PolicyRule(Policy policy) {
    this.policy = policy;
  }

  Plan plan(LaunchSpec spec, Knowledge known, List<Decision> packing) {
    Plan plan = Planner.plan(forced(spec, known), known, packing);
    Facts facts = LaunchFacts.of(plan, known);
    List<Finding> findings = policy.judge(facts);
    List<Advice> refusals = new ArrayList<>(closed(plan.spec(), facts).stream().toList());
    refusals.addAll(advice(findings, Verdict.REFUSE));
    return plan.with(decisions, advice(findings, Verdict.WARN), refusals);
  }

  /** slurmctld looks at what a script is before it asks the rules. */
  private Optional<Advice> closed(LaunchSpec spec, Facts facts) {
    return policy
        .enforcement()
        .flatMap(
            enforcement ->
                spec.script()
                    .flatMap(
                        script ->
                            enforcement
                                .closedToScripts(facts)
                                .map(partition -> Advice.of(enforcement, partition, script))));
  }

  private static List<Advice> advice(List<Finding> findings, Verdict verdict) {
    return findings.stream()
        .filter(finding -> finding.verdict() == verdict)
        .map(Advice::of)
        .toList();
  }

  private LaunchSpec forced(LaunchSpec spec, Knowledge known) {
    ContainerOptions container = spec.container();
    List<BindMount> binds = new ArrayList<>(container.binds());
    List<EnvironmentVariable> environment = new ArrayList<>(container.environment());
    for (Rule rule : policy.forcing(LaunchFacts.of(spec, known))) {
      for (BindMount bind : rule.force().binds()) {
        if (binds.stream().noneMatch(bind::equals)) {
          binds.add(bind);
          decide("bind", bind.source().toString(), rule);
        }
      }
      for (EnvironmentVariable variable : rule.force().environment()) {
        if (!container.sets(variable.name())
            && environment.stream().noneMatch(set -> set.name().equals(variable.name()))) {
          environment.add(variable);
          decide(variable.name(), variable.value().toString(), rule);
        }
      }
    }
    return decisions.isEmpty() ? spec : spec.with(container.with(binds, environment));
  }

  private void decide(String what, String value, Rule rule) {
    decisions.add(
        new Decision(
            what, value, rule.reason(), "policy " + rule.id() + " (" + rule.contact() + ")"));
  }
}
