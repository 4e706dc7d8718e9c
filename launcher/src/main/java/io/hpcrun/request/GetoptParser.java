package io.hpcrun.request;

import io.hpcrun.failure.Failure;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.AmbiguousOptionException;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

/**
 * Reads options as sbatch does (getopt_long(3)): {@code -N2}, {@code -N 2}, {@code --nodes=2},
 * {@code --nodes 2}, unambiguous beginnings of long names, and nothing after the first word that is
 * no option. Commons CLI does the reading; two of its habits differ and are evened out word by
 * word: it takes {@code -Jrun=1} for a long name, and gives an option with an optional value the
 * next word.
 */
public final class GetoptParser {
  /**
   * The options and the words after them.
   *
   * @param options what was given
   * @param rest the first word that is no option and all after it
   */
  public record Parsed(CommandLine options, List<String> rest) {
    /** The option's last value, or null. */
    public String last(String name) {
      String[] values = options.getOptionValues(name);
      return values == null ? null : values[values.length - 1];
    }
  }

  /** The words that are no options, and the options on both sides of the first of them. */
  public record Around(List<String> operands, CommandLine before, CommandLine after) {
    /** Whether it is on either side. */
    public boolean has(String option) {
      return before.hasOption(option) || after.hasOption(option);
    }
  }

  private final Options options;
  private final String command;

  /**
   * @param options what is known
   * @param command the sub-command, for messages
   */
  public GetoptParser(Options options, String command) {
    this.options = options;
    this.command = command;
  }

  /**
   * Reads the words.
   *
   * @throws Failure with exit code 2 naming the option that is wrong
   */
  public Parsed parse(List<String> words) {
    String[] evened = words.stream().map(this::even).toArray(String[]::new);
    try {
      CommandLine parsed =
          DefaultParser.builder()
              .setStripLeadingAndTrailingQuotes(false)
              .get()
              .parse(options, evened, true);
      List<String> rest = parsed.getArgList();
      // Words after the options are the user's own, not the evened ones.
      List<String> own = words.subList(words.size() - rest.size(), words.size());
      if (!own.isEmpty() && own.getFirst().startsWith("-")) {
        throw unknown(own.getFirst());
      }
      return new Parsed(parsed, List.copyOf(own));
    } catch (AmbiguousOptionException ambiguous) {
      throw Failure.usage(
          "option " + ambiguous.getOption() + " could be " + names(ambiguous), "write it in full");
    } catch (MissingArgumentException missing) {
      throw Failure.usage(
          "option " + shown(missing.getOption()) + " has no value",
          "give it one: " + shown(missing.getOption()) + "=VALUE");
    } catch (ParseException other) {
      throw Failure.usage(other.getMessage(), "'hpcrun help " + command + "' lists the options");
    }
  }

  /**
   * Reads the words of a command with one operand, whose options may stand on both sides of it.
   *
   * @throws Failure with exit code 2 naming the option that is wrong
   */
  public Around parseAround(List<String> words) {
    Parsed before = parse(words);
    int own = Math.min(1, before.rest().size());
    Parsed after = parse(before.rest().subList(own, before.rest().size()));
    List<String> operands = new ArrayList<>(before.rest().subList(0, own));
    operands.addAll(after.rest());
    return new Around(operands, before.options(), after.options());
  }

  private Failure unknown(String word) {
    String name = word.split("=")[0];
    if (name.startsWith("--") && options.hasLongOption(name)) {
      return Failure.usage("option " + name + " takes no value", "write " + name + " alone");
    }
    return Failure.usage(
        "hpcrun " + command + " does not know the option " + name,
        "'hpcrun help "
            + command
            + "' lists the options"
            + (options.hasLongOption("sbatch")
                ? "; --sbatch=OPTION passes any other to sbatch; the application's own options come"
                    + " after the image"
                : ""));
  }

  private static String names(AmbiguousOptionException ambiguous) {
    return String.join(
        " or ", ambiguous.getMatchingOptions().stream().map(name -> "--" + name).toList());
  }

  private static String shown(Option option) {
    return option.getLongOpt() == null ? "-" + option.getOpt() : "--" + option.getLongOpt();
  }

  private String even(String word) {
    if (word.length() > 2 && word.charAt(0) == '-' && word.charAt(1) != '-') {
      Option option = options.getOption(word.substring(1, 2));
      if (option != null && option.hasArg()) {
        return "--" + option.getLongOpt() + "=" + word.substring(2);
      }
    }
    if (word.startsWith("--") && options.hasLongOption(word)) {
      Option option = options.getOption(word);
      if (option.hasOptionalArg()) {
        return word + "=";
      }
    }
    return word;
  }
}
