package io.hpcrun.cli;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.HostMpi;
import io.hpcrun.image.HostMpiReader;
import io.hpcrun.image.Image;
import io.hpcrun.image.ImageDigest;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageReader;
import io.hpcrun.image.ProfileStore;
import io.hpcrun.image.Program;
import io.hpcrun.image.ProgramRequest;
import io.hpcrun.image.ProgramStore;
import io.hpcrun.image.UserCache;
import io.hpcrun.manifest.ManifestMaker.Caller;
import io.hpcrun.manifest.ManifestMaker.Planned;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.plan.Knowledge;
import io.hpcrun.plan.Planner;
import io.hpcrun.planning.PlanAnswer;
import io.hpcrun.planning.PlanRequest;
import io.hpcrun.planning.Planning;
import io.hpcrun.policy.Policy;
import io.hpcrun.process.Programs;
import io.hpcrun.pull.ImageSource;
import io.hpcrun.request.Origin;
import io.hpcrun.request.Requests.Requested;
import io.hpcrun.slurm.SlurmClient;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.spec.Surroundings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/** From a spec to a job script and a job: looks at image and cluster, plans, renders, submits. */
final class Launcher {
  /** sbatch's own limit (slurm.conf, SchedulerParameters max_script_size). */
  private static final int LARGEST = 4 << 20;

  private final SlurmClient slurm;
  private final Console console;
  private final ImageDigest digests;
  private final ProfileStore profiles;
  private final ProgramStore programs;
  private final EnterProgram enterProgram;
  private final Planning planning;
  private final Set<Advice> said = new HashSet<>();
  private ClusterFacts cluster;
  private String accounting;
  private LaunchSpec seen;
  private Knowledge known;
  private Policy policy;
  private Optional<String> digest;
  private Optional<Path> program;

  /**
   * A job.
   *
   * @param id what {@code sbatch --parsable} prints
   * @param recording keeps its manifest
   */
  record Submitted(String id, Recording recording) {}

  Launcher(SlurmClient slurm, Console console) {
    UserCache cache = new UserCache(console.environment());
    this.slurm = slurm;
    this.console = console;
    this.digests = new ImageDigest(cache);
    this.profiles = new ProfileStore(cache);
    this.programs = new ProgramStore(cache);
    this.enterProgram = new EnterProgram(cache);
    this.planning =
        new Planning(
            slurm,
            console.environment(),
            found -> console.err().println("hpcrun: note: " + found + "; going on without it"),
            this::policy);
  }

  /**
   * Plans a launch, prints its warnings, and renders it.
   *
   * @throws Failure with exit code 3 when it is known to fail
   */
  Planned plan(Requested requested) {
    LaunchSpec spec = requested.spec();
    boolean again = isLikeBefore(spec);
    PlanRequest request = request(requested, again);
    // The daemon would answer the same, and is not asked a thousand times for one command.
    PlanAnswer answer = again ? PlanAnswer.to(request, policy()) : planning.plan(request);
    answer.warnings().forEach(this::warn);
    answer.refusals().stream()
        .findFirst()
        .ifPresent(
            refusal -> {
              throw Failure.refused(
                  refusal.text(),
                  refusal.remedy()
                      + (refusal.isOfSite() ? "" : "; --force submits it all the same"));
            });
    if (answer.needsDigest()) {
      digest = Optional.of(digests.of(spec.image()));
      request = request.with(digest.get());
      answer = planning.plan(request);
    }
    byte[] script =
        answer
            .script()
            .orElseThrow(
                () -> new IllegalStateException("a plan that is not refused has a script"));
    if (script.length > LARGEST) {
      throw Failure.usage(
          "the job script has %d KiB, and sbatch takes %d"
              .formatted(script.length >> 10, LARGEST >> 10),
          "pass what is large in files; sweep over fewer values, or with 'as: jobs'");
    }
    return new Planned(
        requested,
        request.known(),
        request.digest(),
        answer.decisions(),
        answer.warnings(),
        script);
  }

  /** Once for all jobs of a sweep. */
  private void warn(Advice warning) {
    if (said.add(warning)) {
      console.err().println("hpcrun: warning: " + InspectCommand.printable(warning.text()));
      console.err().println("  what to do: " + InspectCommand.printable(warning.remedy()));
    }
  }

  /** Slurm ends a job whose output it cannot write, and nobody hears why. */
  private void checkOutput(LaunchSpec spec) {
    Path here = directory(spec);
    if (spec.slurm(SlurmOption.OUTPUT).isEmpty()
        && Files.isDirectory(here)
        && !Files.isWritable(here)) {
      warn(
          new Advice(
              "the job's output goes to a file in " + here + ", which you may not write in",
              "name another file (--output=FILE), or submit from another directory",
              "sbatch(1), --output"));
    }
  }

  private Path directory(LaunchSpec spec) {
    return spec.slurm(SlurmOption.CHDIR)
        .map(console.workingDirectory()::resolve)
        .orElse(console.workingDirectory());
  }

  /** The job script of a launch. */
  byte[] script(Requested requested) {
    return plan(requested).script();
  }

  /** Whether the same is known of a launch as of the one before: elements of a sweep are alike. */
  private boolean isLikeBefore(LaunchSpec spec) {
    return seen != null
        && seen.image().equals(spec.image())
        && seen.container().equals(spec.container())
        && seen.mpi().equals(spec.mpi())
        && seen.slurm(SlurmOption.CHDIR).equals(spec.slurm(SlurmOption.CHDIR))
        && seen.command().stream().findFirst().equals(spec.command().stream().findFirst());
  }

  /** A launch with all that is known of it. */
  private PlanRequest request(Requested requested, boolean again) {
    LaunchSpec spec = requested.spec();
    if (!again) {
      known = look(spec);
      digest = digests.remembered(spec.image());
      program = enterProgram.forJobs();
      seen = spec;
    }
    return new PlanRequest(
        spec, known.with(surroundings(requested)), digest, program, packing(requested));
  }

  private Policy policy() {
    if (policy == null) {
      policy = console.site().policy();
    }
    return policy;
  }

  /** The decisions; what only the script needs is not looked for. */
  PlanAnswer decide(Requested requested, Knowledge known) {
    return planning.plan(
        new PlanRequest(
            requested.spec(), known, Optional.empty(), Optional.empty(), packing(requested)));
  }

  /** What was chosen for the resources that are asked for. */
  private static List<Decision> packing(Requested requested) {
    return requested.settings().stream()
        .filter(setting -> setting.origin().kind() == Origin.Kind.PACKING)
        .map(
            setting ->
                new Decision(
                    setting.name(),
                    setting.shown(),
                    setting.origin().where(),
                    "option --resources, sinfo, scontrol show partition"))
        .toList();
  }

  /** Looks at the image, the command, the cluster and what is around. */
  Knowledge look(Requested requested) {
    return look(requested.spec()).with(surroundings(requested));
  }

  private Surroundings surroundings(Requested requested) {
    String named = ByteString.ofLatin1(requested.image()).toString();
    return new Surroundings(
        System.getProperty("user.name", ""),
        Optional.of(
            ImageSource.isRemote(named)
                ? ImageSource.parse(named).text()
                : requested.spec().image().toString()),
        requested.modules(),
        Instant.now().getEpochSecond(),
        Surroundings.known(console.environment()));
  }

  Knowledge look(LaunchSpec spec) {
    Image image = ImageReader.read(spec.image());
    if (cluster == null) {
      cluster = planning.cluster();
    }
    String command = spec.command().stream().findFirst().map(ByteString::toString).orElse("");
    try {
      ImageProfile profile = profiles.of(image);
      ProgramRequest request = request(spec, command);
      Program program =
          command.isEmpty() ? Program.unknown("") : programs.of(image, profile, request);
      Knowledge known =
          new Knowledge(
              image, Optional.of(profile), Optional.empty(), program, Optional.empty(), cluster);
      return Planner.wantsHostMpi(spec, known) ? withHost(spec, known, request) : known;
    } catch (Failure unreadable) {
      if (spec.mpi().model() == MpiChoice.Model.HOST) {
        throw unreadable;
      }
      Advice gap =
          new Advice(
              "whether the image's MPI fits is not known: " + unreadable.getMessage(),
              unreadable.remedy(),
              "hpcrun inspect");
      return new Knowledge(
          image,
          Optional.empty(),
          Optional.of(gap),
          Program.unknown(command),
          Optional.empty(),
          cluster);
    }
  }

  /** With the nodes' MPI; where nobody asked for it, only if it fits. */
  private static Knowledge withHost(LaunchSpec spec, Knowledge known, ProgramRequest request) {
    boolean asked = spec.mpi().model() == MpiChoice.Model.HOST;
    try {
      HostMpi host =
          HostMpiReader.read(
              spec.mpi().hosts(),
              known.image(),
              known.profile().orElseThrow(),
              known.program(),
              known.imageMpi(),
              request);
      return asked || host.isFit() ? known.with(host) : known;
    } catch (Failure unusable) {
      if (asked) {
        throw unusable;
      }
      return known.with(
          new Advice(
              "the nodes' MPI cannot take the image's place: " + unusable.getMessage(),
              unusable.remedy(),
              MpiChoice.HOSTS_VARIABLE));
    }
  }

  /** What of this machine the container will show: Apptainer's own mounts and the user's. */
  private ProgramRequest request(LaunchSpec spec, String command) {
    ContainerOptions container = spec.container();
    Path here = directory(spec);
    boolean own = container.flags().contains(ContainerFlag.CONTAIN);
    Map<String, Path> mounts = new HashMap<>();
    String home = console.environment().getOrDefault("HOME", "");
    if (home.startsWith("/")
        && container.home().isEmpty()
        && !own
        && !container.flags().contains(ContainerFlag.NO_HOME)
        && !container.noMount().contains("home")) {
      mounts.put(home, Path.of(home));
    }
    if (!own && !container.noMount().contains("cwd")) {
      mounts.put(here.toString(), here);
    }
    if (!own && !container.noMount().contains("tmp")) {
      mounts.put("/tmp", Path.of("/tmp"));
      mounts.put("/var/tmp", Path.of("/var/tmp"));
    }
    for (BindMount bind : container.binds()) {
      mounts.put(bind.destination().toString(), Path.of(bind.source().toString()));
    }
    mounts.remove("/");
    Map<String, String> environment = new HashMap<>();
    for (EnvironmentVariable variable : container.environment()) {
      if (variable.name().matches("PATH|LD_LIBRARY_PATH")) {
        environment.put(variable.name(), variable.value().toString());
      }
    }
    for (String name : container.choice().byName()) {
      if (name.matches("PATH|LD_LIBRARY_PATH") && console.environment().containsKey(name)) {
        environment.put(name, console.environment().get(name));
      }
    }
    return new ProgramRequest(
        command,
        container.workingDirectory().map(ByteString::toString).orElse(here.toString()),
        environment,
        mounts);
  }

  /**
   * Submits a launch, and keeps its manifest while the caller goes on.
   *
   * @param words what the user typed
   * @param single whether it must be one job: an array that the environment asks for is left out
   */
  Submitted submit(Requested requested, List<String> words, boolean single) {
    Planned planned = plan(requested);
    checkOutput(requested.spec());
    return submit(planned, words, single, slurm::submit);
  }

  /**
   * Submits what was planned; several threads may at once.
   *
   * @param sbatch takes the script, and what of the surroundings sbatch is to see otherwise
   */
  Submitted submit(
      Planned planned,
      List<String> words,
      boolean single,
      BiFunction<byte[], Programs.Changes, String> sbatch) {
    Caller caller =
        new Caller(
            words,
            console.workingDirectory(),
            console.userVariables(),
            console.siteVariables(),
            Optional.empty());
    Programs.Changes changes =
        changes(planned.requested(), single, console.userVariables(), Programs.Changes.NONE);
    return submit(planned, caller, changes, sbatch);
  }

  /** Submits what was planned, in these surroundings. */
  Submitted submit(Planned planned, Caller caller, Programs.Changes changes) {
    return submit(planned, caller, changes, slurm::submit);
  }

  private Submitted submit(
      Planned planned,
      Caller caller,
      Programs.Changes changes,
      BiFunction<byte[], Programs.Changes, String> sbatch) {
    LaunchSpec spec = planned.requested().spec();
    if (!planned.requested().secrets().isEmpty()) {
      warnOfAccounting();
    }
    Recording recording = Recording.begin(planned, caller, console.err());
    String id = sbatch.apply(planned.script(), changes);
    recording.submitted(id);
    ImagePull.claim(spec.image(), id, console.environment());
    return new Submitted(id, recording);
  }

  /** Once for all jobs of a sweep. */
  private synchronized void warnOfAccounting() {
    if (accounting != null) {
      return;
    }
    accounting = slurm.config().getOrDefault("AccountingStoreFlags", "");
    if (accounting.contains("job_env")) {
      console
          .err()
          .println(
              "hpcrun: warning: this site's accounting keeps the environment of jobs, with secrets"
                  + " that are in it (slurm.conf AccountingStoreFlags=job_env)");
      console
          .err()
          .println(
              "  what to do: put them into a file that the application reads; who may see accounting"
                  + " can see them with 'sacct --env-vars'");
    }
  }

  /**
   * What of the surroundings sbatch is to see otherwise: nothing that would make another job of the
   * script, and the values that the script does not hold.
   *
   * @param single whether it must be one job
   * @param environment the user's variables
   * @param more other changes, of which these variables are the result
   */
  static Programs.Changes changes(
      Requested requested, boolean single, Map<String, String> environment, Programs.Changes more) {
    SubmittedEnvironment submitted = SubmittedEnvironment.of(requested.spec(), single, environment);
    Map<String, String> secrets = new HashMap<>(submitted.renamed());
    secrets.putAll(requested.secrets().environment());
    Set<String> unset = new HashSet<>(submitted.withheld().keySet());
    Map<String, String> set = new HashMap<>(more.set());
    set.keySet().removeAll(unset);
    unset.addAll(more.unset());
    unset.removeAll(secrets.keySet());
    return new Programs.Changes(unset, set, secrets, more.directory());
  }
}
