package io.hpcrun.plan;

import io.hpcrun.image.Image;
import io.hpcrun.image.ImageProfile;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.policy.Fact;
import io.hpcrun.policy.Facts;
import io.hpcrun.policy.Value;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.ContainerFlag;
import io.hpcrun.spec.ContainerOptions;
import io.hpcrun.spec.EnvironmentVariable;
import io.hpcrun.spec.LaunchSpec;
import io.hpcrun.spec.Surroundings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The facts of a launch, as a policy looks at them. Those of the container are taken as the job
 * script will have them, so that slurmctld finds the same.
 */
final class LaunchFacts {
  private static final String DOTS = "a path holds '..'";
  private static final String RELATIVE = "a path does not begin with /";

  private static final Pattern BINDS = Pattern.compile("(?:APPTAINER|SINGULARITY)_BIND(?:PATH)?");

  private final LaunchSpec spec;
  private final Knowledge known;
  private final Facts facts = new Facts();

  private LaunchFacts(LaunchSpec spec, Knowledge known) {
    this.spec = spec;
    this.known = known;
  }

  /** What is known before anything is decided. */
  static Facts of(LaunchSpec spec, Knowledge known) {
    return new LaunchFacts(spec, known).collect(Optional.empty());
  }

  /** What is known of a plan. */
  static Facts of(Plan plan, Knowledge known) {
    return new LaunchFacts(plan.spec(), known).collect(Optional.of(plan));
  }

  private Facts collect(Optional<Plan> plan) {
    image();
    request();
    container(plan);
    new JobFacts(spec, known.surroundings()).tell(facts);
    facts.with(Fact.KIND, Value.of(spec.kind().name().toLowerCase(Locale.ROOT)));
    facts.with(
        Fact.COMMAND,
        Value.of(spec.command().stream().limit(1).map(ByteString::toString).toList()));
    plan.ifPresent(
        decided -> {
          facts.with(Fact.MODE, Value.of(decided.mode().label()));
          facts.with(Fact.MPI, Value.of(decided.mpi()));
        });
    return facts;
  }

  private void image() {
    Image image = known.image();
    String path = image.path().toString();
    facts.with(Fact.IMAGE, holdsDots(path) ? Value.unknown(DOTS) : Value.of(path));
    facts.with(Fact.IMAGE_FORMAT, Value.of(image.format().name().toLowerCase(Locale.ROOT)));
    facts.with(Fact.IMAGE_SIGNED, Value.of(image.signed()));
    facts.with(
        Fact.IMAGE_AGE,
        image
            .built()
            .filter(built -> known.surroundings().at() > 0)
            .map(built -> Value.of(Math.max(0, known.surroundings().at() - built)))
            .orElse(Value.unknown("the image does not say when it was made")));
    if (known.profile().isEmpty()) {
      Value unread = Value.unknown("hpcrun could not look into the image");
      facts.with(Fact.IMAGE_MPI, unread);
      facts.with(Fact.IMAGE_LIBRARIES, unread);
      return;
    }
    ImageProfile profile = known.profile().get();
    facts.with(Fact.IMAGE_MPI, Value.of(profile.mpi().stream().map(Mpi::label).toList()));
    facts.with(
        Fact.IMAGE_LIBRARIES,
        Value.of(
            Stream.of(profile.pmi(), profile.network(), profile.gpu())
                .flatMap(List::stream)
                .map(Library::name)
                .distinct()
                .toList()));
    facts.withLabels(profile.labels());
  }

  private void request() {
    Surroundings surroundings = known.surroundings();
    Optional<String> source = surroundings.source();
    facts.with(
        Fact.IMAGE_SOURCE,
        source.map(Value::of).orElse(Value.unknown("hpcrun was not told the image's name")));
    facts.with(
        Fact.IMAGE_TAG,
        source.isEmpty()
            ? Value.unknown("hpcrun was not told the image's name")
            : Value.of(tag(source.get()).stream().toList()));
    facts.with(
        Fact.IMAGE_PINNED,
        Value.of(
            source.orElse("").matches(".*@sha256:[0-9a-f]{64}")
                || known.image().path().toString().matches(".*/sha256/[0-9a-f]{64}\\.sif")
                    && source.filter(name -> name.startsWith("/")).isPresent()));
    facts.with(Fact.MODULES, Value.of(surroundings.modules()));
    facts.with(
        Fact.USER,
        surroundings.user().isEmpty()
            ? Value.unknown("hpcrun was not told the user's name")
            : Value.of(surroundings.user()));
  }

  /** The tag of a reference; {@code latest} if it names no content at all. */
  private static Optional<String> tag(String source) {
    if (!source.matches("(docker|oras|library)://.*") || source.contains("@sha256:")) {
      return Optional.empty();
    }
    String name = source.substring(source.lastIndexOf('/') + 1);
    int colon = name.indexOf(':');
    return Optional.of(colon < 0 ? "latest" : name.substring(colon + 1));
  }

  private void container(Optional<Plan> plan) {
    ContainerOptions container = spec.container();
    List<BindMount> binds = new ArrayList<>(container.binds());
    container.home().ifPresent(home -> binds.addFirst(ofHome(home)));
    known.host().ifPresent(host -> binds.addAll(host.binds()));
    new Binds(binds, known.surroundings()).tell(facts);
    facts.with(
        Fact.ENV,
        Value.of(
            Stream.concat(
                    container.environment().stream().map(EnvironmentVariable::name),
                    container.choice().byName().stream())
                .toList()));
    facts.with(
        Fact.HOME,
        known
            .surroundings()
            .variable("APPTAINER_HOME")
            .or(() -> known.surroundings().variable("SINGULARITY_HOME"))
            .map(set -> Value.unknown("the environment sets APPTAINER_HOME; unset it"))
            .orElse(
                Value.of(
                    container.home().isEmpty()
                        && !container.flags().contains(ContainerFlag.NO_HOME)
                        && !container.flags().contains(ContainerFlag.CONTAIN)
                        && !container.noMount().contains("home"))));
    facts.with(
        Fact.FLAGS,
        Value.of(
            Stream.of(
                    container.flags().stream(),
                    plan.stream().flatMap(decided -> decided.devices().gpuFlags().stream()),
                    Arrays.stream(ContainerFlag.values()).filter(this::isSetByVariable))
                .flatMap(flags -> flags)
                .distinct()
                .map(ContainerFlag::option)
                .toList()));
  }

  /** SOURCE[:DESTINATION] of {@code --home}, which Apptainer binds. */
  private static BindMount ofHome(ByteString home) {
    String[] parts = home.latin1().split(":", 2);
    return new BindMount(
        ByteString.ofLatin1(parts[0]), ByteString.ofLatin1(parts[parts.length - 1]), false);
  }

  /** Whether a variable of the user's shell gives the runtime this option. */
  private boolean isSetByVariable(ContainerFlag flag) {
    return flag.variables().stream()
        .flatMap(name -> known.surroundings().variable(name).stream())
        .anyMatch(value -> !value.matches("(?i)0|f|false"));
  }

  private static boolean holdsDots(String path) {
    return Arrays.asList(path.split("/")).contains("..");
  }

  /**
   * What of the node the container will see.
   *
   * @param binds by options
   * @param surroundings which may add more
   */
  private record Binds(List<BindMount> binds, Surroundings surroundings) {
    void tell(Facts facts) {
      List<BindMount> all = new ArrayList<>(binds);
      Optional<String> unread = Optional.empty();
      for (String name : surroundings.variables().keySet()) {
        String value = surroundings.variables().get(name);
        if (BINDS.matcher(name).matches()) {
          all.addAll(ofVariable(value));
          Optional<String> why = unreadable(name, value);
          unread = why.isPresent() ? why : unread;
        } else if (name.matches("(APPTAINER|SINGULARITY)_.*") && !isFlag(name)) {
          unread = Optional.of("the environment sets " + name + "; unset it");
        }
      }
      List<String> sources = all.stream().map(bind -> bind.source().toString()).toList();
      List<String> destinations = all.stream().map(bind -> bind.destination().toString()).toList();
      facts.with(Fact.BIND, value(sources, sources, unread));
      facts.with(
          Fact.BIND_WRITABLE,
          value(
              all.stream()
                  .filter(bind -> !bind.readOnly())
                  .map(bind -> bind.source().toString())
                  .toList(),
              sources,
              unread));
      facts.with(Fact.BIND_DESTINATION, value(destinations, destinations, unread));
    }

    private static Value value(List<String> texts, List<String> paths, Optional<String> unread) {
      return unread
          .map(Value::unknown)
          .orElse(
              paths.stream()
                  .flatMap(path -> problem(path).stream())
                  .reduce((first, last) -> last)
                  .map(Value::unknown)
                  .orElse(Value.of(texts)));
    }

    private static boolean isFlag(String variable) {
      return Arrays.stream(ContainerFlag.values())
          .anyMatch(flag -> flag.variables().contains(variable));
    }

    private static Optional<String> problem(String path) {
      if (holdsDots(path)) {
        return Optional.of(DOTS);
      }
      return path.startsWith("/") ? Optional.empty() : Optional.of(RELATIVE);
    }

    /** What Apptainer reads otherwise than {@link #ofVariable} does. */
    private static Optional<String> unreadable(String name, String value) {
      if (value.contains("\\")) {
        return Optional.of("the environment sets " + name + " with a backslash; unset it");
      }
      return Arrays.stream(value.split(",")).anyMatch(each -> each.split(":", -1).length > 3)
          ? Optional.of("the environment sets " + name + " with too many colons; unset it")
          : Optional.empty();
    }

    /** SRC[:DST[:OPTIONS]], and more behind commas, as Apptainer reads it. */
    private static List<BindMount> ofVariable(String text) {
      List<BindMount> found = new ArrayList<>();
      for (String each : text.split(",")) {
        String[] parts = each.split(":", 3);
        if (!each.isEmpty() && !each.equals("ro") && !each.equals("rw")) {
          found.add(
              new BindMount(
                  ByteString.of(parts[0]),
                  ByteString.of(parts.length > 1 ? parts[1] : parts[0]),
                  parts.length > 2 && ("," + parts[2] + ",").contains(",ro,")));
        }
      }
      return found;
    }
  }
}
