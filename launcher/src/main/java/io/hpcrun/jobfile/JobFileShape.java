package io.hpcrun.jobfile;

import static io.hpcrun.yaml.Shape.count;
import static io.hpcrun.yaml.Shape.key;
import static io.hpcrun.yaml.Shape.keys;
import static io.hpcrun.yaml.Shape.listOf;
import static io.hpcrun.yaml.Shape.prose;
import static io.hpcrun.yaml.Shape.required;
import static io.hpcrun.yaml.Shape.text;
import static io.hpcrun.yaml.Shape.truth;
import static io.hpcrun.yaml.Shape.word;

import io.hpcrun.request.OptionBlock;
import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.YamlMap;
import io.hpcrun.yaml.YamlValue;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Every key of job files and templates, once: reading, reference page and JSON Schema. */
public final class JobFileShape {
  /** Names of parameters and launches. */
  static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_-]{0,63}");

  private static final Shape ANY_TEXT =
      new Shape.Checked("text", "string|number|boolean", "", YamlValue::textOrEmpty);

  private static final Shape TEXTS =
      new Shape.Checked(
          "one or a list",
          "string|number|boolean|array",
          "",
          value -> value.listOrOne().forEach(YamlValue::textOrEmpty));

  private static final Shape NUMBER =
      new Shape.Checked("number", "number|string", "", YamlValue::text);

  private static final Shape.Keys RANGE =
      keys(
          required("from", NUMBER, "the first value"),
          required("to", NUMBER, "the last value"),
          key("step", NUMBER, "the distance", "1"));

  /** A command: its words, as the application gets them. */
  static final Shape COMMAND =
      new Shape.Checked(
          "list of words, or one word", "array|string|number", "", JobFileShape::words);

  /** What a parameter is declared with. */
  static final Shape.Keys PARAMETER =
      keys(
          key(
              "type",
              word(
                  Stream.of(ParameterType.values())
                      .map(ParameterType::label)
                      .toArray(String[]::new)),
              "what its value is like",
              "text"),
          key("help", prose(), "what it is, for people"),
          key("default", TEXTS, "its value where nobody gives one; without it, one must be given"),
          key("example", TEXTS, "a right value, for people and for `hpcrun template check`"),
          key("choices", listOf(ANY_TEXT), "the only right values"),
          key(
              "min",
              ANY_TEXT,
              "the least value; of texts, the least number of characters, of lists, of texts"),
          key("max", ANY_TEXT, "the greatest value"));

  /** A partition of a cluster that is made up, all of whose nodes are alike. */
  private static final Shape.Keys PARTITION =
      keys(
          required("partition", text(), "its name; of the first, Slurm's default"),
          required("nodes", count(1, 1_000_000), "how many nodes it has"),
          required("cores", count(1, 1_000_000), "cores of each"),
          key("memory", text(), "memory of each, such as `512G`"),
          key("gpus", text(), "GPUs of each: a number, or a type and a number, such as `a100:4`"),
          key("max-nodes", count(1, 1_000_000), "how many nodes a job may have", "all"),
          key("max-time", text(), "how long a job may run", "as long as it wants"));

  /** A test of the file: what it makes of values, without a cluster. */
  public static final Shape.Keys TEST =
      keys(
          key("name", text(), "what it shows"),
          key("set", new Shape.Named("a parameter", NAME, TEXTS), "values for parameters"),
          key(
              "cluster",
              listOf(PARTITION),
              "partitions on which `resources` are packed; without it they are not"),
          key(
              "expect",
              keys(
                  key("image", text(), "the image"),
                  key("command", COMMAND, "the whole command"),
                  key(
                      "options",
                      keys(OptionBlock.keys()),
                      "options with their values; of those that add up (`env`, `bind`), some;"
                          + " `false` for one that must not be there")),
              "what must come out; what is not named here may be anything"),
          key("refuse", text(), "a part of the message with which the values are refused"));

  /** What is said of the file itself, not of the launch: no blanks are in it. */
  static final List<Shape.Key> OF_FILE =
      List.of(
          key("description", prose(), "what it is for, in a sentence"),
          key(
              "extends",
              text(),
              "a template's name, or the path of a file: what it says counts, too"),
          key(
              "set",
              new Shape.Named("a parameter", NAME, TEXTS),
              "values for parameters; those of the command line (`--set`) win"),
          key(
              "parameters",
              new Shape.Named("a parameter", NAME, PARAMETER),
              "what may be given by `--set=NAME=VALUE`, and stands for `${NAME}` in values"),
          key("tests", listOf(TEST), "what `hpcrun template test` tries"));

  /** One of several launches. */
  static final Shape.Keys LAUNCH =
      keys(
          OptionBlock.keys(Launch::isOption),
          required(
              "name",
              text(NAME.pattern(), "a name of letters, digits, _ and -"),
              "what it is called"),
          required("command", COMMAND, "its command"));

  private static final Shape SWEPT =
      new Shape.Checked(
          "one or a list, or {from: N, to: N, step: N}",
          "string|number|boolean|array|object",
          "",
          value -> {
            if (value instanceof YamlMap range) {
              RANGE.check(range);
            } else {
              TEXTS.check(value);
            }
          });

  /** A sweep over values of parameters. */
  static final Shape.Keys SWEEP =
      keys(
          required(
              "parameters",
              new Shape.Named("a parameter", NAME, SWEPT),
              "the values of each; they stand for `${NAME}`, whether it is declared or not"),
          key(
              "zip",
              truth(),
              "whether the first values go together, the second, and so on",
              "false: each with each, the last parameter's changing first"),
          key(
              "as",
              word("array", "jobs"),
              "elements of one job array, or a job each, which may differ in all options",
              "array"),
          key("at-once", count(1, Sweep.MOST), "how many may run at once", "all"),
          key(
              "rate",
              count(1, 1_000),
              "with `as: jobs`, how many are submitted in a second, at most",
              "as many as sbatch takes"));

  /** What is said of the launch. */
  static final List<Shape.Key> OF_LAUNCH =
      List.of(
          key(
              "image",
              text(),
              "a SIF file, a sandbox, or docker://, oras://, library://, https://; the command line's"
                  + " `--image` wins"),
          key("command", COMMAND, "the program and its arguments, each a text of its own"),
          key(
              "launches",
              listOf(LAUNCH),
              "several launches in the job, in the place of `command`: options of a step, and `env`"),
          key(
              "together",
              truth(),
              "whether the launches run at once",
              "false: one after the other, until one fails"),
          key("sweep", SWEEP, "the same launch with other values of parameters"));

  /** The whole file. */
  public static final Shape.Keys FILE = keys(all());

  private JobFileShape() {}

  private static List<Shape.Key> all() {
    List<Shape.Key> all = new ArrayList<>(OF_FILE);
    all.addAll(OF_LAUNCH);
    all.addAll(OptionBlock.keys());
    return all;
  }

  /** The words of a command. */
  static List<String> words(YamlValue command) {
    List<YamlValue> values = command.listOrOne();
    if (values.isEmpty()) {
      throw command
          .place()
          .wrong("the command has no words", "write the program and its arguments");
    }
    String program = values.getFirst().text();
    if (command instanceof YamlValue.Scalar && program.matches("(?s).*\\s.*")) {
      throw command
          .place()
          .wrong(
              "the command is one text with blanks in it, and nothing splits it",
              "write a list of its words: [%s]"
                  .formatted(String.join(", ", Parameter.shown(program).strip().split("\\s+"))));
    }
    return values.stream().map(YamlValue::textOrEmpty).toList();
  }
}
