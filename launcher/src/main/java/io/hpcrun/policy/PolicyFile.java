package io.hpcrun.policy;

import io.hpcrun.failure.Failure;
import io.hpcrun.policy.Rule.Example;
import io.hpcrun.policy.Rule.Force;
import io.hpcrun.policy.Rule.Verdict;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.yaml.YamlFile;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads a policy (docs/policy.md). Every mistake is named with its place, and refuses the file: a
 * policy of which a part was left out would let jobs pass.
 */
public final class PolicyFile {
  private static final List<String> KEYS = List.of("contact", "enforce", "rules");

  private static final List<String> OF_RULES =
      List.of(
          "id", "severity", "reason", "contact", "when", "forbid", "require", "force", "examples");

  private static final List<String> OF_ENFORCEMENT =
      List.of("partitions", "reason", "interactive", "user-scripts", "srun-options", "environment");

  private static final List<String> ALLOW_OR_REFUSE = List.of("allow", "refuse");

  /** What messages call refusals that are no rule's. */
  private static final List<String> RESERVED = List.of("job-script", "error");

  private static final String REASON =
      "only jobs that hpcrun writes run here; submit with hpcrun run or hpcrun submit";

  private static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9-]{0,55}");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
  private static final int LONGEST_TEXT = 500;

  private final Map<String, Rule> rules = new LinkedHashMap<>();
  private Optional<Enforcement> enforcement = Optional.empty();
  private Optional<String> contact = Optional.empty();

  private PolicyFile() {}

  /**
   * Reads the files of a policy.
   *
   * @param contact who can be asked where a file names nobody
   * @throws Failure with exit code 2 that names file, line and column
   */
  public static Policy read(List<Path> files, Optional<String> contact) {
    PolicyFile policy = new PolicyFile();
    for (Path file : files) {
      policy.add(YamlFile.read(file), contact);
    }
    return policy.policy();
  }

  /** Reads one text of a policy. */
  static Policy read(YamlValue text) {
    PolicyFile policy = new PolicyFile();
    policy.add(text, Optional.empty());
    return policy.policy();
  }

  private Policy policy() {
    return new Policy(List.copyOf(rules.values()), enforcement);
  }

  private void add(YamlValue text, Optional<String> otherwise) {
    YamlMap map = text.map().allow(KEYS);
    contact = map.find("contact").map(PolicyFile::sentence).or(() -> otherwise);
    for (YamlValue each : map.find("rules").map(YamlValue::list).orElse(List.of())) {
      Rule rule = rule(each.map().allow(OF_RULES));
      Rule before = rules.putIfAbsent(rule.id(), rule);
      if (before != null) {
        throw rule.place()
            .wrong(
                "the id '%s' is taken by the rule at %s".formatted(rule.id(), before.place()),
                "give it another id");
      }
    }
    if (map.find("enforce").isPresent()) {
      if (enforcement.isPresent()) {
        throw map.entries()
            .get("enforce")
            .place()
            .wrong("another file of the policy says what is enforced", "say it in one of them");
      }
      enforcement = Optional.of(enforcement(map.find("enforce").get().map()));
    }
  }

  private Rule rule(YamlMap map) {
    YamlValue id = map.get("id", "a short name that messages use");
    if (!ID.matcher(id.text()).matches()) {
      throw id.mustBe("a short name of small letters, digits and dashes");
    }
    if (RESERVED.contains(id.text())) {
      throw id.place()
          .wrong("the id '" + id.text() + "' is hpcrun's own", "give the rule another one");
    }
    List<Condition> forbid = conditions(map, "forbid");
    List<Condition> require = conditions(map, "require");
    Force force = map.find("force").map(each -> force(each.map())).orElse(Force.NOTHING);
    if (forbid.isEmpty() && require.isEmpty() && force.equals(Force.NOTHING)) {
      throw map.place()
          .wrong(
              "the rule '" + id.text() + "' says nothing",
              "write what it forbids, requires or forces");
    }
    boolean refuses =
        map.find("severity")
                .map(each -> each.oneOf(List.of(Verdict.REFUSE, Verdict.WARN), Verdict::label))
                .orElse(Verdict.REFUSE)
            == Verdict.REFUSE;
    return new Rule(
        id.text(),
        map.place(),
        refuses,
        sentence(map.get("reason", "one sentence for the user")),
        contact(map),
        conditions(map, "when"),
        forbid,
        require,
        force,
        examples(map));
  }

  private String contact(YamlMap map) {
    return map.find("contact")
        .map(PolicyFile::sentence)
        .or(() -> contact)
        .orElseThrow(
            () ->
                map.place()
                    .wrong(
                        "nobody is named whom a user can ask",
                        "write 'contact: ...' at the top of the file"));
  }

  /** A text in one line. */
  private static String sentence(YamlValue value) {
    String text = value.text().strip().replaceAll("\\s+", " ");
    if (text.isEmpty() || text.length() > LONGEST_TEXT) {
      throw value
          .place()
          .wrong(
              "the text has " + text.length() + " characters, of 1 to " + LONGEST_TEXT,
              "write one sentence");
    }
    return text.endsWith(".") && !text.endsWith("..") ? text.substring(0, text.length() - 1) : text;
  }

  private static List<Condition> conditions(YamlMap map, String key) {
    List<Condition> conditions = new ArrayList<>();
    for (YamlMap.Entry entry :
        map.find(key).map(each -> each.map().entries().values()).orElse(List.of())) {
      Fact fact = FactName.fact(entry);
      conditions.add(new Condition(fact, entry.key(), MatcherText.read(fact, entry.value())));
    }
    return conditions;
  }

  private static Force force(YamlMap map) {
    map.allow(List.of("bind", "env"));
    List<BindMount> binds = new ArrayList<>();
    for (YamlValue each : map.find("bind").map(YamlValue::listOrOne).orElse(List.of())) {
      try {
        binds.addAll(BindMount.parseList(ByteString.of(each.text())));
      } catch (Failure wrong) {
        throw each.place().wrong(wrong.getMessage(), wrong.remedy());
      }
    }
    List<EnvironmentVariable> environment = new ArrayList<>();
    for (YamlMap.Entry entry :
        map.find("env").map(each -> each.map().entries().values()).orElse(List.of())) {
      variable(entry);
      environment.add(
          new EnvironmentVariable(entry.key(), ByteString.of(entry.value().textOrEmpty())));
    }
    return new Force(binds, environment);
  }

  private static String variable(YamlMap.Entry entry) {
    if (!VARIABLE.matcher(entry.key()).matches()) {
      throw entry
          .place()
          .wrong("'" + entry.key() + "' is not the name of a variable", "write NAME: value");
    }
    return entry.key();
  }

  private static List<Example> examples(YamlMap map) {
    List<Example> examples = new ArrayList<>();
    for (YamlValue each : map.find("examples").map(YamlValue::list).orElse(List.of())) {
      List<String> verdicts = List.of("pass", "refuse", "warn");
      List<YamlMap.Entry> entries = each.map().list(verdicts);
      if (entries.size() != 1) {
        throw each.place()
            .wrong(
                "an example says one thing of one launch",
                "write '- pass: {...}', '- refuse: {...}' or '- warn: {...}'");
      }
      YamlMap.Entry entry = entries.getFirst();
      Facts facts = new Facts();
      for (YamlMap.Entry fact : entry.value().map().entries().values()) {
        facts.with(fact.key(), FactName.value(FactName.fact(fact), fact.value()));
      }
      examples.add(
          new Example(
              Verdict.valueOf(entry.key().toUpperCase(java.util.Locale.ROOT)),
              facts,
              entry.place()));
    }
    return examples;
  }

  private Enforcement enforcement(YamlMap map) {
    map.allow(OF_ENFORCEMENT);
    List<Glob> partitions =
        MatcherText.globs(map.get("partitions", "the partitions for containers"));
    List<Glob> srun = new ArrayList<>(Enforcement.SRUN);
    map.find("srun-options").ifPresent(each -> srun.addAll(MatcherText.globs(each)));
    Map<String, List<Glob>> environment = new LinkedHashMap<>();
    Enforcement.REFUSED_VARIABLES.forEach(name -> environment.put(name, List.of()));
    environment.put("SLURM_CONF", Enforcement.SLURM_CONF);
    for (YamlMap.Entry entry :
        map.find("environment").map(each -> each.map().entries().values()).orElse(List.of())) {
      boolean none = entry.value() instanceof YamlValue.Sequence list && list.values().isEmpty();
      environment.put(variable(entry), none ? List.of() : MatcherText.globs(entry.value()));
    }
    return new Enforcement(
        partitions,
        map.find("reason").map(PolicyFile::sentence).orElse(REASON),
        contact(map),
        isAllowed(map, "interactive"),
        isAllowed(map, "user-scripts"),
        srun,
        environment);
  }

  private static boolean isAllowed(YamlMap map, String key) {
    return map.find(key)
        .map(each -> each.oneOf(ALLOW_OR_REFUSE, text -> text).equals("allow"))
        .orElse(false);
  }
}
