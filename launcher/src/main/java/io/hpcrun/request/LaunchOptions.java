package io.hpcrun.request;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.packing.Resources;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** From the words of a launch's options to a checked spec. */
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

  private static final GetoptParser CHECKED = new GetoptParser(OptionTable.ofJobs(), "submit");

  private LaunchOptions() {}

  /** The image is gotten last: whatever is wrong with the words is said before it is fetched. */
  static LaunchSpec spec(
      GetoptParser.Parsed parsed,
      EnvironmentOptions.Chosen chosen,
      Kind kind,
      List<ByteString> command,
      Optional<UserScript> script,
      Supplier<Path> image,
      Map<String, String> environment) {
    LaunchSpec checked =
        new LaunchSpec(
            Path.of("/"),
            kind,
            command,
            script,
            slurm(parsed, kind == Kind.STEP ? Optional.empty() : command.stream().findFirst()),
            verbatim(parsed, "sbatch", "--sbatch=--licenses=matlab:1"),
            verbatim(parsed, "srun", "--srun=--kill-on-bad-exit"),
            container(parsed, chosen),
            mpi(parsed, environment),
            fabric(parsed, environment),
            choice(parsed, "mode", Mode.values(), Mode.AUTO, Mode::label),
            staging(parsed),
            RecordDirectory.of(environment).path(),
            RecordSpool.of(environment));
    EnvironmentOptions.checkSet(checked, chosen.secrets(), environment);
    EnvironmentOptions.checkExport(checked, chosen.secrets(), environment);
    return checked.with(image.get());
  }

  /**
   * Refuses words of options that are wrong by themselves.
   *
   * @throws Failure with exit code 2
   */
  static void check(List<String> words) {
    GetoptParser.Parsed parsed = CHECKED.parse(words);
    Map<String, String> none = Map.of();
    slurm(parsed, Optional.empty());
    verbatim(parsed, "sbatch", "--sbatch=--licenses=matlab:1");
    verbatim(parsed, "srun", "--srun=--kill-on-bad-exit");
    container(parsed, EnvironmentOptions.read(parsed));
    fabric(parsed, none);
    choice(parsed, "mode", Mode.values(), Mode.AUTO, Mode::label);
    staging(parsed);
    if (parsed.last(OwnOption.RESOURCES.option()) != null) {
      Resources.parse(ByteString.ofLatin1(parsed.last(OwnOption.RESOURCES.option())).toString());
    }
    if (!"host".equals(parsed.last("mpi-model"))) {
      mpi(parsed, none);
    }
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
          name
              + (text.isEmpty()
                  ? " is empty"
                  : ": '" + word + "' is not " + option.value().description()),
          remedy(option, text));
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
  static String jobName(ByteString command) {
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
      if (!text.startsWith("-") || text.matches("--?") || CONTROL.matcher(text).find()) {
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

  private static ContainerOptions container(
      GetoptParser.Parsed parsed, EnvironmentOptions.Chosen environment) {
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
        environment.set(),
        absolute(parsed, "pwd"),
        home,
        noMount(parsed),
        flags,
        environment.choice());
  }

  private static java.util.stream.Stream<ByteString> values(
      GetoptParser.Parsed parsed, String name) {
    String[] values = parsed.options().getOptionValues(name);
    return java.util.stream.Stream.of(values == null ? new String[0] : values)
        .map(ByteString::ofLatin1);
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

  private static FabricChoice fabric(GetoptParser.Parsed parsed, Map<String, String> environment) {
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
    String memlock = environment.get(FabricChoice.MEMLOCK_VARIABLE);
    return new FabricChoice(
        kind,
        required,
        memlock == null || memlock.isEmpty() || !required
            ? FabricChoice.DEFAULT_MEMLOCK
            : size(FabricChoice.MEMLOCK_VARIABLE + "=", memlock));
  }

  private static MpiChoice mpi(GetoptParser.Parsed parsed, Map<String, String> environment) {
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
        hosts(parsed, environment));
  }

  /** Colon-separated, by {@code --host-mpi} or {@code HPCRUN_HOST_MPI}. */
  private static List<Path> hosts(GetoptParser.Parsed parsed, Map<String, String> environment) {
    String given = parsed.last("host-mpi");
    String text =
        given == null
            ? environment.getOrDefault(MpiChoice.HOSTS_VARIABLE, "")
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
