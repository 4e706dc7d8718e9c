package io.hpcrun.planning;

import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Plan;
import io.hpcrun.plan.Planner;
import io.hpcrun.policy.Policy;
import io.hpcrun.script.JobScript;
import io.hpcrun.script.Version;
import java.util.List;
import java.util.Optional;

/**
 * A launch, decided and rendered.
 *
 * @param decisions every choice with its reason
 * @param warnings what may fail
 * @param refusals what is known to fail
 * @param needsDigest whether the script is missing only because it needs the image's digest, which
 *     the request does not hold
 * @param script the job script; empty for a refused launch, and if the digest is needed
 */
public record PlanAnswer(
    List<Decision> decisions,
    List<Advice> warnings,
    List<Advice> refusals,
    boolean needsDigest,
    Optional<byte[]> script) {

  /** Copies the lists. */
  public PlanAnswer {
    decisions = List.copyOf(decisions);
    warnings = List.copyOf(warnings);
    refusals = List.copyOf(refusals);
  }

  /** The same with decisions that are said otherwise. */
  public PlanAnswer with(List<Decision> others) {
    return new PlanAnswer(others, warnings, refusals, needsDigest, script);
  }

  /** Plans and renders in this process, at a site without rules. */
  public static PlanAnswer to(PlanRequest request) {
    return to(request, Policy.NONE);
  }

  /** Plans and renders in this process. */
  public static PlanAnswer to(PlanRequest request, Policy policy) {
    Plan plan = Planner.plan(request.spec(), request.known(), request.packing(), policy);
    boolean refused = !plan.refusals().isEmpty();
    boolean needsDigest = !refused && plan.staged() && request.digest().isEmpty();
    return new PlanAnswer(
        plan.allDecisions(),
        plan.warnings(),
        plan.refusals(),
        needsDigest,
        refused || needsDigest
            ? Optional.empty()
            : Optional.of(
                JobScript.render(
                    plan,
                    Version.VERSION,
                    AgentText.forJobs(plan.staged()),
                    request.digest().orElse(""),
                    request.enterProgram())));
  }
}
