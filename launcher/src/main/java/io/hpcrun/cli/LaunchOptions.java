package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.FabricChoice;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.LaunchSpec.Kind;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.SlurmSetting;
import io.hpcrun.spec.SlurmValue;
import io.hpcrun.spec.Staging;
import io.hpcrun.spec.UserScript;
import io.hpcrun.timing.RecordDirectory;
import io.hpcrun.timing.RecordSpool;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** The options of {@code submit} and {@code run}: their table, and from words to a checked spec. */
final class LaunchOptions {
  /** Apptainer's mounts that can be left out (apptainer exec --help). */
  private static final Set<String> MOUNTS =
      Set.of("proc", "sys", "dev", "devpts", "home", "tmp", "hostfs", "cwd", "bind-paths");

  private static final Pattern MPI = Pattern.compile("[A-Za-z0-9_]+");
  private static final Pattern SIZE = Pattern.compile("[1-9][0-9]{0,5}[MGT]");
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  /** Options that exclude each other (sbatch(1)). */
  private static final List<List<SlurmOption>> EXCLUSIVE =
      List.of(
          List.of(SlurmOption.MEM, SlurmOption.MEM_PER_CPU, SlurmOption.MEM_PER_GPU),
          List.of(SlurmOption.REQUEUE, SlurmOption.NO_REQUEUE),
          List.of(SlurmOption.EXCLUSIVE, SlurmOption.OVERSUBSCRIBE));

  private static final List<List<ContainerFlag>> CONTRADICTIONS =
      List.of(
          List.of(ContainerFlag.NV, ContainerFlag.NO_NV),
          List.of(ContainerFlag.ROCM, ContainerFlag.NO_ROCM));

  private LaunchOptions() {}

  /** Options of the job that a step has too, with srun's meaning (srun(1)). */
  static final Set<SlurmOption> OF_STEPS =
      EnumSet.of(
          SlurmOption.CHDIR,
          SlurmOption.CPUS_PER_GPU,
          SlurmOption.CPUS_PER_TASK,
          SlurmOption.DISTRIBUTION,
          SlurmOption.ERROR,
          SlurmOption.EXCLUDE,
          SlurmOption.GPU_BIND,
          SlurmOption.GPUS,
          SlurmOption.GPUS_PER_NODE,
          SlurmOption.GPUS_PER_TASK,
          SlurmOption.GRES,
          SlurmOption.GRES_FLAGS,
          SlurmOption.HINT,
          SlurmOption.INPUT,
          SlurmOption.JOB_NAME,
          SlurmOption.MEM,
          SlurmOption.MEM_PER_CPU,
          SlurmOption.MEM_PER_GPU,
          SlurmOption.NODELIST,
          SlurmOption.NODES,
          SlurmOption.NTASKS,
          SlurmOption.NTASKS_PER_CORE,
          SlurmOption.NTASKS_PER_GPU,
          SlurmOption.NTASKS_PER_NODE,
          SlurmOption.NTASKS_PER_SOCKET,
          SlurmOption.OPEN_MODE,
          SlurmOption.OUTPUT,
          SlurmOption.OVERCOMMIT,
          SlurmOption.THREADS_PER_CORE,
          SlurmOption.TIME,
          SlurmOption.TRES_BIND);

  /** Adds the options of a launch to a sub-command's own. */
  static Options add(Options options, Set<SlurmOption> slurm) {
    for (SlurmOption option : slurm) {
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
    for (String name : List.of("force", "singletons", "no-guard", "require-fabric")) {
      options.addOption(Option.builder().longOpt(name).get());
    }
    for (String name :
        List.of(
            "bind",
            "env",
            "pwd",
            "home",
            "no-mount",
            "mpi",
            "mpi-model",
            "host-mpi",
            "fabric",
            "mode",
            "stage",
            "stage-dir",
            "stage-limit",
            "srun")) {
      options.addOption(Option.builder().longOpt(name).hasArg().get());
    }
    return options;
  }

  /**
   * The launch that the words of {@code run} or {@code submit} ask for: an image and a command, or
   * a script with {@code #HPCRUN} lines, whose words come before those of the command line.
   *
   * @throws Failure with exit code 2 for whatever is wrong
   */
  static LaunchSpec job(GetoptParser parser, List<String> words, Console console) {
    GetoptParser.Parsed parsed = parser.parse(words);
    if (parsed.rest().isEmpty()) {
      throw noImage();
    }
    String first = parsed.rest().getFirst();
    if (isRemote(first)) {
      return spec(
          parsed,
          Kind.JOB,
          command(parsed.rest()),
          Optional.empty(),
          image(first, console),
          console);
    }
    Path file = path("image", first, console.workingDirectory());
    if (!ScriptFile.isScript(file)) {
      if (parsed.last("image") != null) {
        throw Failure.usage(
            "--image names the image of a script, and " + file + " is not a script",
            "write: hpcrun run|submit [options] IMAGE -- COMMAND [ARGUMENT...]");
      }
      return spec(parsed, Kind.JOB, command(parsed.rest()), Optional.empty(), () -> file, console);
    }
    ScriptFile script =
        ScriptFile.read(file, parsed.rest().stream().skip(1).map(ByteString::ofLatin1).toList());
    List<String> all = new ArrayList<>(script.options());
    all.addAll(words.subList(0, words.size() - parsed.rest().size()));
    GetoptParser.Parsed both = parser.parse(all);
    if (!both.rest().isEmpty()) {
      throw Failure.usage(
          "an #HPCRUN line of "
              + file
              + " holds '"
              + both.rest().getFirst()
              + "', which is no option",
          "write only options there, such as: #HPCRUN --image=app.sif --mpi=pmix");
    }
    if (both.last("image") == null) {
      throw Failure.usage(
          "the script " + file + " names no image",
          "write a line '#HPCRUN --image=IMAGE' beside its #SBATCH lines");
    }
    Supplier<Path> image = image(both.last("image"), console);
    UserScript named = script.script().named(jobName(ByteString.of(file.toString())));
    return spec(both, Kind.SCRIPT, List.of(), Optional.of(named), image, console);
  }

  /** The step that the words of {@code exec} ask for. */
  static LaunchSpec step(GetoptParser.Parsed parsed, Console console) {
    List<ByteString> command = command(parsed.rest());
    return spec(
        parsed,
        Kind.STEP,
        command,
        Optional.empty(),
        image(parsed.rest().getFirst(), console),
        console);
  }

  /** The image is gotten last: whatever is wrong with the words is said before it is fetched. */
  static LaunchSpec spec(
      GetoptParser.Parsed parsed,
      Kind kind,
      List<ByteString> command,
      Optional<UserScript> script,
      Supplier<Path> image,
      Console console) {
    LaunchSpec checked =
        new LaunchSpec(
            Path.of("/"),
            kind,
            command,
            script,
            slurm(parsed, kind == Kind.JOB ? Optional.of(command.getFirst()) : Optional.empty()),
            verbatim(parsed, "sbatch", "--sbatch=--licenses=matlab:1"),
            verbatim(parsed, "srun", "--srun=--kill-on-bad-exit"),
            container(parsed),
            mpi(parsed, console),
            fabric(parsed, console),
            choice(parsed, "mode", Mode.values(), Mode.AUTO, Mode::label),
            staging(parsed),
            RecordDirectory.of(console.environment()).path(),
            RecordSpool.of(console.environment()));
    return checked.with(image.get());
  }

  /** What an image's name stands for, once it is wanted: a path, or what must be fetched. */
  static Supplier<Path> image(String given, Console console) {
    if (isRemote(given)) {
      return () -> ImagePull.of(console).image(ByteString.ofLatin1(given).toString());
    }
    Path path = path("image", given, console.workingDirectory());
    return () -> path;
  }

  private static boolean isRemote(String given) {
    return ImageSource.isRemote(ByteString.ofLatin1(given).toString());
  }

  /** The image's path, or that of a script. */
  static Path path(String what, String given, Path workingDirectory) {
    ByteString word = ByteString.ofLatin1(given);
    String text = word.toString();
    if (text.isEmpty()) {
      throw Failure.usage("the " + what + "'s name is empty", "give the path of an image");
    }
    if (ImageSource.isRemote(text)) {
      throw Failure.image(
          "the image " + text + " is not a file",
          "fetch it once, then use the file: hpcrun pull " + text);
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

  static Failure noImage() {
    return Failure.usage(
        "there is neither an image nor a command",
        "write: hpcrun run|submit|exec [options] IMAGE -- COMMAND [ARGUMENT...]");
  }

  private static List<ByteString> command(List<String> rest) {
    if (rest.isEmpty()) {
      throw noImage();
    }
    List<String> words = rest.subList(1, rest.size());
    if (!words.isEmpty() && words.getFirst().equals("--")) {
      words = words.subList(1, words.size());
    } else if (!words.isEmpty() && words.getFirst().startsWith("-")) {
      throw Failure.usage(
          "the option " + ByteString.ofLatin1(words.getFirst()) + " is after the image",
          "write options before the image; if it is the command: IMAGE -- COMMAND [ARGUMENT...]");
    }
    if (words.isEmpty() || words.getFirst().isEmpty()) {
      throw Failure.usage(
          "there is no command after the image " + ByteString.ofLatin1(rest.getFirst()),
          "write: hpcrun run|submit|exec [options] IMAGE -- COMMAND [ARGUMENT...]");
    }
    return words.stream().map(ByteString::ofLatin1).toList();
  }

  /** The options that were given; a job without a name gets the command's. */
  static List<SlurmSetting> slurm(GetoptParser.Parsed parsed, Optional<ByteString> command) {
    List<SlurmSetting> settings = new ArrayList<>();
    for (SlurmOption option : SlurmOption.values()) {
      if (parsed.options().hasOption(option.option())) {
        settings.add(new SlurmSetting(option, value(parsed, option)));
      } else if (option == SlurmOption.JOB_NAME && command.isPresent()) {
        settings.add(new SlurmSetting(option, jobName(command.get())));
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

  private static List<String> verbatim(GetoptParser.Parsed parsed, String program, String example) {
    String[] values = parsed.options().getOptionValues(program);
    List<String> verbatim = new ArrayList<>();
    for (String value : values == null ? new String[0] : values) {
      ByteString word = ByteString.ofLatin1(value);
      String text =
          word.isUtf8() ? new String(word.bytes(), java.nio.charset.StandardCharsets.UTF_8) : "";
      if (!text.startsWith("-") || text.length() < 2 || CONTROL.matcher(text).find()) {
        throw Failure.usage(
            "--" + program + "=" + word + " is not an option of " + program,
            "write it with its dashes and its value in one word: " + example);
      }
      if (program.equals("sbatch") && text.matches("-W|--wait")) {
        throw Failure.usage(
            "--sbatch=" + text + " makes sbatch wait, and end with the job's exit code",
            "use 'hpcrun run', which waits, copies the output and ends so");
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
    for (List<ContainerFlag> pair : CONTRADICTIONS) {
      if (flags.containsAll(pair)) {
        throw Failure.usage(
            "--"
                + pair.getFirst().option()
                + " and --"
                + pair.getLast().option()
                + " exclude each other",
            "give only one");
      }
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

  private static FabricChoice fabric(GetoptParser.Parsed parsed, Console console) {
    FabricChoice.Kind kind =
        choice(
            parsed,
            "fabric",
            FabricChoice.Kind.values(),
            FabricChoice.Kind.AUTO,
            FabricChoice.Kind::label);
    boolean required = parsed.options().hasOption("require-fabric");
    if (required && kind == FabricChoice.Kind.TCP) {
      throw Failure.usage(
          "--require-fabric asks for RDMA, and --fabric=tcp for none", "give only one of them");
    }
    String memlock = console.environment().get(FabricChoice.MEMLOCK_VARIABLE);
    return new FabricChoice(
        kind,
        required,
        memlock == null || memlock.isEmpty() || !required
            ? FabricChoice.DEFAULT_MEMLOCK
            : size(FabricChoice.MEMLOCK_VARIABLE + "=", memlock));
  }

  private static MpiChoice mpi(GetoptParser.Parsed parsed, Console console) {
    Optional<String> plugin =
        Optional.ofNullable(parsed.last("mpi")).filter(mpi -> !mpi.equals("auto"));
    String mpi = plugin.orElse(ClusterFacts.NONE);
    boolean singletons = parsed.options().hasOption("singletons");
    if (singletons && !mpi.equals(ClusterFacts.NONE)) {
      throw Failure.usage(
          "--singletons means ranks that nothing wires, and --mpi=" + mpi + " wires them",
          "give only one of them");
    }
    if (!MPI.matcher(mpi).matches()) {
      throw Failure.usage(
          "--mpi " + ByteString.ofLatin1(mpi) + " is not the name of a plug-in",
          "use auto, none or a name that 'srun --mpi=list' shows");
    }
    return new MpiChoice(
        plugin,
        parsed.options().hasOption("force"),
        singletons,
        !parsed.options().hasOption("no-guard"),
        choice(
            parsed,
            "mpi-model",
            MpiChoice.Model.values(),
            MpiChoice.Model.AUTO,
            MpiChoice.Model::label),
        hosts(parsed, console));
  }

  /** Colon-separated, by {@code --host-mpi} or {@code HPCRUN_HOST_MPI}. */
  private static List<Path> hosts(GetoptParser.Parsed parsed, Console console) {
    String given = parsed.last("host-mpi");
    String text =
        given == null
            ? console.environment().getOrDefault(MpiChoice.HOSTS_VARIABLE, "")
            : ByteString.ofLatin1(given).toString();
    List<Path> paths = new ArrayList<>();
    for (String path : text.isEmpty() ? new String[0] : text.split(":")) {
      if (path.isEmpty() || (given == null && "container".equals(parsed.last("mpi-model")))) {
        continue; // as in other lists of paths; and what a site declares must not hinder others
      }
      if (!path.startsWith("/") || CONTROL.matcher(path).find()) {
        throw Failure.usage(
            "%s: '%s' is not an absolute path"
                .formatted(given == null ? MpiChoice.HOSTS_VARIABLE : "--host-mpi", path),
            "name the libraries of the nodes' MPI from / on, separated by colons");
      }
      paths.add(Path.of(path));
    }
    if (paths.isEmpty() && "host".equals(parsed.last("mpi-model"))) {
      throw Failure.usage(
          "--mpi-model=host does not say which MPI",
          "name its library: --host-mpi=PATH, or HPCRUN_HOST_MPI in the environment");
    }
    return paths;
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
    return new Staging(
        choice(parsed, "stage", Staging.From.values(), Staging.From.AUTO, Staging.From::label),
        absolute(parsed, "stage-dir"),
        limit == null
            ? Staging.DEFAULT_LIMIT
            : size("--stage-limit=", ByteString.ofLatin1(limit).toString()));
  }

  private static long size(String what, String size) {
    if (!SIZE.matcher(size).matches()) {
      throw Failure.usage(
          what + size + " is not a size", "write a number with a unit: 500M, 20G or 1T");
    }
    long number = Long.parseLong(size.substring(0, size.length() - 1));
    return number
        << switch (size.charAt(size.length() - 1)) {
          case 'M' -> 20;
          case 'G' -> 30;
          default -> 40;
        };
  }
}
