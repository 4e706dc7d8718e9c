package io.hpcrun.policy;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes what Slurm's plug-ins job_submit/lua and cli_filter/lua read: the policy as a table of
 * data, then hpcrun's own Lua. Each is one file, so that it changes at once, and Slurm, which looks
 * at a file's time, sees it.
 */
public final class SlurmScripts {
  private static final String INDENT = "  ";

  private final Policy policy;
  private final Enforcement enforcement;
  private final Installation installation;
  private final StringBuilder lua = new StringBuilder();

  /**
   * The hpcrun whose jobs are let through.
   *
   * @param version its version
   * @param agents the node agents that its job scripts carry, one character for each byte
   * @param programs SHA-256 of its hpcrun-enter, in hexadecimal
   * @param pmixDirectories what its job scripts name as the PMIx server's directories
   */
  public record Installation(
      String version, List<String> agents, Set<String> programs, List<String> pmixDirectories) {
    /** Copies the lists. */
    public Installation {
      agents = List.copyOf(agents);
      programs = Set.copyOf(programs);
      pmixDirectories = List.copyOf(pmixDirectories);
    }
  }

  private SlurmScripts(Policy policy, Installation installation) {
    this.policy = policy;
    this.enforcement =
        policy
            .enforcement()
            .orElseThrow(
                () ->
                    Failure.usage(
                        "the policy does not say in which partitions slurmctld is to enforce it",
                        "write 'enforce: {partitions: [...]}' into it"));
    this.installation = installation;
  }

  /** What job_submit/lua reads, for slurmctld. */
  public static byte[] jobSubmit(Policy policy, Installation installation) {
    return new SlurmScripts(policy, installation)
        .write(installation.agents(), List.of("judge", "script", "facts"), "job_submit");
  }

  /** What cli_filter/lua reads, for the machines where users submit. */
  public static byte[] cliFilter(Policy policy, Installation installation) {
    return new SlurmScripts(policy, installation)
        .write(List.of(), List.of("judge", "script", "facts"), "cli_filter");
  }

  private byte[] write(List<String> agents, List<String> modules, String main) {
    lua.append("-- Written by 'hpcrun policy export' of hpcrun ")
        .append(installation.version())
        .append(". Change the policy instead, and write it anew.\n\n");
    table(agents);
    for (String module : modules) {
      lua.append("local ").append(module).append(" = (function()\n");
      lua.append(resource(module)).append("end)()\n\n");
    }
    lua.append(resource(main));
    return lua.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  private void table(List<String> agents) {
    lua.append("local policy = {\n");
    member(1, "version", quoted(installation.version()));
    member(1, "partitions", globs(enforcement.partitions()));
    member(1, "script_reason", quoted(enforcement.reason()));
    member(1, "contact", quoted(enforcement.contact()));
    member(1, "interactive", Boolean.toString(enforcement.interactive()));
    member(1, "user_scripts", Boolean.toString(enforcement.userScripts()));
    List<Glob> srun = new ArrayList<>(List.of(new Glob("--mpi=*"), new Glob("--cpus-per-task=*")));
    srun.addAll(enforcement.srun());
    member(1, "srun", globs(srun));
    member(
        1,
        "srun_say",
        quoted(
            "allowed are "
                + enforcement.srun().stream().map(Glob::text).collect(Collectors.joining(", "))));
    member(1, "programs", set(installation.programs()));
    member(1, "spools", set(installation.pmixDirectories()));
    environment();
    rules();
    lua.append(INDENT).append("agents = {\n");
    agents.forEach(agent -> lua.append(longText(agent)).append(",\n"));
    lua.append(INDENT).append("},\n}\n\n");
  }

  private void environment() {
    lua.append(INDENT).append("environment = {\n");
    for (Map.Entry<String, List<Glob>> variable : enforcement.environment().entrySet()) {
      List<Glob> allowed = variable.getValue();
      String say =
          allowed.isEmpty()
              ? "unset it"
              : "allowed are " + allowed.stream().map(Glob::text).collect(Collectors.joining(", "));
      lua.append(INDENT.repeat(2))
          .append(
              "{ name = %s, globs = %s, say = %s },\n"
                  .formatted(quoted(variable.getKey()), globs(allowed), quoted(say)));
    }
    lua.append(INDENT).append("},\n");
  }

  private void rules() {
    lua.append(INDENT).append("rules = {\n");
    policy.rules().stream().filter(Rule::isKnownToSlurm).forEach(this::rule);
    lua.append(INDENT).append("},\n");
  }

  private void rule(Rule rule) {
    List<String> forced = forced(rule.force());
    lua.append(INDENT.repeat(2)).append("{\n");
    member(3, "id", quoted(rule.id()));
    member(3, "refuse", Boolean.toString(rule.refuses()));
    member(3, "reason", quoted(rule.reason()));
    member(3, "contact", quoted(rule.contact()));
    conditions("when", rule.when(), false, List.of());
    conditions("forbid", rule.forbid(), true, List.of());
    conditions("require", rule.require(), false, forced);
    List<String> facts = new ArrayList<>(rule.conditions().map(Condition::name).toList());
    if (!rule.force().binds().isEmpty()) {
      facts.add(Fact.BIND.label());
    }
    if (!rule.force().environment().isEmpty()) {
      facts.add(Fact.ENV.label());
    }
    member(
        3,
        "facts",
        facts.stream()
            .distinct()
            .map(SlurmScripts::quoted)
            .collect(Collectors.joining(", ", "{ ", " }")));
    boolean container =
        !forced.isEmpty()
            || rule.conditions().anyMatch(each -> each.fact().of() == Fact.Of.CONTAINER);
    member(3, "container", Boolean.toString(container));
    lua.append(INDENT.repeat(2)).append("},\n");
  }

  private void conditions(
      String name, List<Condition> conditions, boolean forbidden, List<String> more) {
    lua.append(INDENT.repeat(3)).append(name).append(" = {\n");
    for (Condition condition : conditions) {
      line(condition(condition, forbidden));
    }
    more.forEach(this::line);
    lua.append(INDENT.repeat(3)).append("},\n");
  }

  private void line(String text) {
    lua.append(INDENT.repeat(4)).append(text).append(",\n");
  }

  private static String condition(Condition condition, boolean forbidden) {
    StringBuilder text = new StringBuilder("{ fact = ").append(quoted(condition.name()));
    switch (condition.matcher()) {
      case Matcher.Words words ->
          text.append(", match = ")
              .append(quoted(words.choice().label()))
              .append(", globs = ")
              .append(globs(words.globs()));
      case Matcher.Range range -> {
        range.least().ifPresent(least -> text.append(", least = ").append(number(least)));
        range.most().ifPresent(most -> text.append(", most = ").append(number(most)));
      }
      case Matcher.Given given -> text.append(", given = ").append(given.wanted());
    }
    if (condition.fact().type() == Fact.Type.SECONDS) {
      text.append(", unit = 'seconds'");
    } else if (condition.fact().type() == Fact.Type.BYTES) {
      text.append(", unit = 'bytes'");
    }
    return text.append(", say = ")
        .append(quoted(condition.demand(forbidden)))
        .append(" }")
        .toString();
  }

  private static String number(long value) {
    return value == Value.UNLIMITED ? "math.huge" : Long.toString(value);
  }

  /** What hpcrun has added to a script must be in it. */
  private static List<String> forced(Rule.Force force) {
    List<String> conditions = new ArrayList<>();
    if (!force.binds().isEmpty()) {
      conditions.add(
          added(
              Fact.BIND, force.binds().stream().map(BindMount::source).map(ByteString::toString)));
    }
    if (!force.environment().isEmpty()) {
      conditions.add(added(Fact.ENV, force.environment().stream().map(EnvironmentVariable::name)));
    }
    return conditions;
  }

  private static String added(Fact fact, Stream<String> values) {
    List<String> texts = values.toList();
    return "{ fact = %s, match = 'all', globs = %s, say = %s }"
        .formatted(
            quoted(fact.label()),
            texts.stream()
                .map(text -> "{ " + quoted(text) + " }")
                .collect(Collectors.joining(", ", "{ ", " }")),
            quoted("must be all of " + String.join(", ", texts) + ", which hpcrun adds"));
  }

  private void member(int depth, String name, String value) {
    lua.append(INDENT.repeat(depth)).append(name).append(" = ").append(value).append(",\n");
  }

  private static String globs(List<Glob> globs) {
    return globs.stream()
        .map(
            glob ->
                glob.pieces().stream()
                    .map(SlurmScripts::quoted)
                    .collect(Collectors.joining(", ", "{ ", " }")))
        .collect(Collectors.joining(", ", "{ ", " }"));
  }

  private static String set(Collection<String> names) {
    return names.stream()
        .sorted()
        .map(name -> "[" + quoted(name) + "] = true")
        .collect(Collectors.joining(", ", "{ ", " }"));
  }

  /** A text in quotes, one character for each byte. */
  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : ByteString.of(text).latin1().toCharArray()) {
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || c == 0x7f) {
        quoted.append("\\%03d".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  /**
   * A text of lines as it is. Lua leaves out the first line's end, and changes carriage returns.
   */
  private static String longText(String text) {
    if (text.indexOf('\r') >= 0) {
      throw new IllegalArgumentException("the text holds carriage returns");
    }
    String level = "=";
    while (text.contains("]" + level + "]")) {
      level += "=";
    }
    return "[" + level + "[\n" + text + "]" + level + "]";
  }

  private static String resource(String name) {
    String path = "/io/hpcrun/policy/" + name + ".lua";
    try (InputStream in = SlurmScripts.class.getResourceAsStream(path)) {
      if (in == null) {
        throw Failure.internal(path + " is missing", "install hpcrun again", null);
      }
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (IOException broken) {
      throw Failure.internal(path + " cannot be read", "install hpcrun again", broken);
    }
  }
}
