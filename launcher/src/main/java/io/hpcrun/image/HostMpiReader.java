package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import io.hpcrun.image.ContainerFiles.Found;
import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.process.Programs;
import io.hpcrun.spec.BindMount;
import io.hpcrun.spec.ByteString;
import io.hpcrun.spec.EnvironmentVariable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes an MPI library of this machine ready to take the place of an image's: which of the host's
 * files that takes, and whether they can work in the image.
 *
 * <p>MPI itself and the libraries of networks and process managers come from the host, with their
 * plug-ins; of other libraries that both sides have, the newer one, since the image's programs may
 * need it; the C library is always the image's.
 */
public final class HostMpiReader {
  /** Where the host's files are in the container; no image has anything there. */
  private static final String DIRECTORY = "/.hpcrun/mpi";

  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final byte[] NO_INPUT = {};

  /** A line of ldd(1): {@code libm.so.6 => /lib/libm.so.6 (0x7f...)}. */
  private static final Pattern RESOLVED = Pattern.compile("\\s+(\\S+) => (/.+?)(?: \\(0x\\w+\\))?");

  /** A library that is needed by its path, or the loader itself. */
  private static final Pattern ABSOLUTE = Pattern.compile("\\s+(/\\S*/(\\S+)) \\(0x\\w+\\)");

  private static final Pattern UNRESOLVED = Pattern.compile("\\s+(\\S+) => not found");

  /** Parts of the C library, which belong to the image's loader. */
  private static final Pattern C_LIBRARY =
      Pattern.compile(
          "(ld-\\w.*|lib(c|m|mvec|dl|rt|pthread|util|resolv|nsl|nss_\\w+|anl|BrokenLocale))\\.so.*");

  /** What makes up MPI with its network: one release of it, on one side. */
  private static final Pattern OF_MPI =
      Pattern.compile(
          "lib(mpi|mpich|open-|open_mpi|pmix|pmi|pals|slurm|uc[mpst]|ucc|hcoll|ocoms|sharp|fabric|psm|cxi|ibverbs|rdmacm|ibumad|ibmad|mlx|efa|mana|hns|xpmem|knem|gdrapi|mca_)\\w*[^/]*\\.so.*");

  /**
   * The parts of MPI for other languages; libmpichfort is Debian's name of MPICH's libmpifort, and
   * Cray's names end in a compiler's.
   */
  private static final Pattern BINDING =
      Pattern.compile(
          "libmpi(?:ch)?_?(fort|cxx|f77|f90|mpifh|usempif08|usempi_ignore_tkr|usempi|f08)(?:_\\w+)?\\.so(\\.\\d+)(\\.[0-9.]+)?");

  private static final Pattern FUNCTION = Pattern.compile("P?MPIX?_[A-Z]\\w*");

  /** What programs need. */
  private static final Pattern NEEDED =
      Pattern.compile(
          "(?!libmpi_(abi|ilp64))" + MpiReader.NAME.pattern().replace("(\\.[0-9.]+)?", "\\.\\d+"));

  /** Where Intel MPI has its libfabric, from the directory of libmpi (its env/vars.sh). */
  private static final List<String> INTEL_FABRIC =
      List.of(
          "../libfabric/lib",
          "../../libfabric/lib",
          "../opt/mpi/libfabric/lib",
          "../../opt/mpi/libfabric/lib");

  private static final Set<Family> MPICH_ABI =
      Set.of(Family.MPICH, Family.INTEL_MPI, Family.MVAPICH, Family.CRAY_MPICH);

  /** glibc's versions that are no numbers, by the release that has them first (glibc, NEWS). */
  private static final Map<String, String> GLIBC_ABI =
      Map.of(
          "GLIBC_ABI_DT_RELR", "2.36", "GLIBC_ABI_GNU_TLS", "2.42", "GLIBC_ABI_GNU2_TLS", "2.42");

  /**
   * Plug-ins that a library opens by name.
   *
   * @param library begins the name of the library that opens them
   * @param directory where they are, beside it
   * @param files their names
   * @param variable what tells the library where they are; empty: beside the library, wherever that
   *     is
   * @param each how a plug-in stands in the variable, {@code %s} for its name up to {@code -rdmav};
   *     empty: the variable holds the directory
   */
  private record Plugins(
      String library, String directory, Pattern files, String variable, String each) {}

  private static final List<Plugins> PLUGINS =
      List.of(
          // UCX, src/ucs/sys/module.c: below the directory of libucs, unless it is told
          new Plugins(
              "libucs.so", "ucx", Pattern.compile("libuc\\w+\\.so\\.0"), "UCX_MODULE_DIR", ""),
          // UCC, src/core/ucc_constructor.c: likewise
          new Plugins("libucc.so", "ucc", Pattern.compile("libucc_\\w+\\.so(\\.\\d)?"), "", ""),
          // libfabric, fabric(7)
          new Plugins(
              "libfabric.so",
              "libfabric",
              Pattern.compile("lib\\S+-fi\\.so"),
              "FI_PROVIDER_PATH",
              ""),
          // Intel MPI's libfabric
          new Plugins(
              "libfabric.so", "prov", Pattern.compile("lib\\S+-fi\\.so"), "FI_PROVIDER_PATH", ""),
          // rdma-core, libibverbs/dynamic_driver.c: absolute paths without "-rdmavN.so"
          new Plugins(
              "libibverbs.so",
              "libibverbs",
              Pattern.compile("(lib\\w+)-rdmav\\d+\\.so"),
              "IBV_DRIVERS",
              DIRECTORY + "/libibverbs/%s"),
          // Open MPI, opal/mca/base
          new Plugins(
              "libopen-pal.so",
              "openmpi",
              Pattern.compile("mca_\\w+\\.so"),
              "OMPI_MCA_mca_base_component_path",
              ""),
          new Plugins(
              "libopen-pal.so",
              "openmpi3",
              Pattern.compile("mca_\\w+\\.so"),
              "OMPI_MCA_mca_base_component_path",
              ""),
          new Plugins(
              "libpmix.so",
              "pmix",
              Pattern.compile("(pmix_)?mca_\\w+\\.so"),
              "PMIX_MCA_mca_base_component_path",
              ""));

  private final Path library;
  private final ImageProfile profile;
  private Mpi mpi;

  /** Needed by absolute paths, which the container must have as well. */
  private final Set<Path> absolute = new LinkedHashSet<>();

  /** The host's files by the names that they have in the directory. */
  private final Map<String, Path> files = new LinkedHashMap<>();

  private final Map<String, Set<String>> variables = new LinkedHashMap<>();
  private final Set<String> missing = new LinkedHashSet<>();
  private final List<String> leftOut = new ArrayList<>();

  private HostMpiReader(Path library, Mpi mpi, ImageProfile profile) {
    this.library = library;
    this.mpi = mpi;
    this.profile = profile;
  }

  /**
   * Makes one of several MPI libraries ready: the first one that fits.
   *
   * @param libraries files of this machine, at least one
   * @param program the command; if it needs an MPI that the image does not have, that one is meant
   * @param replaced the image's MPI libraries in whose place it is to be otherwise
   * @throws Failure with exit code 3 when one is no MPI library that can be used
   */
  public static HostMpi read(
      List<Path> libraries,
      Image image,
      ImageProfile profile,
      Program program,
      Collection<Mpi> replaced,
      ProgramRequest request) {
    try {
      List<HostMpiReader> readers = new ArrayList<>();
      for (Path library : libraries) {
        readers.add(new HostMpiReader(library, open(library, profile), profile));
      }
      List<String> needed = program.missing().stream().filter(HostMpiReader::isMpi).toList();
      Collection<Mpi> old = needed.isEmpty() ? replaced : List.of();
      HostMpiReader best =
          readers.stream()
              .filter(reader -> reader.fits(old, needed))
              .findFirst()
              .orElse(readers.getFirst());
      return best.read(image, program, old, needed, request);
    } catch (IOException failed) {
      throw Failure.image(
          "it cannot be seen whether the host's MPI fits into %s: %s"
              .formatted(image.path(), failed.getMessage()),
          "check the file systems that hold them");
    }
  }

  /** Whether a library's name is that of an MPI library as programs need it. */
  public static boolean isMpi(String name) {
    return NEEDED.matcher(name).matches();
  }

  /** Whether it can be what the command needs, or one of the image's. */
  private boolean fits(Collection<Mpi> old, List<String> needed) {
    return needed.isEmpty()
        ? old.isEmpty() || old.stream().anyMatch(this::isAbiOf)
        : needed.stream()
            .allMatch(
                name ->
                    name.equals(mpi.soname())
                        || (MPICH_ABI.contains(mpi.family())
                            && numbers(name).equals(numbers(mpi.soname()))));
  }

  private static Mpi open(Path library, ImageProfile profile) throws IOException {
    Optional<Elf> elf =
        Files.isRegularFile(library) && Files.isReadable(library)
            ? Elf.read(library.toRealPath())
            : Optional.empty();
    if (elf.isEmpty() || elf.get().soname().isEmpty()) {
      throw Failure.refused(
          "the host's MPI " + library + " is no shared library that can be read here",
          "give the file that programs are linked to, such as /usr/lib64/libmpi.so.40");
    }
    String real = library.toRealPath().toString().substring(1);
    Mpi mpi = MpiReader.read(real, elf.get(), MpiReader.pluginsBeside(library));
    if (mpi.family() == Family.UNKNOWN) {
      throw Failure.refused(
          "hpcrun does not know the MPI at " + library + ", whose soname is " + mpi.soname(),
          "give a library of MPICH, Intel MPI, MVAPICH, Cray MPICH or Open MPI");
    }
    Optional<String> architecture = profile.architecture();
    if (architecture.isPresent() && !architecture.get().equals(elf.get().architecture())) {
      throw Failure.refused(
          "the host's MPI %s is for %s, and the image is for %s"
              .formatted(library, elf.get().architecture(), architecture.get()),
          "give a library for " + architecture.get());
    }
    return mpi;
  }

  /**
   * Whether programs that are linked to an MPI can use the host's: the members of the MPICH ABI
   * Compatibility Initiative among each other (libmpi.so.12), Open MPI by its soname.
   */
  private boolean isAbiOf(Mpi other) {
    boolean family =
        MPICH_ABI.contains(mpi.family())
            ? MPICH_ABI.contains(other.family())
            : mpi.family() == other.family();
    return family && numbers(mpi.soname()).equals(numbers(other.soname()));
  }

  private HostMpi read(
      Image image,
      Program program,
      Collection<Mpi> replaced,
      List<String> needed,
      ProgramRequest request)
      throws IOException {
    collect();
    try (ImageFiles imageFiles = ImageFiles.of(image)) {
      List<ImageFiles.Entry> entries =
          imageFiles.list(
              entry ->
                  entry.isLink()
                      || SearchPaths.counts("/" + entry.path())
                      || entry.name().contains(".so")
                      || program.path().filter(("/" + entry.path())::equals).isPresent());
      ContainerFiles container = new ContainerFiles(imageFiles, entries, request.mounts());
      SearchPaths paths = SearchPaths.of(container, request.environment());
      Map<String, Path> binds = new LinkedHashMap<>();
      List<String> names = new ArrayList<>(List.of(mpi.soname()));
      names.addAll(needed);
      List<Mpi> mapped = new ArrayList<>();
      List<String> lacking = new ArrayList<>();
      for (Mpi old : replaced.stream().filter(this::isAbiOf).toList()) {
        names.add(old.soname());
        binds.put("/" + old.path(), library);
        mapped.add(at(old.path()));
        bindBindings(old, entries, binds, lacking);
      }
      for (String name : program.missing()) {
        Matcher matcher = BINDING.matcher(name);
        if (matcher.matches()) {
          addBinding(name, matcher, lacking);
        }
      }
      names.forEach(name -> files.put(name, library));
      leaveNewer(container, paths);
      files.forEach((name, file) -> binds.put(DIRECTORY + "/" + name, file));
      bindOver(container, entries, binds);
      absolute.forEach(file -> binds.put(file.toString(), file));
      names.stream()
          .distinct()
          .map(name -> at((DIRECTORY + "/" + name).substring(1)))
          .forEach(mapped::add);
      return new HostMpi(
          library,
          mpi,
          fits(replaced, needed),
          replaced.stream().map(this::older).filter(text -> !text.isEmpty()).findFirst().orElse(""),
          mapped,
          libraries(),
          binds.entrySet().stream().map(HostMpiReader::bind).toList(),
          libraryPath(paths),
          variables.entrySet().stream().map(HostMpiReader::variable).toList(),
          List.copyOf(missing),
          tooNew(binds.values()),
          lacking,
          unknownFunctions(container, program),
          leftOut);
    }
  }

  /** Functions of MPI that a command uses and the host's library does not have. */
  private List<String> unknownFunctions(ContainerFiles container, Program program)
      throws IOException {
    Optional<Found> file = program.path().flatMap(container::find);
    if (file.isEmpty()) {
      return List.of();
    }
    container.fetch(file.stream().toList());
    Optional<Path> read = container.file(file.get());
    Optional<Elf> elf = read.isEmpty() ? Optional.empty() : Elf.read(read.get());
    Optional<Elf> host = Elf.read(library.toRealPath());
    if (elf.isEmpty() || host.isEmpty()) {
      return List.of();
    }
    Set<String> known = host.get().symbols(true, name -> FUNCTION.matcher(name).matches());
    return elf.get().symbols(false, name -> FUNCTION.matcher(name).matches()).stream()
        .filter(name -> !known.contains(name))
        .sorted()
        .toList();
  }

  /**
   * Binds the libraries of MPI and its network also over those of the image's files that have their
   * sonames: an RPATH wins over LD_LIBRARY_PATH, and the two sides must not mix.
   */
  private void bindOver(
      ContainerFiles container, List<ImageFiles.Entry> entries, Map<String, Path> binds)
      throws IOException {
    Map<Found, String> same = new LinkedHashMap<>();
    for (ImageFiles.Entry entry : entries) {
      if (files.containsKey(entry.name()) && OF_MPI.matcher(entry.name()).matches()) {
        container
            .find("/" + entry.path())
            .filter(found -> found.host().isEmpty() && !binds.containsKey(found.path()))
            .ifPresent(found -> same.put(found, entry.name()));
      }
    }
    container.fetch(same.keySet());
    for (Map.Entry<Found, String> each : same.entrySet()) {
      Optional<Path> file = container.file(each.getKey());
      Optional<Elf> elf = file.isEmpty() ? Optional.empty() : Elf.read(file.get());
      if (elf.isPresent()
          && profile.architecture().filter(elf.get().architecture()::equals).isPresent()) {
        binds.put(each.getKey().path(), files.get(each.getValue()));
      }
    }
  }

  private static String libraryPath(SearchPaths paths) {
    return Stream.concat(Stream.of(DIRECTORY), Arrays.stream(paths.libraryPath().split(":")))
        // Apptainer adds its own by itself.
        .filter(directory -> !directory.isEmpty() && !directory.equals("/.singularity.d/libs"))
        .collect(Collectors.joining(":"));
  }

  private Mpi at(String path) {
    return new Mpi(mpi.family(), mpi.version(), path, mpi.soname(), mpi.speaks(), mpi.state());
  }

  private static BindMount bind(Map.Entry<String, Path> entry) {
    return new BindMount(
        ByteString.of(entry.getValue().toString()), ByteString.of(entry.getKey()), true);
  }

  private static EnvironmentVariable variable(Map.Entry<String, Set<String>> entry) {
    return new EnvironmentVariable(
        entry.getKey(), ByteString.of(String.join(":", entry.getValue())));
  }

  /** The library, what it needs, their plug-ins, and what those need. */
  private void collect() throws IOException {
    files.put(mpi.soname(), library);
    add(List.of(library));
    if (mpi.family() == Family.INTEL_MPI) {
      addFirst("libfabric.so.1", INTEL_FABRIC);
      addFirst("libpmi2.so.0", SearchPaths.DEFAULT_DIRECTORIES);
    }
    if (mpi.family() == Family.OPEN_MPI
        && files.keySet().stream().anyMatch(n -> n.startsWith("libpmix.so"))) {
      Set<String> speaks = new TreeSet<>(mpi.speaks());
      speaks.add("pmix");
      mpi =
          new Mpi(
              mpi.family(),
              mpi.version(),
              mpi.path(),
              mpi.soname(),
              List.copyOf(speaks),
              mpi.state());
    }
    Set<String> done = new LinkedHashSet<>();
    boolean more = true;
    while (more) {
      more = false;
      for (Map.Entry<String, Path> file : List.copyOf(files.entrySet())) {
        for (Plugins plugins : PLUGINS) {
          if (file.getKey().startsWith(plugins.library())
              && done.add(plugins.library() + plugins.directory())) {
            addPlugins(plugins, file.getValue());
            more = true;
          }
        }
      }
    }
  }

  /** Adds what files need; what is not found is against the whole. */
  private void add(List<Path> needing) {
    Needs needs = needs(needing);
    needs.found().forEach(files::putIfAbsent);
    needs
        .missing()
        .forEach((file, names) -> missing.add(file + " needs " + String.join(", ", names)));
  }

  /** Adds a library that is opened by name, from the first directory that has it. */
  private void addFirst(String name, List<String> directories) {
    if (files.containsKey(name)) {
      return;
    }
    directories.stream()
        .map(directory -> library.resolveSibling(directory).resolve(name).normalize())
        .filter(Files::isReadable)
        .findFirst()
        .ifPresent(
            file -> {
              files.put(name, file);
              add(List.of(file));
            });
  }

  /** Plug-ins that lack something are left out, as where there is no such device they often do. */
  private void addPlugins(Plugins plugins, Path opener) throws IOException {
    Path directory = opener.toRealPath().resolveSibling(plugins.directory());
    if (!Files.isDirectory(directory)) {
      return;
    }
    List<Path> found;
    try (Stream<Path> list = Files.list(directory)) {
      found =
          list.filter(file -> plugins.files().matcher(file.getFileName().toString()).matches())
              .sorted()
              .toList();
    }
    Needs needs = needs(found);
    for (Path file : found) {
      String name = file.getFileName().toString();
      List<String> lacks =
          needs.missing().getOrDefault(file.toString(), List.of()).stream()
              // Opened before it, or needed by what is.
              .filter(lack -> found.stream().noneMatch(other -> other.endsWith(lack)))
              .filter(lack -> !files.containsKey(lack))
              .toList();
      if (!lacks.isEmpty()) {
        leftOut.add(file + ", which needs " + String.join(", ", lacks));
        continue;
      }
      files.put(plugins.directory() + "/" + name, file);
      if (!plugins.variable().isEmpty()) {
        Matcher matcher = plugins.files().matcher(name);
        variables
            .computeIfAbsent(plugins.variable(), none -> new LinkedHashSet<>())
            .add(
                plugins.each().isEmpty() || !matcher.matches()
                    ? DIRECTORY + "/" + plugins.directory()
                    : plugins.each().formatted(matcher.group(1)));
      }
    }
    needs.found().forEach(files::putIfAbsent);
  }

  /**
   * What files need, as this machine's loader finds it.
   *
   * @param found libraries by their names
   * @param missing files, and the libraries that each needs and that were not found
   */
  private record Needs(Map<String, Path> found, Map<String, List<String>> missing) {}

  private Needs needs(List<Path> needing) {
    Needs needs = new Needs(new LinkedHashMap<>(), new LinkedHashMap<>());
    if (needing.isEmpty()) {
      return needs;
    }
    List<String> words = new ArrayList<>(List.of("ldd"));
    needing.forEach(file -> words.add(file.toString()));
    Programs.Result result = Programs.run(words, Set.of("LD_PRELOAD"), NO_INPUT, LIMIT);
    if (result.exitCode() != 0 && result.output().isBlank()) {
      throw Failure.refused(
          "ldd cannot tell what the host's MPI needs: " + result.error().strip(),
          "look at it with: ldd " + needing.getFirst());
    }
    String of = needing.getFirst().toString();
    for (String line : result.output().lines().toList()) {
      Matcher resolved = RESOLVED.matcher(line);
      Matcher unresolved = UNRESOLVED.matcher(line);
      Matcher path = ABSOLUTE.matcher(line);
      if (line.startsWith("/") && line.endsWith(":")) {
        of = line.substring(0, line.length() - 1);
      } else if (unresolved.matches()) {
        needs.missing().computeIfAbsent(of, none -> new ArrayList<>()).add(unresolved.group(1));
      } else if (resolved.matches() && !C_LIBRARY.matcher(resolved.group(1)).matches()) {
        needs.found().putIfAbsent(resolved.group(1), Path.of(resolved.group(2)));
      } else if (path.matches() && !C_LIBRARY.matcher(path.group(2)).matches()) {
        absolute.add(Path.of(path.group(1)));
      }
    }
    return needs;
  }

  /**
   * Leaves out those of the host's files of which the image has a newer one, or one of which the
   * names do not tell that it is older.
   */
  private void leaveNewer(ContainerFiles container, SearchPaths paths) throws IOException {
    List<String> directories =
        Stream.concat(Arrays.stream(paths.libraryPath().split(":")), paths.system().stream())
            .filter(directory -> directory.startsWith("/"))
            .toList();
    for (String name : List.copyOf(files.keySet())) {
      if (name.contains("/") || OF_MPI.matcher(name).matches()) {
        continue;
      }
      Optional<String> image =
          directories.stream()
              .map(directory -> container.find(directory + "/" + name))
              .flatMap(Optional::stream)
              .map(Found::path)
              .findFirst();
      List<Integer> host = numbers(files.get(name).toRealPath().toString());
      List<Integer> other = image.map(HostMpiReader::numbers).orElse(List.of());
      int common = Math.min(host.size(), other.size());
      if (image.isPresent() && compare(host.subList(0, common), other.subList(0, common)) <= 0) {
        files.remove(name);
      }
    }
  }

  /** The host's Fortran and C++ parts over the image's; they use the inside of their libmpi. */
  private void bindBindings(
      Mpi old, List<ImageFiles.Entry> entries, Map<String, Path> binds, List<String> lacking)
      throws IOException {
    String directory = old.path().substring(0, old.path().lastIndexOf('/') + 1);
    for (ImageFiles.Entry entry : entries) {
      Matcher image = BINDING.matcher(entry.name());
      if (!entry.isLink() && entry.path().equals(directory + entry.name()) && image.matches()) {
        String name = entry.name().replaceFirst("(\\.so\\.\\d+).*", "$1");
        if (addBinding(name, image, lacking)) {
          binds.put("/" + entry.path(), files.get(name));
        }
      }
    }
  }

  private boolean addBinding(String name, Matcher matcher, List<String> lacking)
      throws IOException {
    Optional<Path> host = binding(matcher.group(1), matcher.group(2));
    if (host.isEmpty()) {
      lacking.add(name);
      return false;
    }
    files.put(name, host.get());
    add(List.of(host.get()));
    return true;
  }

  private Optional<Path> binding(String language, String major) throws IOException {
    for (Path directory : List.of(library.getParent(), library.toRealPath().getParent())) {
      try (Stream<Path> list = Files.list(directory)) {
        Optional<Path> found =
            list.filter(
                    file -> {
                      Matcher name = BINDING.matcher(file.getFileName().toString());
                      return name.matches()
                          && name.group(1).equals(language)
                          && name.group(2).equals(major);
                    })
                .sorted()
                .findFirst();
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /** Both releases, if the host's MPI is the older one of the image's family. */
  private String older(Mpi old) {
    if (!isAbiOf(old) || old.family() != mpi.family()) {
      return "";
    }
    List<Integer> host = numbers(mpi.path());
    List<Integer> image = numbers(old.path());
    if (host.size() < 3 || image.size() < 3) {
      host = numbers(".so." + mpi.version().orElse(""));
      image = numbers(".so." + old.version().orElse(""));
    }
    return host.size() >= 2
            && image.size() >= 2
            && compare(host.subList(0, 2), image.subList(0, 2)) < 0
        ? "%s at %s, and the image's is %s at /%s"
            .formatted(mpi.label(), library, old.label(), old.path())
        : "";
  }

  private List<Library> libraries() throws IOException {
    List<Library> libraries = new ArrayList<>();
    for (Map.Entry<String, Path> file : files.entrySet()) {
      if (file.getKey().startsWith("libpmi2.so")) {
        libraries.add(
            new Library(
                "pmi2",
                Optional.empty(),
                (DIRECTORY + "/" + file.getKey()).substring(1),
                List.of()));
      }
      boolean pmix = file.getKey().startsWith("libpmix.so");
      if (pmix || file.getKey().startsWith("libucp.so")) {
        Optional<Elf> elf = Elf.read(file.getValue());
        Optional<String> version =
            elf.isEmpty()
                ? Optional.empty()
                : elf.get()
                    .find(pmix ? MpiReader.PLAIN_VERSION : ProfileReader.UCX_VERSION)
                    .map(match -> match.group(1));
        libraries.add(
            new Library(
                pmix ? "pmix" : "ucx",
                version,
                file.getValue().toString().substring(1),
                List.of()));
      }
    }
    return libraries;
  }

  /** What the files need of a newer C library than the image's. */
  private List<String> tooNew(Collection<Path> bound) throws IOException {
    Optional<Library> libc = profile.libc();
    if (libc.isEmpty() || !libc.get().name().equals("glibc") || libc.get().version().isEmpty()) {
      return List.of(
          "%s is built for glibc, and the image has %s"
              .formatted(
                  library,
                  libc.map(
                          l ->
                              l.name()
                                  + l.version().map(v -> " " + v).orElse(" of unknown version"))
                      .orElse("no C library")));
    }
    String version = libc.get().version().get();
    List<String> needs = new ArrayList<>();
    for (Path file : new LinkedHashSet<>(bound)) {
      Optional<Elf> elf = Elf.read(file);
      elf.stream()
          .flatMap(each -> each.versionsNeeded().stream())
          .filter(need -> need.version().startsWith("GLIBC_"))
          .filter(need -> isAbove(need.version(), version))
          .max((one, other) -> compare(glibc(one.version()), glibc(other.version())))
          .ifPresent(
              need ->
                  needs.add(
                      "%s needs %s%s of %s, and the image's glibc is %s"
                          .formatted(
                              file,
                              elf.get().symbol(need).map(symbol -> symbol + "@").orElse(""),
                              need.version(),
                              need.library(),
                              version)));
    }
    return needs;
  }

  private static boolean isAbove(String needed, String version) {
    return !needed.equals("GLIBC_PRIVATE") && compare(glibc(needed), numbers(".so." + version)) > 0;
  }

  /** An ABI that is not known here is of a glibc that is newer than all that are. */
  private static List<Integer> glibc(String version) {
    String number =
        version.startsWith("GLIBC_ABI_")
            ? GLIBC_ABI.getOrDefault(version, "99")
            : version.substring("GLIBC_".length());
    return numbers(".so." + number);
  }

  /** The numbers behind {@code .so.} of a library's name. */
  private static List<Integer> numbers(String name) {
    int at = name.lastIndexOf(".so.");
    return at < 0
        ? List.of()
        : Arrays.stream(name.substring(at + ".so.".length()).split("\\."))
            .takeWhile(part -> part.matches("\\d{1,9}"))
            .map(Integer::valueOf)
            .collect(Collectors.toList());
  }

  private static int compare(List<Integer> one, List<Integer> other) {
    return Arrays.compare(
        one.stream().mapToInt(Integer::intValue).toArray(),
        other.stream().mapToInt(Integer::intValue).toArray());
  }
}
