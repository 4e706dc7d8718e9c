package io.hpcrun.cli;

import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.JobFile;
import io.hpcrun.jobfile.Parameter;
import io.hpcrun.jobfile.Sweep;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.spec.ArrayIndices;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.template.TemplatePath;
import io.hpcrun.template.Templates;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/**
 * What the words of {@code run}, {@code submit} and {@code explain} ask for: an image and a
 * command, a script, a job file, or a template.
 */
final class Asked {
  private static final String SET = "set";
  private static final String TEMPLATE = "template";

  private final GetoptParser parser;
  private final Console console;

  /**
   * A sweep whose elements are jobs of their own.
   *
   * @param sweep the sweep
   * @param elements the elements that are wanted, in order
   * @param job the job of an element
   */
  record Jobs(Sweep sweep, List<Integer> elements, IntFunction<Requests.Requested> job) {}

  /**
   * What was asked for.
   *
   * @param first the job, or the first of several
   * @param jobs the others, if there are several
   */
  record Wanted(Requests.Requested first, Optional<Jobs> jobs) {
    private static Wanted of(Requests.Requested one) {
      return new Wanted(one, Optional.empty());
    }

    /** The only job. */
    Requests.Requested one(String command) {
      if (jobs.isPresent()) {
        throw Failure.usage(
            "hpcrun %s is for one job, and the sweep makes %d"
                .formatted(command, jobs.get().elements().size()),
            "use 'hpcrun submit', or choose one: --array=0");
      }
      return first;
    }
  }

  private Asked(GetoptParser parser, Console console) {
    this.parser = parser;
    this.console = console;
  }

  /** The options of all three. */
  static Options options() {
    return OptionTable.ofJobs()
        .addOption(Option.builder().longOpt(SET).hasArg().get())
        .addOption(Option.builder().longOpt(TEMPLATE).hasArg().get());
  }

  /**
   * The launch, or several.
   *
   * @throws Failure with exit code 2 for whatever is wrong
   */
  static Wanted of(List<String> words, GetoptParser parser, Console console) {
    return new Asked(parser, console).wanted(words);
  }

  private Wanted wanted(List<String> words) {
    GetoptParser.Parsed parsed = parser.parse(words);
    String first = parsed.rest().isEmpty() ? "" : parsed.rest().getFirst();
    if (parsed.last(TEMPLATE) != null) {
      refuseOperands(parsed, "the template " + shown(parsed.last(TEMPLATE)));
      return wanted(templates().template(utf8("--template", parsed.last(TEMPLATE))), parsed);
    }
    if (first.endsWith(".yaml") || first.endsWith(".yml")) {
      GetoptParser.Parsed around = around(words, parsed);
      return wanted(templates().jobFile(utf8("the job file", first)), around);
    }
    Optional<String> named = parsed.rest().isEmpty() ? noTime(parsed) : Optional.empty();
    if (named.isPresent()) {
      return byLetter(words, named.get());
    }
    if (parsed.last(SET) != null) {
      throw Failure.usage(
          "--set gives a parameter of a job file or template, and there is none",
          "name one, or leave --set out");
    }
    return Wanted.of(new Requests(parser, console.caller()).job(words));
  }

  private Wanted wanted(JobFile file, GetoptParser.Parsed typed) {
    Requests requests = new Requests(parser, console.caller());
    Map<String, Parameter.Value> values = file.values(set(typed));
    Optional<Sweep> sweep = file.sweep(values);
    if (sweep.isEmpty()) {
      return Wanted.of(file.job(values).requested(requests, typed));
    }
    if (!sweep.get().jobs()) {
      return Wanted.of(file.array(values, sweep.get()).requested(requests, typed));
    }
    List<Integer> elements = elements(typed, sweep.get());
    GetoptParser.Parsed without = without(typed, SlurmOption.ARRAY.option());
    IntFunction<Requests.Requested> whole =
        element -> file.element(values, sweep.get(), element).requested(requests, without);
    Requests.Requested first = whole.apply(elements.getFirst());
    IntFunction<Requests.Requested> job =
        file.commands(values, sweep.get()).map(each -> of(first, each, whole)).orElse(whole);
    return elements.size() == 1
        ? Wanted.of(first)
        : new Wanted(first, Optional.of(new Jobs(sweep.get(), elements, job)));
  }

  /** Elements that differ in their commands only, except for those without a program. */
  private static IntFunction<Requests.Requested> of(
      Requests.Requested first,
      IntFunction<List<String>> commands,
      IntFunction<Requests.Requested> whole) {
    return element -> {
      List<ByteString> command = commands.apply(element).stream().map(ByteString::of).toList();
      return command.getFirst().length() == 0
              || !command.getFirst().equals(first.spec().command().getFirst())
          ? whole.apply(element)
          : first.with(first.spec().with(command));
    };
  }

  /** The elements that {@code --array} names, which is not for sbatch here; else all. */
  private static List<Integer> elements(GetoptParser.Parsed typed, Sweep sweep) {
    String given = typed.last(SlurmOption.ARRAY.option());
    if (given == null) {
      return IntStream.range(0, sweep.size()).boxed().toList();
    }
    if (!SlurmOption.ARRAY.value().matches(given) || given.contains("%")) {
      throw Failure.usage(
          "--array (-a): '%s' does not name elements of the sweep".formatted(shown(given)),
          "write such as 0-15 or 1,3,7; how many run at once is said by 'at-once' in the file");
    }
    ArrayIndices indices = ArrayIndices.of(given);
    if (indices.last() >= sweep.size()) {
      throw Failure.usage(
          "--array names the element %d, and the sweep has %d"
              .formatted(indices.last(), sweep.size()),
          "elements are counted from 0 on: 0-" + (sweep.size() - 1));
    }
    List<Integer> elements = indices.indices().boxed().toList();
    if (elements.isEmpty()) {
      throw Failure.usage("--array=" + given + " names no element", "write such as 0-15 or 1,3,7");
    }
    return elements;
  }

  private GetoptParser.Parsed without(GetoptParser.Parsed typed, String name) {
    List<String> words = new ArrayList<>();
    for (Option option : typed.options().getOptions()) {
      if (!option.getLongOpt().equals(name)) {
        List<String> values = option.getValues() == null ? List.of() : List.of(option.getValues());
        values.forEach(value -> words.add("--" + option.getLongOpt() + "=" + value));
        if (values.isEmpty()) {
          words.add("--" + option.getLongOpt());
        }
      }
    }
    return parser.parse(words);
  }

  private Templates templates() {
    return new Templates(
        TemplatePath.of(console.environment(), console.site().templates()),
        console.workingDirectory());
  }

  private static Optional<String> noTime(GetoptParser.Parsed parsed) {
    String[] times = parsed.options().getOptionValues(SlurmOption.TIME.option());
    return Stream.of(times == null ? new String[0] : times)
        .filter(time -> !SlurmOption.TIME.value().matches(time))
        .findFirst();
  }

  /**
   * {@code -t} is sbatch's letter for the time limit; where what follows is no time, there is
   * neither image nor job file, and a template has this name, the template is meant.
   */
  private Wanted byLetter(List<String> words, String named) {
    Templates templates = templates();
    String name = utf8("-t", named);
    if (!templates.has(name)) {
      throw Failure.usage(
          "-t '%s' is neither %s nor a template"
              .formatted(shown(named), SlurmOption.TIME.value().description()),
          templates.remedy(name));
    }
    List<String> others = new ArrayList<>(words);
    for (int i = 0; i < others.size(); i++) {
      if (others.get(i).matches("-t|--time")
          && i + 1 < others.size()
          && others.get(i + 1).equals(named)) {
        others.remove(i + 1);
        others.set(i, "--template=" + named);
      } else if (others.get(i).equals("-t" + named) || others.get(i).equals("--time=" + named)) {
        others.set(i, "--template=" + named);
      }
    }
    return wanted(others);
  }

  /** The options on both sides of the file's name. */
  private GetoptParser.Parsed around(List<String> words, GetoptParser.Parsed before) {
    List<String> options = new ArrayList<>(words);
    options.remove(words.size() - before.rest().size());
    GetoptParser.Parsed all = parser.parse(options);
    refuseOperands(all, "the job file " + shown(before.rest().getFirst()));
    return all;
  }

  private static void refuseOperands(GetoptParser.Parsed parsed, String what) {
    if (!parsed.rest().isEmpty()) {
      throw Failure.usage(
          "'%s' stands beside %s".formatted(shown(parsed.rest().getFirst()), what),
          "leave it out: the file has its own image and command, and takes values by --set");
    }
  }

  private static List<String> set(GetoptParser.Parsed typed) {
    String[] given = typed.options().getOptionValues(SET);
    return given == null
        ? List.of()
        : List.of(given).stream().map(word -> utf8("--set", word)).toList();
  }

  private static String shown(String latin1) {
    return ByteString.ofLatin1(latin1).toString();
  }

  /** A word of the command line as text. */
  static String utf8(String what, String latin1) {
    ByteString word = ByteString.ofLatin1(latin1);
    if (!word.isUtf8()) {
      throw Failure.usage(
          "%s: '%s' is not valid UTF-8".formatted(what, word),
          "job files are UTF-8 text; write the launch without one: IMAGE -- COMMAND");
    }
    return word.utf8();
  }
}
