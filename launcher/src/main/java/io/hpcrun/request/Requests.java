package io.hpcrun.request;

import io.hpcrun.cluster.Partition;
import io.hpcrun.failure.Failure;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.LaunchSpec.Kind;
import io.hpcrun.spec.UserScript;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.cli.Option;

/** From words to a checked spec: what was typed, over what scripts and the site say. */
public final class Requests {
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private final GetoptParser parser;
  private final Caller caller;

  /**
   * Who asks.
   *
   * @param workingDirectory where the user is
   * @param environment the user's variables
   * @param site what the site says
   * @param fetch gets an image that is not a file here, by its source, and gives its path
   * @param partitions those of the cluster; none if nothing is known of them
   */
  public record Caller(
      Path workingDirectory,
      Map<String, String> environment,
      SiteOptions site,
      Function<String, Path> fetch,
      Supplier<List<Partition>> partitions) {

    /** Where nothing is known of the cluster. */
    public Caller(
        Path workingDirectory,
        Map<String, String> environment,
        SiteOptions site,
        Function<String, Path> fetch) {
      this(workingDirectory, environment, site, fetch, List::of);
    }
  }

  /**
   * What is asked for.
   *
   * @param spec the launch
   * @param settings the options that count, with who said them
   * @param image how the image was named, as a Latin-1 view of its bytes
   * @param script the file of a user's script, if that is what runs
   * @param secrets values that neither the spec nor the job script holds
   */
  public record Requested(
      LaunchSpec spec,
      List<Setting> settings,
      String image,
      Optional<Path> script,
      Secrets secrets) {
    /** Copies the list. */
    public Requested {
      settings = List.copyOf(settings);
    }

    /** The same for another spec. */
    public Requested with(LaunchSpec other) {
      return new Requested(other, settings, image, script, secrets);
    }

    /** The site's modules that are asked for. */
    public List<String> modules() {
      return settings.stream()
          .filter(setting -> setting.name().equals(OwnOption.MODULE.option()))
          .flatMap(setting -> setting.values().stream())
          .flatMap(value -> Stream.of(value.split(",")))
          .toList();
    }
  }

  /**
   * An image.
   *
   * @param given how it was named, as a Latin-1 view of its bytes
   * @param path gets it, once it is wanted
   */
  public record Named(String given, Supplier<Path> path) {}

  /**
   * A script to run.
   *
   * @param file the user's file that holds it; empty if hpcrun wrote it
   * @param script what is submitted
   */
  public record Scripted(Optional<Path> file, UserScript script) {
    /**
     * The script that a file held, by its text.
     *
     * @param latin1 one character for each of its bytes
     * @throws Failure with exit code 2 for what is wrong in it
     */
    public static Scripted of(Path file, String latin1, List<ByteString> arguments) {
      return of(file, ScriptFile.of(file, latin1, arguments));
    }

    private static Scripted of(Path file, ScriptFile script) {
      String name = LaunchOptions.jobName(ByteString.of(file.toString()));
      return new Scripted(Optional.of(file), script.script().named(name));
    }
  }

  /**
   * @param parser of the sub-command's options
   * @param caller who asks
   */
  public Requests(GetoptParser parser, Caller caller) {
    this.parser = parser;
    this.caller = caller;
  }

  /**
   * The launch that the words of {@code run} or {@code submit} ask for: an image and a command, or
   * a script with {@code #HPCRUN} lines.
   *
   * @throws Failure with exit code 2 for whatever is wrong
   */
  public Requested job(List<String> words) {
    GetoptParser.Parsed parsed = parser.parse(words);
    if (parsed.rest().isEmpty()) {
      throw noImage();
    }
    String first = parsed.rest().getFirst();
    Layer typed = typed(parsed);
    if (isRemote(first)) {
      return job(parsed, typed, image(first));
    }
    Path file = path("image", first, caller.workingDirectory());
    if (ScriptFile.isScript(file)) {
      return script(file, parsed, typed);
    }
    if (parsed.last("image") != null) {
      throw Failure.usage(
          "--image names the image of a script, and " + file + " is not a script",
          "write: hpcrun run|submit [options] IMAGE -- COMMAND [ARGUMENT...]");
    }
    return job(parsed, typed, new Named(first, () -> file));
  }

  private Requested job(GetoptParser.Parsed parsed, Layer typed, Named image) {
    return requested(
        layers(), List.of(typed), Kind.JOB, command(parsed.rest()), Optional.empty(), image);
  }

  private Requested script(Path file, GetoptParser.Parsed parsed, Layer typed) {
    ScriptFile script =
        ScriptFile.read(file, parsed.rest().stream().skip(1).map(ByteString::ofLatin1).toList());
    GetoptParser.Parsed lines = parser.parse(script.options());
    if (!lines.rest().isEmpty()) {
      throw Failure.usage(
          "an #HPCRUN line of "
              + file
              + " holds '"
              + lines.rest().getFirst()
              + "', which is no option",
          "write only options there, such as: #HPCRUN --image=app.sif --mpi=pmix");
    }
    for (Option option : lines.options().getOptions()) {
      String name = option.getLongOpt();
      if (!name.equals("image") && !OptionTable.names().contains(name)) {
        throw Failure.usage(
            "an #HPCRUN line of " + file + " holds --" + name + ", which is of the command line",
            "leave it out there");
      }
    }
    EnvironmentOptions.checkLines(file, lines);
    String named = parsed.last("image") == null ? lines.last("image") : parsed.last("image");
    if (named == null) {
      throw Failure.usage(
          "the script " + file + " names no image",
          "write a line '#HPCRUN --image=IMAGE' beside its #SBATCH lines");
    }
    Layer own = layer(lines, new Origin(Origin.Kind.SCRIPT, file.toString()));
    Layer directives = ScriptFile.layer(script.script().directives(), file);
    return requested(
        layers(),
        List.of(directives, own, typed),
        Kind.SCRIPT,
        List.of(),
        Optional.of(Scripted.of(file, script)),
        image(named));
  }

  /**
   * The launch that a job file asks for.
   *
   * @param file what the file and those that it extends say, the weakest first
   * @param typed the options of the command line, which win
   * @param kind a job, or a script that is still to be written
   * @param command the command; of a script the program that all its launches start, if it is one
   * @param image the image's name, as a Latin-1 view of its bytes
   */
  public Requested file(
      List<Layer> file, GetoptParser.Parsed typed, Kind kind, List<String> command, String image) {
    List<Layer> all = new ArrayList<>(file);
    all.add(typed(typed));
    return requested(
        layers(),
        all,
        kind,
        command.stream().map(ByteString::of).toList(),
        Optional.empty(),
        image(image));
  }

  /** The step of this job that the words of {@code exec} ask for. */
  public Requested step(GetoptParser.Parsed parsed) {
    return step(parsed, command(parsed.rest()), true);
  }

  /**
   * A step with another command.
   *
   * @param inJob whether it is a step of this job: what the site says of jobs is not for it
   */
  public Requested step(GetoptParser.Parsed parsed, List<ByteString> command, boolean inJob) {
    Layers layers =
        new Layers(inJob ? caller.site().ofSteps() : caller.site(), caller.environment(), false);
    return requested(
        layers,
        List.of(typed(parsed)),
        Kind.STEP,
        command,
        Optional.empty(),
        image(parsed.rest().getFirst()));
  }

  /**
   * The options that count for a job with these, with who said them, those of variables that sbatch
   * reads among them; nothing else is looked at.
   */
  public List<Setting> settings(GetoptParser.Parsed parsed) {
    List<Setting> said = layers().merge(List.of(typed(parsed)));
    return Stream.concat(said.stream(), layers().ofShell(said).stream()).toList();
  }

  private Requested requested(
      Layers site,
      List<Layer> layers,
      Kind kind,
      List<ByteString> command,
      Optional<Scripted> script,
      Named image) {
    List<Setting> said = site.merge(layers);
    if (kind == Kind.STEP) {
      List<Setting> ofStep =
          said.stream().filter(each -> !each.name().equals(OwnOption.RESOURCES.option())).toList();
      return requested(ofStep, kind, command, script, image);
    }
    List<Setting> all =
        ResourceOptions.packed(said, caller.environment(), caller.partitions())
            .map(packed -> site.merge(Stream.concat(layers.stream(), Stream.of(packed)).toList()))
            .orElse(said);
    return requested(all, kind, command, script, image);
  }

  /**
   * A launch of settings that were put together before: neither the site nor a script's lines are
   * asked again.
   *
   * @throws Failure with exit code 2 for whatever is wrong
   */
  public Requested again(
      List<Setting> settings, List<ByteString> command, Optional<Scripted> script, Named image) {
    return requested(settings, script.isPresent() ? Kind.SCRIPT : Kind.JOB, command, script, image);
  }

  private Requested requested(
      List<Setting> merged,
      Kind kind,
      List<ByteString> command,
      Optional<Scripted> script,
      Named image) {
    List<Setting> settings = EnvironmentFile.read(merged, caller.workingDirectory());
    List<String> words = new ArrayList<>();
    settings.stream()
        .filter(setting -> !setting.origin().where().startsWith(ScriptFile.SLURM))
        .forEach(setting -> words.addAll(setting.words()));
    GetoptParser.Parsed parsed = parser.parse(words);
    EnvironmentOptions.Chosen chosen = EnvironmentOptions.read(parsed);
    LaunchSpec spec =
        LaunchOptions.spec(
            parsed,
            chosen,
            kind,
            command,
            script.map(Scripted::script),
            image.path(),
            caller.environment());
    return new Requested(
        spec, settings, image.given(), script.flatMap(Scripted::file), chosen.secrets());
  }

  private Layers layers() {
    return new Layers(caller.site(), caller.environment());
  }

  private Layer typed(GetoptParser.Parsed parsed) {
    return layer(parsed, new Origin(Origin.Kind.OPTION, "command line"));
  }

  /** The options of a command line, but those that are not of the launch. */
  private static Layer layer(GetoptParser.Parsed parsed, Origin origin) {
    List<String> known = OptionTable.names();
    List<Setting> settings = new ArrayList<>();
    for (Option option : parsed.options().getOptions()) {
      if (known.contains(option.getLongOpt())) {
        List<String> values = option.getValues() == null ? List.of() : List.of(option.getValues());
        settings.add(new Setting(option.getLongOpt(), values, origin));
      }
    }
    return new Layer(settings);
  }

  /** What an image's name stands for, once it is wanted: a path, or what must be fetched. */
  private Named image(String given) {
    if (isRemote(given)) {
      return new Named(given, () -> caller.fetch().apply(ByteString.ofLatin1(given).toString()));
    }
    Path path = path("image", given, caller.workingDirectory());
    return new Named(given, () -> path);
  }

  private static boolean isRemote(String given) {
    return ImageSource.isRemote(ByteString.ofLatin1(given).toString());
  }

  /** The image's path, or that of a script. */
  public static Path path(String what, String given, Path workingDirectory) {
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
      return withoutUps(workingDirectory.resolve(text));
    } catch (InvalidPathException notEncodable) {
      throw Failure.image(
          "the name of the image " + text + " cannot be used: " + notEncodable.getReason(),
          "the locale C.UTF-8 is missing on this machine; install it or rename the file");
    }
  }

  /**
   * The path without {@code .} and {@code ..}, as the kernel reads it: above a link is the
   * directory above the one that it leads to (path_resolution(7)).
   */
  private static Path withoutUps(Path path) {
    Path whole = path.getRoot();
    for (Path name : path) {
      if (!name.toString().equals("..")) {
        whole = name.toString().equals(".") ? whole : whole.resolve(name);
        continue;
      }
      try {
        whole = Files.isSymbolicLink(whole) ? whole.toRealPath() : whole;
      } catch (IOException leadsNowhere) {
        return path; // that the image is not there is said when it is read
      }
      whole = whole.getParent() == null ? whole : whole.getParent();
    }
    return whole;
  }

  public static Failure noImage() {
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
}
