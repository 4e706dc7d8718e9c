package io.hpcrun.plan;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.failure.Failure;
import io.hpcrun.image.HostMpi;
import io.hpcrun.image.HostMpiReader;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.image.Program;
import io.hpcrun.plan.MpiRule.Trait;
import io.hpcrun.plan.MpiRule.When;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Mode;
import io.hpcrun.spec.MpiChoice;
import io.hpcrun.spec.SlurmOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Applies the table of MPI rules to a launch. */
final class MpiPlanner {
  private static final String NONE = ClusterFacts.NONE;
  private static final String PMIX = "pmix";
  static final String HOST_SOURCE = "option --host-mpi, or HPCRUN_HOST_MPI";
  private static final String MODEL = "mpi-model";

  private final LaunchSpec spec;
  private final Optional<ImageProfile> profile;
  private final Program program;
  private final Optional<HostMpi> host;
  private final ClusterFacts cluster;
  private final List<Decision> decisions;
  private final String imageMpi;

  /** The MPIs that the command may use; one if it is linked to it. */
  private final List<Mpi> candidates;

  private final Set<Trait> traits = EnumSet.noneOf(Trait.class);
  private final List<EnvironmentVariable> defaults = new ArrayList<>();
  private final List<EnvironmentVariable> aloneDefaults = new ArrayList<>();
  private final List<Advice> warnings = new ArrayList<>();
  private final List<Advice> refusals = new ArrayList<>();
  private String plugin = NONE;

  /**
   * How a launch is wired.
   *
   * @param plugin the plug-in of {@code srun --mpi}
   * @param defaults variables of the ranks, unless set
   * @param aloneDefaults variables, unless set, of ranks that do not share a container
   * @param warnings what may fail
   * @param refusals what is known to fail
   * @param guard what the agents need to see whether ranks are alone
   */
  record Wiring(
      String plugin,
      List<EnvironmentVariable> defaults,
      List<EnvironmentVariable> aloneDefaults,
      List<Advice> warnings,
      List<Advice> refusals,
      List<String> guard) {}

  MpiPlanner(LaunchSpec spec, Knowledge known, List<Decision> decisions) {
    this.spec = spec;
    this.profile = known.profile();
    this.program = known.program();
    this.host = known.host();
    this.cluster = known.cluster();
    this.decisions = decisions;
    this.imageMpi =
        known.imageMpi().stream()
            .map(mpi -> mpi.label() + " (" + mpi.soname() + ")")
            .collect(Collectors.joining(" and "));
    this.candidates = host.map(library -> List.of(library.mpi())).orElseGet(known::imageMpi);
  }

  /**
   * Whether a library of the nodes is to take the place of the image's: if it is asked for, or if
   * one is declared and Slurm wires none of the image's, or the image lacks the one that the
   * command needs.
   */
  static boolean wantsHost(LaunchSpec spec, Knowledge known) {
    if (spec.mpi().model() != MpiChoice.Model.AUTO || spec.mpi().hosts().isEmpty()) {
      return spec.mpi().model() == MpiChoice.Model.HOST;
    }
    if (known.program().isLauncher() || spec.mpi().singletons() || !isMany(spec)) {
      return false;
    }
    List<Mpi> ofImage = known.imageMpi();
    List<String> plugins = known.cluster().mpiPlugins().orElse(List.of());
    boolean deaf =
        !ofImage.isEmpty()
            && ofImage.stream()
                .noneMatch(mpi -> plugins.stream().anyMatch(each -> speaks(mpi, each)));
    return deaf || known.program().missing().stream().anyMatch(HostMpiReader::isMpi);
  }

  Wiring decide(Mode mode) {
    decideModel();
    addTraits();
    plugin = choose();
    addWiringTraits();
    for (MpiRule rule : MpiRules.ROWS) {
      if (!holds(rule.when(), mode)) {
        continue;
      }
      apply(rule);
    }
    return new Wiring(plugin, defaults, aloneDefaults, warnings, refusals, guard());
  }

  /**
   * A switch over types would do, but the JVM makes a class for it at each start, which takes 50
   * ms.
   */
  private void apply(MpiRule rule) {
    if (rule.effect() instanceof MpiRule.Setting setting) {
      set(rule, setting);
    } else if (rule.effect() instanceof MpiRule.Warn warn) {
      warnings.add(advice(rule, warn.remedy()));
    } else if (rule.effect() instanceof MpiRule.Refuse refuse
        && (!spec.mpi().singletons() || !rule.when().traits().contains(Trait.LINKED))) {
      refuse(advice(rule, refuse.remedy()));
    }
  }

  private void decideModel() {
    if (host.isEmpty()) {
      if (!spec.mpi().hosts().isEmpty()) {
        boolean asked = spec.mpi().model() == MpiChoice.Model.CONTAINER;
        decisions.add(
            new Decision(
                MODEL,
                MpiChoice.Model.CONTAINER.label(),
                asked
                    ? "you asked for it"
                    : "the image's own MPI does, or the declared one does not fit",
                asked ? "option --mpi-model" : "built-in"));
      }
      return;
    }
    HostMpi library = host.get();
    boolean asked = spec.mpi().model() == MpiChoice.Model.HOST;
    decisions.add(
        new Decision(
            MODEL,
            MpiChoice.Model.HOST.label(),
            asked
                ? "you asked for it"
                : "nothing of Slurm's wires the image's MPI, or the image has none that the command"
                    + " needs",
            asked ? "option --mpi-model" : "built-in"));
    decisions.add(
        new Decision(
            "host-mpi",
            library.library() + " (" + library.mpi().label() + ")",
            "it takes the place of the image's, with "
                + (library.binds().stream().map(BindMount::source).distinct().count() - 1)
                + " more files of the nodes",
            HOST_SOURCE));
    if (!library.leftOut().isEmpty()) {
      decisions.add(
          new Decision(
              "left-out",
              String.join("; ", library.leftOut()),
              "plug-ins of the host's MPI that cannot be loaded on this machine",
              "ldd(1)"));
    }
  }

  private void refuse(Advice advice) {
    (spec.mpi().force() ? warnings : refusals).add(advice);
  }

  /** What the agents need to see whether rank 0 is alone; see guard.bash. */
  private List<String> guard() {
    List<String> words = new ArrayList<>();
    List<Mpi> seen = List.of();
    if (traits.contains(Trait.MANY) && !program.isLauncher() && !spec.mpi().singletons()) {
      seen =
          watched()
              .distinct()
              .filter(mpi -> !mpi.state().isEmpty() && mpi.path().matches("[^:\\s]+"))
              .toList();
    }
    boolean guarded = spec.mpi().guard();
    if (guarded) {
      seen.forEach(mpi -> contact(mpi).ifPresent(contact -> words.add(guardWord(mpi, contact))));
    }
    decideGuard(words);
    // Whether MPI is initialised says whether a TCP connection is MPI's.
    seen.stream()
        .filter(mpi -> !guarded || contact(mpi).isEmpty())
        .forEach(mpi -> words.add(guardWord(mpi, "any")));
    return words;
  }

  private void decideGuard(List<String> words) {
    decisions.add(
        new Decision(
            "world-size-guard",
            words.isEmpty() ? "off" : "on",
            guardReason(words),
            spec.mpi().singletons()
                ? "option --singletons"
                : spec.mpi().guard() ? "built-in" : "option --no-guard"));
  }

  private Stream<Mpi> watched() {
    Stream<Mpi> ofImage =
        Stream.concat(program.mpi().stream(), profile.stream().flatMap(p -> p.mpi().stream()));
    if (host.isEmpty()) {
      return ofImage;
    }
    List<Mpi> mapped = host.get().mapped();
    Set<String> over = mapped.stream().map(Mpi::path).collect(Collectors.toSet());
    return Stream.concat(mapped.stream(), ofImage.filter(mpi -> !over.contains(mpi.path())));
  }

  /** How a library that is wired shows it; empty if it shows nothing, but speaks the plug-in. */
  private Optional<String> contact(Mpi mpi) {
    if (plugin.equals(NONE) || !speaks(mpi, plugin)) {
      return Optional.of("never");
    }
    return kind(plugin).equals(PMIX) ? Optional.of(PMIX) : Optional.empty();
  }

  private static String guardWord(Mpi mpi, String contact) {
    return String.join(
        ":", mpi.state(), contact, mpi.label().replaceAll("[:\\p{Cntrl}]", " "), mpi.path());
  }

  private String guardReason(List<String> words) {
    if (!words.isEmpty()) {
      return "a launch whose ranks turn out to be MPI jobs of their own is ended";
    }
    if (spec.mpi().singletons()) {
      return "you want ranks that are alone";
    }
    if (program.isLauncher()) {
      return "the ranks are the launcher's";
    }
    if (!spec.mpi().guard()) {
      return "you do not want it";
    }
    if (!traits.contains(Trait.MANY)) {
      return "there is one rank";
    }
    return candidates.isEmpty()
        ? "no MPI is known that could be left alone"
        : "an MPI that --mpi=" + plugin + " wires does not show whether it is";
  }

  private void addTraits() {
    if (isMany(spec)) {
      traits.add(Trait.MANY);
    }
    if (program.isLauncher()) {
      traits.add(Trait.LAUNCHER);
    } else if (program.mpi().isPresent()
        || (host.isPresent() && program.missing().stream().anyMatch(HostMpiReader::isMpi))) {
      traits.add(Trait.LINKED);
    } else if (!candidates.isEmpty()) {
      traits.add(Trait.PERHAPS);
    }
    if (program.isLauncher()
        || (!traits.contains(Trait.MANY)
            && program.reach() != Program.Reach.CLOSED
            && !candidates.isEmpty())) {
      traits.add(Trait.MAY_LAUNCH);
    }
    if (!missing().isEmpty()) {
      traits.add(Trait.MISSING_LIBRARY);
    }
    host.ifPresent(this::addHostTraits);
    traits.add(library("pmi2").isEmpty() ? Trait.LACKS_PMI2 : Trait.HAS_PMI2);
    if (library("ucx").isPresent()) {
      traits.add(Trait.HAS_UCX);
    }
    List<Library> pmix = libraries(PMIX).toList();
    if (pmix.stream().anyMatch(library -> library.parts().contains("psec_native"))
        && pmix.stream().noneMatch(library -> library.parts().contains("psec_munge"))) {
      traits.add(Trait.LACKS_MUNGE);
    }
    boolean contained = spec.container().flags().contains(ContainerFlag.CONTAIN);
    if (contained) {
      traits.add(Trait.OWN_SHM);
    }
    boolean own = contained || spec.container().noMount().contains("tmp");
    if (own && (cluster.clientDirectory() + "/").startsWith("/tmp/")) {
      traits.add(Trait.OWN_TMP);
    }
    if (cluster.jobContainer().endsWith("/tmpfs")) {
      traits.add(Trait.PRIVATE_TMP);
    }
  }

  private void addHostTraits(HostMpi library) {
    traits.add(Trait.HOST);
    if (!library.abi()) {
      traits.add(Trait.HOST_OTHER_ABI);
    }
    if (!library.older().isEmpty()) {
      traits.add(Trait.HOST_OLDER);
    }
    if (!library.missing().isEmpty()) {
      traits.add(Trait.HOST_INCOMPLETE);
    }
    if (!library.tooNew().isEmpty()) {
      traits.add(Trait.HOST_TOO_NEW);
    }
    if (!library.unknownFunctions().isEmpty() && traits.contains(Trait.LINKED)) {
      traits.add(Trait.HOST_LACKS_FUNCTIONS);
    }
    if (!library.lostPlugins().isEmpty()) {
      traits.add(Trait.HOST_LOST_PLUGIN);
    }
    if (!library.lacking().isEmpty()) {
      traits.add(Trait.HOST_LACKS_BINDINGS);
    }
  }

  /** What the command needs and the container does not have. */
  private List<String> missing() {
    return program.missing().stream()
        .filter(name -> host.isEmpty() || !host.get().provides(name))
        .toList();
  }

  /**
   * Whether there may be more than one rank: unless one is asked for, sizes can come from Slurm.
   */
  private static boolean isMany(LaunchSpec spec) {
    Optional<String> tasks = spec.slurm(SlurmOption.NTASKS);
    if (tasks.isPresent()) {
      return !tasks.get().equals("1");
    }
    boolean sized =
        Stream.of(
                SlurmOption.NODES,
                SlurmOption.NTASKS_PER_NODE,
                SlurmOption.NTASKS_PER_CORE,
                SlurmOption.NTASKS_PER_SOCKET,
                SlurmOption.NTASKS_PER_GPU)
            .map(spec::slurm)
            .flatMap(Optional::stream)
            .anyMatch(size -> !size.equals("1"));
    return sized || spec.kind() != LaunchSpec.Kind.JOB || !spec.verbatim().isEmpty();
  }

  private void addWiringTraits() {
    long deaf = candidates.stream().filter(mpi -> !speaks(mpi, plugin)).count();
    if (candidates.isEmpty() || plugin.equals(NONE)) {
      return;
    }
    if (deaf == candidates.size()) {
      traits.add(Trait.DEAF);
    } else if (deaf > 0) {
      traits.add(Trait.MIXED);
    }
  }

  private static boolean speaks(Mpi mpi, String plugin) {
    String kind = kind(plugin);
    return mpi.family() == ImageProfile.Family.UNKNOWN
        || mpi.speaks().contains(kind)
        // Cray MPICH's client is in a library of its own; Intel MPI loads one that it is told.
        || (mpi.family() == ImageProfile.Family.CRAY_MPICH && kind.equals("cray_shasta"))
        || (mpi.family() == ImageProfile.Family.INTEL_MPI && kind.equals("pmi2"));
  }

  /** pmix_v5 is a pmix. */
  private static String kind(String plugin) {
    return plugin.startsWith(PMIX) ? PMIX : plugin;
  }

  private String choose() {
    Optional<String> wanted = spec.mpi().plugin();
    if (wanted.isPresent()) {
      checkExists(wanted.get());
      return decide(wanted.get(), "you asked for it", "option --mpi");
    }
    if (spec.mpi().singletons()) {
      return decide(NONE, "each rank is to be alone", "option --singletons");
    }
    List<MpiRule> rows = wires();
    for (String possible : possible(rows)) {
      Optional<MpiRule> row =
          rows.stream().filter(rule -> wire(rule).contains(kind(possible))).findFirst();
      if (row.isPresent()) {
        return decide(possible, text(row.get(), row.get().reason()), source(row.get()));
      }
    }
    if (!cluster.mpiDefault().equals(NONE)) {
      return decide(cluster.mpiDefault(), "the cluster's default", "slurm.conf MpiDefault");
    }
    for (String preferred : List.of(PMIX, "pmi2")) {
      if (plugins().contains(preferred)) {
        return decide(
            preferred,
            "MpiDefault is none, which would start every rank as rank 0, and Slurm has "
                + preferred,
            "srun --mpi=list");
      }
    }
    return decide(NONE, "Slurm has neither pmix nor pmi2", "srun --mpi=list");
  }

  private void checkExists(String wanted) {
    cluster
        .mpiPlugins()
        .filter(plugins -> !wanted.equals(NONE) && !plugins.contains(wanted))
        .ifPresent(
            plugins -> {
              throw Failure.refused(
                  "--mpi=" + wanted + " is not a plug-in of this Slurm " + cluster.slurmVersion(),
                  "use one of: " + String.join(", ", plugins));
            });
  }

  /** The rows that say which plug-ins can wire these ranks. */
  private List<MpiRule> wires() {
    return MpiRules.ROWS.stream()
        .filter(rule -> rule.effect() instanceof MpiRule.Wire)
        .filter(
            rule ->
                traits.containsAll(rule.when().traits())
                    && (rule.when().families().isEmpty() || isOfCandidates(rule.when())))
        .toList();
  }

  private static List<String> wire(MpiRule rule) {
    return rule.effect() instanceof MpiRule.Wire wire ? wire.plugins() : List.of();
  }

  /**
   * The plug-ins that all MPIs which the command may use speak, else some: the cluster's default
   * first, then in the rows' order.
   */
  private List<String> possible(List<MpiRule> rows) {
    if (program.isLauncher()) {
      return List.of(NONE);
    }
    Set<String> named = new LinkedHashSet<>();
    named.add(cluster.mpiDefault());
    rows.forEach(rule -> named.addAll(wire(rule)));
    List<String> some =
        named.stream()
            .filter(each -> plugins().contains(each))
            .filter(each -> candidates.stream().anyMatch(mpi -> speaks(mpi, each)))
            .toList();
    List<String> all =
        some.stream()
            .filter(each -> candidates.stream().allMatch(mpi -> speaks(mpi, each)))
            .toList();
    return all.isEmpty() ? some : all;
  }

  private List<String> plugins() {
    return cluster.mpiPlugins().orElse(List.of());
  }

  private String decide(String chosen, String reason, String source) {
    decisions.add(new Decision("mpi", chosen, reason, source));
    return chosen;
  }

  private boolean holds(When when, Mode mode) {
    Set<Trait> wanted = EnumSet.noneOf(Trait.class);
    wanted.addAll(when.traits());
    if (mode != Mode.JOIN) {
      wanted.remove(Trait.ALONE); // decided on the node
    }
    return traits.containsAll(wanted)
        && (when.plugins().isEmpty() || when.plugins().contains(kind(plugin)))
        && (when.families().isEmpty() || isOfCandidates(when))
        && when.slurm().contains(Optional.of(cluster.slurmVersion()))
        && inImage(PMIX, when.pmix())
        && (when.ucx().equals(VersionRange.ANY) || mayHaveUcx(when.ucx()));
  }

  /** A UCX of unknown version, or in an image that could not be looked into, may be an old one. */
  private boolean mayHaveUcx(VersionRange versions) {
    return profile.isEmpty()
        || libraries("ucx")
            .anyMatch(ucx -> ucx.version().isEmpty() || versions.contains(ucx.version()));
  }

  private boolean isOfCandidates(When when) {
    return candidates.stream()
        .anyMatch(
            mpi -> when.families().contains(mpi.family()) && when.mpi().contains(mpi.version()));
  }

  private boolean inImage(String library, VersionRange versions) {
    return versions.equals(VersionRange.ANY)
        || libraries(library).anyMatch(each -> versions.contains(each.version()));
  }

  private Stream<Library> libraries(String name) {
    List<Library> ofHost = host.map(HostMpi::libraries).orElse(List.of());
    Stream<Library> all =
        ofHost.stream().anyMatch(library -> library.name().equals(name))
            ? ofHost.stream()
            : profile.stream()
                .flatMap(known -> Stream.concat(known.pmi().stream(), known.network().stream()));
    return all.filter(library -> library.name().equals(name));
  }

  private Optional<Library> library(String name) {
    return libraries(name).findFirst();
  }

  private void set(MpiRule rule, MpiRule.Setting setting) {
    List<EnvironmentVariable> list =
        rule.when().traits().contains(Trait.ALONE) ? aloneDefaults : defaults;
    boolean set =
        spec.container().sets(setting.name())
            || list.stream().anyMatch(variable -> variable.name().equals(setting.name()));
    if (set) {
      return;
    }
    String value = text(rule, setting.value());
    list.add(new EnvironmentVariable(setting.name(), ByteString.of(value)));
    decisions.add(new Decision(setting.name(), value, text(rule, rule.reason()), source(rule)));
  }

  private Advice advice(MpiRule rule, String remedy) {
    return new Advice(text(rule, rule.reason()), text(rule, remedy), source(rule));
  }

  private static String source(MpiRule rule) {
    return "rule " + rule.id() + ": " + rule.source();
  }

  /** What to do about a plug-in that the MPI does not speak. */
  private String instead() {
    boolean other =
        plugins().stream().anyMatch(each -> candidates.stream().anyMatch(mpi -> speaks(mpi, each)));
    return spec.mpi().plugin().isPresent() && other
        ? "leave out --mpi"
        : "use an image whose MPI speaks one of: "
            + plugins().stream()
                .filter(each -> !each.equals(NONE) && !each.matches("pmix_v\\d"))
                .collect(Collectors.joining(", "));
  }

  /** The first of several, and how many more there are. */
  private static String some(List<String> all) {
    return all.size() < 2
        ? String.join("", all)
        : all.getFirst() + " (and " + (all.size() - 1) + " more)";
  }

  private String text(MpiRule rule, String template) {
    List<Mpi> meant =
        candidates.stream()
            .filter(
                mpi ->
                    rule.when().families().isEmpty()
                        || rule.when().families().contains(mpi.family()))
            .toList();
    return template
        .replace("{command}", program.name().isEmpty() ? "the script" : program.name())
        .replace("{mpi}", meant.stream().map(Mpi::label).collect(Collectors.joining(" and ")))
        .replace(
            "{speaks}",
            meant.stream()
                .map(mpi -> String.join(" and ", mpi.speaks()))
                .map(speaks -> speaks.isEmpty() ? "no interface of Slurm's" : speaks)
                .distinct()
                .collect(Collectors.joining(", ")))
        .replace("{plugin}", plugin)
        .replace("{instead}", instead())
        .replace("{missing}", String.join(", ", missing()))
        .replace("{pmi2}", library("pmi2").map(library -> "/" + library.path()).orElse(""))
        .replace("{slurm}", cluster.slurmVersion())
        .replace("{image-mpi}", imageMpi)
        .replace("{host}", host.map(library -> library.library().toString()).orElse(""))
        .replace("{host-older}", host.map(HostMpi::older).orElse(""))
        .replace("{host-missing}", host.map(library -> some(library.missing())).orElse(""))
        .replace("{host-too-new}", host.map(library -> some(library.tooNew())).orElse(""))
        .replace(
            "{host-functions}", host.map(library -> some(library.unknownFunctions())).orElse(""))
        .replace("{host-lost}", host.map(library -> some(library.lostPlugins())).orElse(""))
        .replace("{host-lacking}", host.map(library -> some(library.lacking())).orElse(""));
  }
}
