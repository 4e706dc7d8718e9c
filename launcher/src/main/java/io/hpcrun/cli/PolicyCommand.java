package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.plan.Planner;
import io.hpcrun.planning.AgentText;
import io.hpcrun.policy.Condition;
import io.hpcrun.policy.Enforcement;
import io.hpcrun.policy.ExampleCheck;
import io.hpcrun.policy.Glob;
import io.hpcrun.policy.Policy;
import io.hpcrun.policy.PolicyFile;
import io.hpcrun.policy.Rule;
import io.hpcrun.policy.SlurmScripts;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.script.AgentSource;
import io.hpcrun.script.Version;
import io.hpcrun.site.SiteFiles;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.ByteString;
import io.hpcrun.yaml.TrustedFile;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.cli.Options;

/** {@code hpcrun policy}: the site's rules, their examples, and what slurmctld is to read. */
final class PolicyCommand {
  private static final List<String> VERBS = List.of("show", "check", "test", "export");

  private final Console console;
  private final PrintStream out;

  private PolicyCommand(Console console) {
    this.console = console;
    this.out = console.out();
  }

  static int run(List<String> words, Console console) {
    List<String> rest =
        new GetoptParser(new Options(), "policy")
            .parse(words).rest().stream()
                .map(word -> ByteString.ofLatin1(word).toString())
                .toList();
    String verb = rest.isEmpty() ? "show" : rest.getFirst();
    if (!VERBS.contains(verb)) {
      throw Failure.usage(
          "hpcrun policy has no verb '" + InspectCommand.printable(verb) + "'",
          "use one of: " + String.join(", ", VERBS));
    }
    if (rest.size() > 2) {
      throw Failure.usage(
          "hpcrun policy " + verb + " takes one word, and '" + rest.get(2) + "' is a second one",
          "see 'hpcrun help policy'");
    }
    Optional<Path> operand =
        rest.size() > 1
            ? Optional.of(console.workingDirectory().resolve(rest.get(1)))
            : Optional.empty();
    PolicyCommand command = new PolicyCommand(console);
    return switch (verb) {
      case "export" -> command.export(operand);
      case "test" -> command.test(command.policy(operand));
      case "check" -> command.check(command.policy(operand));
      default -> command.show(command.policy(operand));
    };
  }

  /** A file's rules, or the site's. */
  private Policy policy(Optional<Path> file) {
    if (file.isEmpty() && console.site().policyFiles().isEmpty()) {
      throw Failure.usage(
          "this site has no policy: " + whyNone(),
          "name a file: hpcrun policy show|check|test FILE");
    }
    return file.map(path -> PolicyFile.read(List.of(path), console.site().contact()))
        .orElseGet(console.site()::policy);
  }

  private String whyNone() {
    if (console.site().file().isPresent()) {
      return "'policy' is not set in " + console.site().file().get();
    }
    return console.environment().getOrDefault(SiteFiles.VARIABLE, "").equals("none")
        ? SiteFiles.VARIABLE + "=none is set, so no site file is read"
        : "there is no site file " + SiteFiles.DEFAULT;
  }

  private int check(Policy policy) {
    out.println(
        "good: %d rules%s"
            .formatted(
                policy.rules().size(),
                policy.enforcement().isPresent()
                    ? ", enforced in " + globs(policy.enforcement().get().partitions())
                    : ", enforced by hpcrun only"));
    return ExitCode.OK.code();
  }

  private int test(Policy policy) {
    int problems = 0;
    for (ExampleCheck check : ExampleCheck.of(policy)) {
      List<String> found = Stream.concat(check.wrong().stream(), check.missing().stream()).toList();
      problems += found.size();
      Rule rule = check.rule();
      line(
          (found.isEmpty() ? "good  " : "WRONG ")
              + rule.id()
              + (rule.judges()
                  ? ", " + rule.examples().size() + " examples"
                  : ", forces values and judges no launch"));
      found.forEach(problem -> line("  " + problem));
    }
    refuse(problems);
    return ExitCode.OK.code();
  }

  private static void refuse(int problems) {
    if (problems > 0) {
      throw Failure.usage(
          problems == 1
              ? "one example is wrong or missing"
              : problems + " examples are wrong or missing",
          "correct the rule or the example; 'hpcrun policy test' names each");
    }
  }

  private int show(Policy policy) {
    for (Rule rule : policy.rules()) {
      line("%s  (%s)".formatted(rule.id(), rule.refuses() ? "refuses" : "warns"));
      line("    " + rule.reason());
      conditions("when", rule.when());
      conditions("forbids", rule.forbid());
      conditions("requires", rule.require());
      rule.force().binds().forEach(bind -> line("    adds the bind " + bind.source()));
      rule.force()
          .environment()
          .forEach(variable -> line("    adds %s=%s".formatted(variable.name(), variable.value())));
      line("    judged by " + judges(policy, rule));
      line("    contact: " + rule.contact());
    }
    policy.enforcement().ifPresent(this::show);
    return ExitCode.OK.code();
  }

  private void show(Enforcement enforcement) {
    line("slurmctld takes jobs of hpcrun only, in " + globs(enforcement.partitions()));
    line("    jobs without a script (srun, salloc): " + allowed(enforcement.interactive()));
    line("    users' own scripts: " + allowed(enforcement.userScripts()));
    List<String> refused = new ArrayList<>();
    enforcement
        .environment()
        .forEach(
            (name, globs) -> {
              if (globs.isEmpty()) {
                refused.add(name);
              } else {
                line("    variable %s: %s".formatted(name, globs(globs)));
              }
            });
    line("    variables that may not be set: " + String.join(", ", refused));
    line("    contact: " + enforcement.contact());
  }

  private void conditions(String word, List<Condition> conditions) {
    conditions.forEach(
        each ->
            line("    %s %s: %s".formatted(word, each.name(), each.matcher().text(each.fact()))));
  }

  private static String judges(Policy policy, Rule rule) {
    if (rule.isKnownToSlurm()) {
      return policy.enforcement().isPresent() ? "hpcrun, hpcrund and slurmctld" : "hpcrun, hpcrund";
    }
    return "hpcrun and hpcrund; slurmctld does not know "
        + String.join(", ", rule.unknownToSlurm());
  }

  private static String allowed(boolean allowed) {
    return allowed ? "allowed" : "refused";
  }

  private static String globs(List<Glob> globs) {
    return globs.stream().map(Glob::text).collect(Collectors.joining(", "));
  }

  private void line(String text) {
    out.println(InspectCommand.printable(text));
  }

  private int export(Optional<Path> directory) {
    if (directory.isEmpty()) {
      throw Failure.usage(
          "hpcrun policy export does not say where to",
          "write: hpcrun policy export DIR, such as /etc/slurm");
    }
    if (!Files.isDirectory(directory.get())) {
      throw Failure.usage(
          "there is no directory " + InspectCommand.printable(directory.get().toString()),
          "make it, or name another one");
    }
    Policy policy = policy(Optional.empty());
    refuse(ExampleCheck.of(policy).stream().mapToInt(check -> check.wrong().size()).sum());
    SlurmScripts.Installation installation = installation();
    write(directory.get().resolve("job_submit.lua"), SlurmScripts.jobSubmit(policy, installation));
    write(directory.get().resolve("cli_filter.lua"), SlurmScripts.cliFilter(policy, installation));
    policy.rules().stream()
        .filter(rule -> !rule.isKnownToSlurm())
        .forEach(
            rule -> line("note: %s is judged by %s".formatted(rule.id(), judges(policy, rule))));
    return ExitCode.OK.code();
  }

  private static SlurmScripts.Installation installation() {
    ClusterFacts cluster =
        ClusterFacts.of(
            new SlurmClient().config(),
            Optional.empty(),
            ClusterFacts.goArchitecture(System.getProperty("os.arch")));
    return new SlurmScripts.Installation(
        Version.VERSION,
        AgentText.all().stream().map(AgentSource::latin1).toList(),
        EnterProgram.digest().map(Set::of).orElse(Set.of()),
        Planner.pmixDirectories(cluster));
  }

  /** It is there as a whole, and Slurm sees by its time that it is new. */
  private void write(Path file, byte[] content) {
    Path unfinished = file.resolveSibling("." + file.getFileName() + ".new");
    try {
      Files.write(unfinished, content);
      Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rw-r--r--"));
      Files.move(
          unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      line("wrote " + file);
    } catch (IOException failed) {
      throw Failure.usage(
          file + " cannot be written: " + TrustedFile.cause(failed),
          "name a directory that you may write to");
    }
  }
}
