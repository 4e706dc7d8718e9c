package io.hpcrun.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.yaml.YamlFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyFileTest {
  private static final String HEAD =
      "contact: help@site\nrules:\n  - id: one\n    reason: Because.\n";

  @TempDir Path directory;

  private static Policy parse(String text) {
    return PolicyFile.read(YamlFile.parse("policy.yaml", text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void aRuleHasWhatItsLinesSay() {
    Policy policy =
        parse(
            """
            contact: help@site
            rules:
              - id: gpu-limits
                severity: warn
                reason: |
                  Two lines
                  of text.
                contact: gpu@site
                when: {partition: [gpu, 'gpu-*'], home: true}
                forbid: {image-label.a.b: {given: true}, bind: /etc*}
                require: {nodes: {at-least: 2, at-most: 4}, time: {at-most: 1-12:00:00}, gpus: 8, memory: {at-least: 1.5G}}
                force: {bind: ['/a:/b:ro', /c], env: {X: '', Y: a b}}
                examples:
                  - pass: {nodes: 2}
                  - warn: {nodes: 5, image-mpi: [Open MPI 5.0.7, MPICH]}
            """);
    Rule rule = policy.rules().getFirst();
    assertThat(rule.id()).isEqualTo("gpu-limits");
    assertThat(rule.refuses()).isFalse();
    assertThat(rule.reason()).isEqualTo("Two lines of text");
    assertThat(rule.contact()).isEqualTo("gpu@site");
    assertThat(said(rule.when(), false))
        .containsExactly("partition must be one of gpu, gpu-*", "home must be yes");
    assertThat(said(rule.forbid(), true))
        .containsExactly("image-label.a.b must not be given", "bind must not be /etc*");
    assertThat(said(rule.require(), false))
        .containsExactly(
            "nodes must be at least 2 and at most 4",
            "time must be at most 1-12:00:00",
            "gpus must be 8",
            "memory must be at least 1536M");
    assertThat(rule.force().binds()).hasSize(2);
    assertThat(rule.force().environment()).hasSize(2);
    assertThat(rule.examples()).hasSize(2);
    assertThat(policy.enforcement()).isEmpty();
  }

  private static List<String> said(List<Condition> conditions, boolean forbidden) {
    return conditions.stream().map(each -> each.name() + " " + each.demand(forbidden)).toList();
  }

  @Test
  void whatIsEnforcedHasSafeDefaults() {
    Enforcement enforcement =
        parse("contact: x\nenforce: {partitions: containers}\n").enforcement().orElseThrow();
    assertThat(enforcement.interactive()).isFalse();
    assertThat(enforcement.userScripts()).isFalse();
    assertThat(enforcement.environment()).containsKey("LD_PRELOAD").containsKey("SLURM_CONF");
    assertThat(enforcement.environment().get("LD_PRELOAD")).isEmpty();
    Enforcement other =
        parse(
                "contact: x\nenforce: {partitions: [a, b], interactive: allow, user-scripts: allow,"
                    + " srun-options: --exclusive, environment: {LD_PRELOAD: /x, PATH: [/usr/*]}}\n")
            .enforcement()
            .orElseThrow();
    assertThat(other.interactive()).isTrue();
    assertThat(other.userScripts()).isTrue();
    assertThat(other.srun()).contains(new Glob("--exclusive"), new Glob("--label"));
    assertThat(other.environment().get("LD_PRELOAD")).containsExactly(new Glob("/x"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rule: []|line 1, column 1: there is no key 'rule' here|write 'rules'",
        "[]|line 1, column 1: a list stands where a map|write a map",
        "rules: 5|line 1, column 8: '5' stands where a list|write a list",
        "rules: [5]|line 1, column 9: '5' stands where a map|write a map",
        "rules: [{}]|line 1, column 9: the key 'id' is missing here|write 'id: ...'",
        "rules: [{id: A b}]|line 1, column 14: 'A b' stands where a short name|small letters",
        "rules: [{id: job-script}]|line 1, column 14: the id 'job-script' is hpcrun's own|another",
        "rules: [{id: a, reason: b}]|line 1, column 9: the rule 'a' says nothing|forbids, requires",
        "rules: [{id: a, forbid: {home: true}}]|line 1, column 9: the key 'reason' is missing|one"
            + " sentence",
        "rules: [{id: a, reason: b, forbid: {home: true}}]|line 1, column 9: nobody is named|write"
            + " 'contact: ...'",
        "contact: ''|line 1, column 10: the text is empty|write one",
        "rules: [{id: a, servity: warn}]|line 1, column 17: there is no key 'servity'|'severity'",
      })
  void malformedFilesAreRefusedWithPlaceAndRemedy(String text, String found, String remedy) {
    refuses(text, found, remedy);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "severity: refused|5, column 15: there is no value 'refused' here|write 'refuse'",
        "forbid: {imag: /x}|5, column 14: there is no fact 'imag'|write 'image'",
        "forbid: {zzzzzzzzzz: /x}|5, column 14: there is no fact 'zzzzzzzzzz'|use one of: account,",
        "forbid: {image-label: x}|5, column 14: which label is not said|image-label.NAME",
        "forbid: {image: []}|5, column 21: the list is empty|at least one",
        "forbid: {image: {anyy: x}}|5, column 22: there is no key 'anyy' here|write 'any'",
        "forbid: {image: {any: x, only: y}}|5, column 21: this says two things at once|two rules",
        "forbid: {image: {}}|5, column 21: this says nothing of the fact|any, only, none",
        "forbid: {image: *sif}|5, column 21: anchors (&) and aliases (*) are not read|in quotes",
        "forbid: {image: {given: yes}}|5, column 29: 'yes' stands where true or false|true or"
            + " false",
        "forbid: {home: maybe}|5, column 20: 'maybe' stands where true or false|true or false",
        "forbid: {nodes: many}|5, column 21: 'many' stands where a whole number|whole number",
        "forbid: {nodes: -1}|5, column 21: '-1' stands where a whole number|whole number",
        "forbid: {nodes: {at-most: 1, atleast: 2}}|5, column 34: there is no key 'atleast'|'at-least'",
        "forbid: {nodes: {}}|5, column 21: this says nothing of the fact|at-least, at-most",
        "forbid: {nodes: {at-least: 3, at-most: 2}}|5, column 21: no number is at least and at"
            + " most|exchange",
        "forbid: {time: {at-most: 60}}|5, column 30: '60' stands where a time with its unit|30s,",
        "forbid: {memory: {at-most: 60}}|5, column 32: '60' stands where a size with its unit|20G",
        "forbid: {memory: 60X}|5, column 22: '60X' stands where a size with its unit|20G",
        "force: {bind: relative}|5, column 19: --bind relative: 'relative' is not an absolute"
            + " path|from / on",
        "force: {env: {A B: x}}|5, column 19: 'A B' is not the name of a variable|NAME: value",
        "force: {env: [A=b]}|5, column 18: a list stands where a map|write a map",
        "force: {module: x}|5, column 13: there is no key 'module' here|use one of: bind, env",
        "examples: [{good: {}}]|5, column 17: there is no key 'good' here|use one of: pass, refuse",
        "examples: [{}]|5, column 16: an example says one thing|- pass: {...}",
        "examples: [{pass: {home: x}}]|5, column 30: 'x' stands where true or false|true or false",
        "examples: [{pass: {user: [a, b]}}]|5, column 30: a list stands where one text|one text",
        "when: [a]|5, column 11: a list stands where a map|write a map",
      })
  void malformedRulesAreRefusedWithPlaceAndRemedy(String line, String found, String remedy) {
    refuses(
        HEAD + "    " + line + (line.startsWith("forbid") ? "" : "\n    forbid: {user: x}") + "\n",
        "line " + found,
        remedy);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|line 2, column 10: the key 'partitions' is missing here|the partitions for containers",
        "{partitions: []}|line 2, column 23: the list is empty|at least one",
        "{partitions: a, interactive: maybe}|line 2, column 39: there is no value 'maybe'|allow",
        "{partitions: a, environment: {A=B: x}}|line 2, column 40: 'A=B' is not the name|NAME",
        "{partitions: a, contact: x}|line 2, column 26: there is no key 'contact' here|use one of",
        "[a]|line 2, column 10: a list stands where a map|write a map",
      })
  void malformedEnforcementIsRefusedWithPlaceAndRemedy(String text, String found, String remedy) {
    refuses("contact: x\nenforce: " + text + "\n", found, remedy);
  }

  private static void refuses(String text, String found, String remedy) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOfSatisfying(
            Failure.class,
            failure -> {
              assertThat(failure.exitCode()).isEqualTo(ExitCode.USAGE);
              assertThat(failure.getMessage()).startsWith("policy.yaml, ").contains(found);
              assertThat(failure.remedy()).contains(remedy);
            });
  }

  @Test
  void idsAreOneOfAKindInAllFiles() throws Exception {
    String rule = "{id: a, reason: r, forbid: {user: x}}";
    refuses(
        "contact: x\nrules:\n  - " + rule + "\n  - " + rule + "\n",
        "line 4, column 5: the id 'a' is taken by the rule at policy.yaml, line 3, column 5",
        "give it another id");
    Path one = Files.writeString(directory.resolve("1.yaml"), "rules: [" + rule + "]\n");
    Path two =
        Files.writeString(
            directory.resolve("2.yaml"), "enforce: {partitions: a}\nrules: [" + rule + "]\n");
    Path three = Files.writeString(directory.resolve("3.yaml"), "enforce: {partitions: b}\n");
    Optional<String> contact = Optional.of("site@example.org");
    assertThatThrownBy(() -> PolicyFile.read(List.of(one, two), contact))
        .hasMessageContaining("2.yaml, line 2, column 9: the id 'a' is taken by the rule at ");
    assertThat(PolicyFile.read(List.of(one, three), contact).rules().getFirst().contact())
        .isEqualTo("site@example.org");
    assertThatThrownBy(() -> PolicyFile.read(List.of(three, three), contact))
        .hasMessageContaining("3.yaml, line 1, column 1: another file of the policy says");
  }

  @Test
  void longTextsAreRefused() {
    refuses(
        HEAD + "    forbid: {image: " + "x".repeat(257) + "}\n",
        "line 5, column 21: the text has 257 characters, of at most 256",
        "shorter");
    refuses(
        HEAD + "    forbid: {image: [" + "x,".repeat(257) + "]}\n",
        "line 5, column 21: the list has 257 texts, of at most 256",
        "fewer");
    refuses(
        "contact: " + "x".repeat(501) + "\n",
        "line 1, column 10: the text has 501 characters",
        "one sentence");
  }

  /** The example for administrators is right, and says what its examples say. */
  @Test
  void theSamplePolicyIsGood() {
    Policy policy =
        PolicyFile.read(List.of(Path.of("../examples/site/policy.yaml")), Optional.empty());
    assertThat(policy.rules()).hasSizeGreaterThan(8);
    assertThat(policy.enforcement()).isPresent();
    assertThat(ExampleCheck.of(policy))
        .allSatisfy(each -> assertThat(each.wrong()).isEmpty())
        .allSatisfy(each -> assertThat(each.missing()).isEmpty());
  }

  @Test
  void examplesThatAreWrongOrMissingAreNamed() {
    Policy policy =
        parse(
            HEAD
                + "    forbid: {user: bob}\n"
                + "    examples:\n"
                + "      - pass: {user: bob}\n"
                + "      - pass: {nodes: 1}\n");
    ExampleCheck check = ExampleCheck.of(policy).getFirst();
    assertThat(check.missing())
        .containsExactly("policy.yaml, line 3, column 5: the rule has no example 'refuse'");
    assertThat(check.wrong())
        .containsExactly(
            "policy.yaml, line 7, column 9: the rule should say 'pass' of this launch, and says"
                + " 'refuse': user is bob, and must not be bob",
            "policy.yaml, line 8, column 9: the rule should say 'pass' of this launch, and says"
                + " 'refuse': user is not known");
  }

  @Property(tries = 2000)
  void globsAreWhatTheirRegularExpressionIs(
      @ForAll("globs") String glob, @ForAll("texts") String text) {
    String expression = ("\\Q" + glob + "\\E").replace("*", "\\E.*\\Q");
    Assertions.assertThat(new Glob(glob).matches(text)).isEqualTo(text.matches(expression));
  }

  @net.jqwik.api.Provide
  net.jqwik.api.Arbitrary<String> globs() {
    return net.jqwik.api.Arbitraries.strings().withChars("ab/*").ofMaxLength(7);
  }

  @net.jqwik.api.Provide
  net.jqwik.api.Arbitrary<String> texts() {
    return net.jqwik.api.Arbitraries.strings().withChars("ab/").ofMaxLength(9);
  }

  /** The table of docs/policy.md is that of the program. */
  @Test
  void theDocumentationNamesAllFacts() throws Exception {
    StringBuilder table = new StringBuilder();
    for (Fact fact : Fact.values()) {
      table.append(
          "| `%s` | %s | %s | %s |\n"
              .formatted(
                  fact == Fact.IMAGE_LABEL ? "image-label.NAME" : fact.label(),
                  switch (fact.type()) {
                    case TEXT -> "text";
                    case TEXTS -> "texts";
                    case COUNT -> "number";
                    case SECONDS -> "time";
                    case BYTES -> "size";
                    case TRUTH -> "true or false";
                  },
                  fact.of() == Fact.Of.REQUEST ? "hpcrun" : "hpcrun, slurmctld",
                  fact.meaning()));
    }
    assertThat(Files.readString(Path.of("../docs/policy.md"))).contains(table);
  }
}
