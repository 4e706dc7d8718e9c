package io.hpcrun.policy;

import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.yaml.Place;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One rule of a policy.
 *
 * @param id its name in messages
 * @param place where it stands in its file
 * @param refuses whether it refuses launches; otherwise it warns
 * @param reason why, for the user: one sentence
 * @param contact who can be asked
 * @param when which launches it is for: those of which all of this holds; empty for all
 * @param forbid none of this may hold
 * @param require all of this must hold
 * @param force what hpcrun adds to such launches
 * @param examples what it must say of some launches
 */
public record Rule(
    String id,
    Place place,
    boolean refuses,
    String reason,
    String contact,
    List<Condition> when,
    List<Condition> forbid,
    List<Condition> require,
    Force force,
    List<Example> examples) {

  /**
   * What hpcrun adds to launches.
   *
   * @param binds shown in the container
   * @param environment set in it, unless the user sets it
   */
  public record Force(List<BindMount> binds, List<EnvironmentVariable> environment) {
    static final Force NOTHING = new Force(List.of(), List.of());

    /** Copies the lists. */
    public Force {
      binds = List.copyOf(binds);
      environment = List.copyOf(environment);
    }
  }

  /**
   * A launch of which it is known what the rule must say.
   *
   * @param verdict what
   * @param facts the launch
   * @param place where it stands
   */
  public record Example(Verdict verdict, Facts facts, Place place) {}

  /** What a rule can say of a launch. */
  public enum Verdict {
    /** Nothing against it. */
    PASS("pass"),
    /** It is not started. */
    REFUSE("refuse"),
    /** It is started, and the user is told. */
    WARN("warn");

    private final String label;

    Verdict(String label) {
      this.label = label;
    }

    /** The key in policy files. */
    String label() {
      return label;
    }
  }

  /**
   * What a rule says of a launch.
   *
   * @param rule which
   * @param verdict refuse or warn
   * @param what the fact that it is about, and what it should be
   */
  public record Finding(Rule rule, Verdict verdict, String what) {
    /** Rule, reason and fact, as slurmctld says them, too. */
    public String words() {
      return "policy " + rule.id() + ": " + rule.reason() + " (" + what + ")";
    }
  }

  /** Copies the lists. */
  public Rule {
    when = List.copyOf(when);
    forbid = List.copyOf(forbid);
    require = List.copyOf(require);
    examples = List.copyOf(examples);
  }

  /** All conditions, of whatever kind. */
  Stream<Condition> conditions() {
    return Stream.of(when, forbid, require).flatMap(List::stream);
  }

  /** Whether it forbids or requires something, and so has examples; others only force. */
  public boolean judges() {
    return !forbid.isEmpty() || !require.isEmpty();
  }

  /** Whether slurmctld knows all that it looks at. */
  public boolean isKnownToSlurm() {
    return unknownToSlurm().isEmpty();
  }

  /** The facts that only hpcrun and hpcrund know. */
  public List<String> unknownToSlurm() {
    return conditions()
        .filter(each -> each.fact().of() == Fact.Of.REQUEST)
        .map(Condition::name)
        .distinct()
        .toList();
  }

  /** Whether it is for this launch; empty if that is not known. */
  Optional<Boolean> applies(Facts facts) {
    List<Optional<Boolean>> held = when.stream().map(each -> each.holds(facts)).toList();
    if (held.stream().anyMatch(each -> each.isPresent() && !each.get())) {
      return Optional.of(false);
    }
    return held.stream().allMatch(Optional::isPresent) ? Optional.of(true) : Optional.empty();
  }

  /**
   * What it says; empty for nothing. Where it is not known whether it applies, it warns: slurmctld,
   * which knows more, has the last word.
   */
  Optional<Finding> judge(Facts facts) {
    Optional<Boolean> applies = applies(facts);
    if (applies.isPresent() && !applies.get()) {
      return Optional.empty();
    }
    return violation(facts)
        .map(
            what ->
                applies.isPresent()
                    ? new Finding(this, refuses ? Verdict.REFUSE : Verdict.WARN, what)
                    : new Finding(this, Verdict.WARN, unsure(gap(facts), what)));
  }

  private static String unsure(String gap, String what) {
    return gap.equals(what) ? gap : gap + "; if the rule applies, " + what;
  }

  private Optional<String> violation(Facts facts) {
    return Stream.concat(
            forbid.stream()
                .filter(each -> each.holds(facts).orElse(true))
                .map(each -> each.detail(facts, true)),
            require.stream()
                .filter(each -> !each.holds(facts).orElse(false))
                .map(each -> each.detail(facts, false)))
        .findFirst();
  }

  private String gap(Facts facts) {
    return when.stream()
        .filter(each -> each.holds(facts).isEmpty())
        .map(each -> each.detail(facts, false))
        .findFirst()
        .orElseThrow();
  }
}
