package io.hpcrun.cli;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.SlurmValue;
import io.hpcrun.spec.Staging;
import io.hpcrun.timing.RecordDirectory;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** The options of {@code submit} and {@code run}: their table, and from words to a checked spec. */
final class LaunchOptions {
  /** Apptainer's mounts that can be left out (apptainer exec --help). */
  private static final Set<String> MOUNTS =
      Set.of("proc", "sys", "dev", "devpts", "home", "tmp", "hostfs", "cwd", "bind-paths");

  private static final Pattern URI = Pattern.compile("([a-z][a-z0-9+.-]*)://.*");
  private static final Pattern MPI = Pattern.compile("[A-Za-z0-9_]+");
  private static final Pattern SIZE = Pattern.compile("[1-9][0-9]{0,5}[MGT]");
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  /** Options that exclude each other (sbatch(1)). */
  private static final List<List<SlurmOption>> EXCLUSIVE =
      List.of(
          List.of(SlurmOption.MEM, SlurmOption.MEM_PER_CPU, SlurmOption.MEM_PER_GPU),
          List.of(SlurmOption.REQUEUE, SlurmOption.NO_REQUEUE),
          List.of(SlurmOption.EXCLUSIVE, SlurmOption.OVERSUBSCRIBE));

  private LaunchOptions() {}

  /** Adds the options of a launch to a sub-command's own. */
  static Options add(Options options) {
    for (SlurmOption option : SlurmOption.values()) {
      Option.Builder builder =
          option.letter() == '\0'
              ? Option.builder()
              : Option.builder(String.valueOf(option.letter()));
      builder.longOpt(option.option());
      if (option.value() == SlurmValue.OPTIONAL_WORD) {
        builder.optionalArg(true).numberOfArgs(1);
      } else if (option.value() != SlurmValue.NONE) {
        builder.hasArg();
      }
      options.addOption(builder.get());
    }
    for (ContainerFlag flag : ContainerFlag.values()) {
      options.addOption(Option.builder().longOpt(flag.option()).get());
    }
    for (String name :
        List.of(
            "bind",
            "env",
            "pwd",
            "home",
            "no-mount",
            "mpi",
            "mode",
            "stage",
            "stage-dir",
            "stage-limit",
            "sbatch")) {
      options.addOption(Option.builder().longOpt(name).hasArg().get());
    }
    return options;
  }

  /**
   * The spec that options and words ask for. Words are Latin-1 views of bytes.
   *
   * @throws Failure with exit code 2 for whatever is wrong
   */
  static LaunchSpec spec(
      GetoptParser.Parsed parsed, Path workingDirectory, Map<String, String> environment) {
    List<ByteString> command = command(parsed.rest());
    Path image = image(parsed.rest(), workingDirectory);
    return new LaunchSpec(
        image,
        command,
        slurm(parsed, command),
        verbatim(parsed),
        container(parsed),
        mpi(parsed),
        choice(parsed, "mode", Mode.values(), Mode.AUTO, Mode::label),
        staging(parsed),
        RecordDirectory.of(environment).path());
  }

  private static Path image(List<String> rest, Path workingDirectory) {
    ByteString word = ByteString.ofLatin1(rest.getFirst());
    String text = word.toString();
    if (text.isEmpty()) {
      throw Failure.usage("the image's name is empty", "give the path of an image");
    }
    if (URI.matcher(text).matches()) {
      throw Failure.image(
          "the image " + text + " is not a file",
          "fetch it once, then use the file: apptainer pull image.sif " + text);
    }
    if (!word.isUtf8()) {
      throw Failure.image(
          "the name of the image " + text + " is not valid UTF-8", "rename the file");
    }
    if (CONTROL.matcher(new String(word.bytes(), java.nio.charset.StandardCharsets.UTF_8)).find()) {
      throw Failure.image(
          "the name of the image " + text + " holds control characters", "rename the file");
    }
    try {
      Path path = workingDirectory.resolve(text);
      return text.contains("..") ? path : path.normalize();
    } catch (InvalidPathException notEncodable) {
      throw Failure.image(
          "the name of the image " + text + " cannot be used: " + notEncodable.getReason(),
          "the locale C.UTF-8 is missing on this machine; install it or rename the file");
    }
  }

  private static List<ByteString> command(List<String> rest) {
    if (rest.isEmpty()) {
      throw Failure.usage(
          "there is neither an image nor a command",
          "write: hpcrun run|submit [options] IMAGE -- COMMAND [ARGUMENT...]");
    }
    List<String> words = rest.subList(1, rest.size());
    if (!words.isEmpty() && words.getFirst().equals("--")) {
      words = words.subList(1, words.size());
    }
    if (words.isEmpty() || words.getFirst().isEmpty()) {
      throw Failure.usage(
          "there is no command after the image " + ByteString.ofLatin1(rest.getFirst()),
          "write: hpcrun run|submit [options] IMAGE -- COMMAND [ARGUMENT...]");
    }
    return words.stream().map(ByteString::ofLatin1).toList();
  }

  private static List<SlurmSetting> slurm(GetoptParser.Parsed parsed, List<ByteString> command) {
    List<SlurmSetting> settings = new ArrayList<>();
    for (SlurmOption option : SlurmOption.values()) {
      if (parsed.options().hasOption(option.option())) {
        settings.add(new SlurmSetting(option, value(parsed, option)));
      } else if (option == SlurmOption.JOB_NAME) {
        settings.add(new SlurmSetting(option, jobName(command.getFirst())));
      }
    }
    for (List<SlurmOption> group : EXCLUSIVE) {
      List<String> given =
          settings.stream()
              .map(SlurmSetting::option)
              .filter(group::contains)
              .map(option -> "--" + option.option())
              .toList();
      if (given.size() > 1) {
        throw Failure.usage(String.join(" and ", given) + " exclude each other", "give only one");
      }
    }
    return settings;
  }

  private static String value(GetoptParser.Parsed parsed, SlurmOption option) {
    if (option.value() == SlurmValue.NONE) {
      return "";
    }
    ByteString word = ByteString.ofLatin1(parsed.last(option.option()));
    String name =
        "--" + option.option() + (option.letter() == '\0' ? "" : " (-" + option.letter() + ")");
    if (!word.isUtf8()) {
      throw Failure.usage(name + ": '" + word + "' is not valid UTF-8", "use other characters");
    }
    String text = new String(word.bytes(), java.nio.charset.StandardCharsets.UTF_8);
    if (!option.value().matches(text)) {
      if (option == SlurmOption.EXTRA_NODE_INFO && text.startsWith("/")) {
        throw Failure.usage(
            "-B " + word + ": -B is sbatch's --extra-node-info here", "write --bind " + word);
      }
      throw Failure.usage(
          name + ": '" + word + "' is not " + option.value().description(), remedy(option, text));
    }
    return text;
  }

  private static String remedy(SlurmOption option, String text) {
    if (option == SlurmOption.SIGNAL && text.startsWith("B:")) {
      return "leave out B: the ranks get the signal themselves";
    }
    return "give " + option.value().description();
  }

  /** The command's last path element, as far as it makes a job's name. */
  private static String jobName(ByteString command) {
    String text = command.toString();
    String name = text.substring(text.lastIndexOf('/') + 1).replaceAll("[^A-Za-z0-9._+-]", "_");
    return name.isEmpty() ? "hpcrun" : name.substring(0, Math.min(name.length(), 64));
  }

  private static List<String> verbatim(GetoptParser.Parsed parsed) {
    String[] values = parsed.options().getOptionValues("sbatch");
    List<String> verbatim = new ArrayList<>();
    for (String value : values == null ? new String[0] : values) {
      ByteString word = ByteString.ofLatin1(value);
      String text =
          word.isUtf8() ? new String(word.bytes(), java.nio.charset.StandardCharsets.UTF_8) : "";
      if (!text.startsWith("-") || text.length() < 2 || CONTROL.matcher(text).find()) {
        throw Failure.usage(
            "--sbatch=" + word + " is not an option of sbatch",
            "write it with its dashes and its value in one word: --sbatch=--licenses=matlab:1");
      }
      verbatim.add(text);
    }
    return verbatim;
  }

  private static ContainerOptions container(GetoptParser.Parsed parsed) {
    List<ContainerFlag> flags = new ArrayList<>();
    for (ContainerFlag flag : ContainerFlag.values()) {
      if (parsed.options().hasOption(flag.option())) {
        flags.add(flag);
      }
    }
    Optional<ByteString> home = absolute(parsed, "home");
    if (home.isPresent() && flags.contains(ContainerFlag.NO_HOME)) {
      throw Failure.usage("--home and --no-home exclude each other", "give only one");
    }
    return new ContainerOptions(
        values(parsed, "bind").flatMap(text -> BindMount.parseList(text).stream()).toList(),
        environment(parsed),
        absolute(parsed, "pwd"),
        home,
        noMount(parsed),
        flags);
  }

  private static java.util.stream.Stream<ByteString> values(
      GetoptParser.Parsed parsed, String name) {
    String[] values = parsed.options().getOptionValues(name);
    return java.util.stream.Stream.of(values == null ? new String[0] : values)
        .map(ByteString::ofLatin1);
  }

  private static List<EnvironmentVariable> environment(GetoptParser.Parsed parsed) {
    List<EnvironmentVariable> variables =
        values(parsed, "env").map(EnvironmentVariable::parse).toList();
    Set<String> names = new HashSet<>();
    for (EnvironmentVariable variable : variables) {
      if (!names.add(variable.name())) {
        throw Failure.usage("--env sets " + variable.name() + " twice", "give it once");
      }
    }
    return variables;
  }

  private static Optional<ByteString> absolute(GetoptParser.Parsed parsed, String name) {
    Optional<ByteString> value = Optional.ofNullable(parsed.last(name)).map(ByteString::ofLatin1);
    value
        .filter(path -> !path.latin1().startsWith("/"))
        .ifPresent(
            path -> {
              throw Failure.usage(
                  "--" + name + " " + path + " is not an absolute path", "write it from / on");
            });
    return value;
  }

  private static List<String> noMount(GetoptParser.Parsed parsed) {
    List<String> mounts = new ArrayList<>();
    values(parsed, "no-mount")
        .flatMap(value -> List.of(value.toString().split(",")).stream())
        .forEach(
            mount -> {
              if (!MOUNTS.contains(mount) && !mount.matches("/[^\\p{Cntrl},:]+")) {
                throw Failure.usage(
                    "--no-mount " + mount + " is not a mount of Apptainer",
                    "use " + String.join(", ", MOUNTS.stream().sorted().toList()) + " or a path");
              }
              mounts.add(mount);
            });
    return mounts;
  }

  private static Optional<String> mpi(GetoptParser.Parsed parsed) {
    String mpi = parsed.last("mpi");
    if (mpi == null || mpi.equals("auto")) {
      return Optional.empty();
    }
    if (!MPI.matcher(mpi).matches()) {
      throw Failure.usage(
          "--mpi " + ByteString.ofLatin1(mpi) + " is not the name of a plug-in",
          "use auto, none or a name that 'srun --mpi=list' shows");
    }
    return Optional.of(mpi);
  }

  private static <T> T choice(
      GetoptParser.Parsed parsed,
      String option,
      T[] values,
      T otherwise,
      java.util.function.Function<T, String> label) {
    String word = parsed.last(option);
    for (T value : values) {
      if (label.apply(value).equals(word)) {
        return value;
      }
    }
    if (word != null) {
      throw Failure.usage(
          "--" + option + "=" + ByteString.ofLatin1(word) + " is not a value of --" + option,
          "use one of: " + String.join(", ", List.of(values).stream().map(label).toList()));
    }
    return otherwise;
  }

  private static Staging staging(GetoptParser.Parsed parsed) {
    String limit = parsed.last("stage-limit");
    if (limit != null && !SIZE.matcher(limit).matches()) {
      throw Failure.usage(
          "--stage-limit=" + ByteString.ofLatin1(limit) + " is not a size",
          "write a number with a unit: 500M, 20G or 1T");
    }
    return new Staging(
        choice(parsed, "stage", Staging.From.values(), Staging.From.AUTO, Staging.From::label),
        absolute(parsed, "stage-dir"),
        limit == null ? Staging.DEFAULT_LIMIT : bytes(limit));
  }

  private static long bytes(String size) {
    long number = Long.parseLong(size.substring(0, size.length() - 1));
    return number
        << switch (size.charAt(size.length() - 1)) {
          case 'M' -> 20;
          case 'G' -> 30;
          default -> 40;
        };
  }
}
