package io.hpcrun.cli;

import io.hpcrun.difference.Comparison;
import io.hpcrun.difference.Difference;
import io.hpcrun.difference.Difference.Section;
import io.hpcrun.difference.DifferenceTable;
import io.hpcrun.difference.Side;
import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.image.UserCache;
import io.hpcrun.manifest.ImageLock;
import io.hpcrun.manifest.Manifest;
import io.hpcrun.manifest.ManifestFiles;
import io.hpcrun.manifest.ManifestMaker;
import io.hpcrun.manifest.ManifestMaker.Caller;
import io.hpcrun.manifest.ManifestMaker.Planned;
import io.hpcrun.manifest.Masking;
import io.hpcrun.manifest.Restoration;
import io.hpcrun.process.Programs;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.request.OptionTable;
import io.hpcrun.request.Requests;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.timing.RecordDirectory;
import io.hpcrun.yaml.TrustedFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun replay JOBID}: runs a job again as it was, or says what cannot be the same. */
final class ReplayCommand {
  private static final int NAMES_SHOWN = 12;

  private final Console console;
  private final Manifest then;
  private final Restoration restoration;
  private final boolean force;

  private ReplayCommand(Console console, Manifest then, Restoration restoration, boolean force) {
    this.console = console;
    this.then = then;
    this.restoration = restoration;
    this.force = force;
  }

  static int run(List<String> words, Console console) {
    Options options =
        new Options()
            .addOption(Option.builder().longOpt("dry-run").get())
            .addOption(Option.builder().longOpt("force").get())
            .addOption(Option.builder().longOpt("parsable").get());
    GetoptParser.Around parsed = new GetoptParser(options, "replay").parseAround(words);
    if (parsed.operands().size() != 1) {
      throw Failure.usage(
          "hpcrun replay takes one job id", "write: hpcrun replay JOBID [--dry-run] [--force]");
    }
    String job = ByteString.ofLatin1(parsed.operands().getFirst()).toString();
    if (job.matches("\\d{1,18}_\\d{1,9}")) {
      throw Failure.usage(
          job + " is one element of an array, and a replay runs what was submitted",
          "write: hpcrun replay " + job.split("_")[0]);
    }
    if (!job.matches("\\d{1,18}")) {
      throw Failure.usage("'" + job + "' is not a job id", "give a number such as 12");
    }
    ManifestFiles files = new ManifestFiles(RecordDirectory.of(console.environment()));
    Manifest then = files.read(job).orElseThrow(() -> noManifest(job, console));
    Restoration restoration = new Restoration(then, masking(files), console.userVariables());
    return new ReplayCommand(console, then, restoration, parsed.has("force"))
        .run(
            masking(files),
            SubmitCommand.typed("replay", words),
            parsed.has("dry-run"),
            parsed.has("parsable"));
  }

  private static Failure noManifest(String job, Console console) {
    return Failure.usage(
        "job %s has no manifest in %s"
            .formatted(job, RecordDirectory.of(console.environment()).path()),
        "give a job of 'hpcrun run' or 'hpcrun submit'; those of other versions and of 'sbatch'"
            + " have none");
  }

  private static Masking masking(ManifestFiles files) {
    try {
      return files.masking();
    } catch (IOException failed) {
      throw Failure.usage(
          "the key of the manifests' digests cannot be read: " + TrustedFile.cause(failed),
          "check the permissions of your record directory (HPCRUN_RECORDS)");
    }
  }

  private int run(Masking masking, List<String> typed, boolean dryRun, boolean parsable) {
    Console there =
        new Console(
            console.out(),
            console.err(),
            directory(),
            restoration.variablesWithSite(console.environment()),
            console.site().rulesOnly());
    Launcher launcher = new Launcher(new SlurmClient(), there);
    Requests.Requested requested = requested(there);
    checkPartition(requested.spec(), there);
    Planned planned = launcher.plan(requested);
    Caller caller =
        new Caller(
            typed,
            there.workingDirectory(),
            restoration.variables(),
            then.surroundings().ofSite(),
            Optional.of(then.submission().job()));
    Manifest now = ManifestMaker.make(masking, planned, caller);
    List<Difference> differences =
        Comparison.of(Side.of(then.submission().job(), then), Side.of("now", now));
    say(differences, now);
    refuse(differences);
    if (dryRun) {
      console.out().writeBytes(planned.script());
      return ExitCode.OK.code();
    }
    SubmitCommand.print(
        launcher.submit(planned, caller, changes(requested, there)), parsable, console);
    return ExitCode.OK.code();
  }

  private Path directory() {
    Path directory = then.submission().directory();
    if (Files.isDirectory(directory)) {
      return directory;
    }
    if (!force) {
      throw Failure.refused(
          "the working directory %s of job %s is gone"
              .formatted(directory, then.submission().job()),
          "make it again; --force runs the job in this directory");
    }
    return console.workingDirectory();
  }

  private Requests.Requested requested(Console there) {
    var settings = restoration.settings();
    var command = restoration.command();
    var script = restoration.script();
    restoration.requireSecrets();
    return new Requests(new GetoptParser(OptionTable.ofJobs(), "replay"), there.caller())
        .again(
            settings,
            command,
            script,
            new Requests.Named(then.image().given(), () -> image(there)));
  }

  /** Where it was; if it is not there and came from a registry, from there once more. */
  private Path image(Console there) {
    ImageLock image = then.image();
    String given = ByteString.ofLatin1(image.given()).toString();
    Path path =
        !Files.exists(image.path()) && ImageSource.isRemote(given)
            ? there.caller().fetch().apply(given)
            : image.path();
    if (!Files.exists(path)) {
      throw Failure.image(
          "the image %s of job %s is gone".formatted(path, then.submission().job()),
          "put it back, or submit the launch with another one");
    }
    learnDigest(image, path, there);
    return path;
  }

  /** What was touched since is read whole, if its digest was known then. */
  private static void learnDigest(ImageLock image, Path path, Console there) {
    ImageDigest digests = new ImageDigest(new UserCache(there.environment()));
    if (image.sha256().isEmpty() || digests.remembered(path).isPresent()) {
      return;
    }
    try {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      boolean touched = !now.lastModifiedTime().toInstant().equals(image.modified());
      if (touched && now.isRegularFile() && now.size() == image.size()) {
        digests.of(path);
      }
    } catch (IOException unreadable) {
      throw Failure.image(
          "the image " + path + " cannot be read: " + unreadable.getMessage(),
          "check its permissions");
    }
  }

  private void checkPartition(LaunchSpec spec, Console there) {
    String wanted =
        spec.slurm(SlurmOption.PARTITION)
            .orElse(there.environment().getOrDefault(SlurmOption.PARTITION.variable(), ""));
    if (wanted.isEmpty()) {
      return;
    }
    SlurmClient slurm = new SlurmClient();
    for (String partition : wanted.split(",")) {
      if (!slurm.hasPartition(partition)) {
        throw Failure.refused(
            "the partition %s of job %s is not there any more"
                .formatted(InspectCommand.printable(partition), then.submission().job()),
            "submit the launch with another one; 'hpcrun cluster' lists them");
      }
    }
  }

  private void say(List<Difference> differences, Manifest now) {
    List<Difference> unwanted =
        differences.stream().filter(each -> !isOfThisCommand(each)).toList();
    if (!unwanted.isEmpty()) {
      console
          .err()
          .println("hpcrun: not the same as in job %s:".formatted(then.submission().job()));
      DifferenceTable.print(unwanted, "  ", console.err());
    }
    say("set as it was then", restoration.toSet().keySet());
    say("not set then, and left out", restoration.toUnset());
    if (!restoration.sameKey()) {
      console
          .err()
          .println(
              "hpcrun: note: manifest.key in the record directory is not that of then, so values that"
                  + " are not kept cannot be compared");
    }
    if (!restoration.isScriptUnchanged()) {
      console
          .err()
          .println(
              "hpcrun: note: the script's file has changed or is gone: what runs is what was"
                  + " submitted then");
    }
    console
        .err()
        .println(
            now.outcome().script().equals(then.outcome().script())
                ? "hpcrun: the job script is that of job %s, byte for byte"
                    .formatted(then.submission().job())
                : "hpcrun: the job script is not that of job %s; see 'hpcrun replay --dry-run'"
                    .formatted(then.submission().job()));
  }

  private void say(String what, Collection<String> names) {
    if (!names.isEmpty()) {
      String more =
          names.size() > NAMES_SHOWN ? " and %d more".formatted(names.size() - NAMES_SHOWN) : "";
      console
          .err()
          .println(
              "hpcrun: note: %s: %s%s"
                  .formatted(
                      what,
                      InspectCommand.printable(
                          names.stream().limit(NAMES_SHOWN).collect(Collectors.joining(", "))),
                      more));
    }
  }

  /** The login node need not be the same. */
  private static boolean isOfThisCommand(Difference difference) {
    return difference.section() == Section.ENVIRONMENT && difference.what().equals("submitted on");
  }

  private void refuse(List<Difference> differences) {
    if (force) {
      return;
    }
    boolean otherImage =
        differences.stream()
            .anyMatch(
                each ->
                    each.section() == Section.IMAGE
                        && (each.what().equals("content") || each.what().equals("id")));
    if (otherImage) {
      throw Failure.refused(
          "the image %s is not the one of job %s"
              .formatted(then.image().path(), then.submission().job()),
          "put the old one back; --force runs the new one");
    }
    List<String> secrets = restoration.otherSecrets();
    if (!secrets.isEmpty()) {
      throw Failure.refused(
          "variables whose values are not kept, because they look like secrets or are passed on by"
              + " name, are not as they were: "
              + InspectCommand.printable(String.join(", ", secrets)),
          "set them as they were; --force runs the job with what there is");
    }
  }

  private Programs.Changes changes(Requests.Requested requested, Console there) {
    boolean single =
        then.submission().words().stream().findFirst().filter("run"::equals).isPresent();
    Map<String, String> set = new HashMap<>(restoration.toSet());
    Optional<Path> directory =
        Optional.of(there.workingDirectory())
            .filter(path -> !path.equals(console.workingDirectory()));
    Map<String, String> environment = new HashMap<>(console.userVariables());
    environment.putAll(restoration.variables());
    directory.ifPresent(path -> set.put("PWD", path.toString()));
    Programs.Changes changes =
        new Programs.Changes(Set.copyOf(restoration.toUnset()), set, Map.of(), directory);
    return Launcher.changes(requested, single, environment, changes);
  }
}
