package io.hpcrun.image;

import io.hpcrun.image.ImageFiles.Entry;
import io.hpcrun.image.ImageProfile.Library;
import io.hpcrun.image.ImageProfile.Mpi;
import io.hpcrun.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.exc.StreamReadException;

/** Reads the profile of an image from its files. */
public final class ProfileReader {
  private static final String SHARED = "\\.so(\\.[0-9.]+)?";
  private static final Pattern PMI = Pattern.compile("lib(pmix|pmi2?)" + SHARED);
  private static final Pattern PMIX_PART =
      Pattern.compile("(?:pmix_)?mca_((?:psec|gds)_\\w+)\\.so");
  private static final Pattern PMIX_BUILT_IN =
      Pattern.compile("(?:pmix_)?mca_((?:psec|gds)_\\w+)_component");
  private static final Pattern NETWORK = Pattern.compile("lib(ucp|fabric|ibverbs|psm2)" + SHARED);
  private static final Pattern VERBS_PART = Pattern.compile("lib(\\w+)-rdmav(\\d+)\\.so");
  private static final Pattern FABRIC_PART = Pattern.compile("lib(\\w+)-fi\\.so");
  private static final Pattern FABRIC_LIBRARY =
      Pattern.compile("lib(cxi|psm2|psm3|efa|rdmacm|ibverbs)\\.so");
  private static final Pattern GPU =
      Pattern.compile("lib(cudart|cuda|nccl|amdhip64|rccl)" + SHARED);

  /** Before glibc 2.34, libc.so.6 is a link to libc-2.NN.so. */
  private static final Pattern LIBC =
      Pattern.compile("libc\\.so\\.6|libc-2\\.\\d+\\.so|ld-musl-\\w+\\.so\\.1");

  private static final Set<String> TEXTS =
      Set.of(
          "etc/os-release",
          "usr/lib/os-release",
          "var/lib/dpkg/status",
          "lib/apk/db/installed",
          ".singularity.d/labels.json");

  private static final Pattern GLIBC_VERSION =
      Pattern.compile("GNU C Library [^\\n]*version (\\d+\\.\\d+)");
  private static final Pattern VERSION =
      Pattern.compile("(?<=\\x00)([12]\\.\\d+\\.\\d+\\w*)(?=\\x00)");

  /** The first constant of libucp (ucp_get_version_string); it is not always after a NUL. */
  static final Pattern UCX_VERSION =
      Pattern.compile("(?<![0-9.])(1\\.\\d{1,2}\\.\\d{1,2})(?=\\x00)");

  private static final Pattern VERBS_NAME =
      Pattern.compile("libibverbs\\.so\\.1\\.\\d+\\.(\\d+\\.\\d+)");
  private static final Pattern REAL_NAME = Pattern.compile(".*\\.so\\.(\\d+)\\.(\\d+)\\.(\\d+)");

  private static final Pattern PROGRAM = Pattern.compile("(.*/)?bin/[^/]+");
  private static final int MOST_PROGRAMS = 1_000;
  private static final long MOST_BYTES = 64 << 20;

  private final List<Entry> entries;
  private final List<Entry> programs;
  private final Map<String, Path> fetched;
  private final Map<String, String> packages = new TreeMap<>();

  private ProfileReader(ImageFiles files) throws IOException {
    List<Entry> listed = files.list(entry -> counts(entry.path()) || isProgram(entry));
    this.entries = listed.stream().filter(entry -> counts(entry.path())).toList();
    List<Entry> wanted =
        new ArrayList<>(entries.stream().filter(entry -> !entry.isLink()).toList());
    if (entries.stream().anyMatch(entry -> MpiReader.NAME.matcher(entry.name()).matches())) {
      this.programs = some(listed.stream().filter(ProfileReader::isProgram));
      wanted.addAll(programs);
    } else {
      this.programs = List.of();
    }
    this.fetched = files.fetch(wanted);
  }

  private static boolean isProgram(Entry entry) {
    return !entry.isLink() && PROGRAM.matcher(entry.path()).matches();
  }

  /** As many as can be unpacked in a moment; the distribution's own last. */
  private static List<Entry> some(Stream<Entry> programs) {
    List<Entry> some = new ArrayList<>();
    long bytes = 0;
    for (Entry program :
        programs
            .sorted(
                Comparator.comparing((Entry entry) -> entry.path().matches("(usr/)?s?bin/[^/]+"))
                    .thenComparing(Entry::size))
            .limit(MOST_PROGRAMS)
            .toList()) {
      bytes += program.size();
      if (bytes <= MOST_BYTES) {
        some.add(program);
      }
    }
    return some;
  }

  /** Reads the profile of an image; nothing of it is run. */
  public static ImageProfile read(Image image) throws IOException {
    try (ImageFiles files = ImageFiles.of(image)) {
      return new ProfileReader(files).profile();
    }
  }

  private static boolean counts(String path) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    return TEXTS.contains(path)
        || Stream.of(
                MpiReader.NAME,
                PMI,
                PMIX_PART,
                MpiReader.OPEN_MPI_PART,
                NETWORK,
                VERBS_PART,
                FABRIC_PART,
                GPU,
                LIBC)
            .anyMatch(pattern -> pattern.matcher(name).matches());
  }

  private ImageProfile profile() throws IOException {
    readPackages();
    Optional<String> architecture = Optional.empty();
    Optional<Library> libc = Optional.empty();
    for (Entry entry : real(LIBC).limit(1).toList()) {
      Optional<Elf> elf = elf(entry);
      architecture = elf.map(Elf::architecture);
      libc = Optional.of(libc(entry, elf));
    }
    List<Mpi> mpi = new ArrayList<>();
    for (Entry entry : real(MpiReader.NAME).toList()) {
      Optional<Elf> elf = elf(entry);
      if (elf.isPresent()) {
        String directory = directory(entry.path());
        List<String> plugins =
            entries.stream()
                .filter(other -> other.path().startsWith(directory))
                .map(Entry::name)
                .toList();
        mpi.add(MpiReader.read(entry.path(), elf.get(), plugins));
      }
    }
    List<Library> pmi = new ArrayList<>();
    for (Entry entry : real(PMI).toList()) {
      Optional<Elf> elf = elf(entry);
      if (elf.isPresent()) {
        pmi.add(pmi(entry, elf.get()));
      }
    }
    List<Library> network = new ArrayList<>();
    for (Entry entry : real(NETWORK).toList()) {
      network.add(network(entry));
    }
    List<Library> gpu =
        real(GPU)
            .map(entry -> new Library(stem(entry), fromName(entry), entry.path(), List.of()))
            .toList();
    return new ImageProfile(
        architecture, system(), libc, mpi, pmi, network, gpu, programs(mpi), labels());
  }

  private Map<String, String> programs(List<Mpi> mpi) throws IOException {
    Set<String> sonames = mpi.stream().map(Mpi::soname).collect(Collectors.toSet());
    Map<String, String> users = new TreeMap<>();
    for (Entry program : programs) {
      Path file = fetched.get(program.path());
      Optional<Elf> elf = file == null ? Optional.empty() : Elf.read(file);
      elf.stream()
          .flatMap(each -> each.needed().stream())
          .filter(sonames::contains)
          .findFirst()
          .ifPresent(soname -> users.put(program.path(), soname));
    }
    return users;
  }

  private Stream<Entry> real(Pattern names) {
    return entries.stream()
        .filter(entry -> !entry.isLink() && names.matcher(entry.name()).matches())
        .filter(entry -> fetched.containsKey(entry.path()))
        .sorted(Comparator.comparing(Entry::path));
  }

  private Optional<Elf> elf(Entry entry) throws IOException {
    return Elf.read(fetched.get(entry.path()));
  }

  private Library libc(Entry entry, Optional<Elf> elf) throws IOException {
    if (entry.name().startsWith("ld-musl")) {
      return new Library("musl", packageVersion("musl"), entry.path(), List.of());
    }
    return new Library("glibc", constant(elf, GLIBC_VERSION), entry.path(), List.of());
  }

  /** The first group of a pattern's first match among a library's constants. */
  private static Optional<String> constant(Optional<Elf> elf, Pattern pattern) throws IOException {
    return elf.isPresent()
        ? elf.get().find(pattern).map(match -> match.group(1))
        : Optional.empty();
  }

  /** libpmix.so.2.LIBTOOL: releases by libtool's numbers (openpmix, VERSION, v2 to v6.1). */
  private static Optional<String> pmixFromName(Entry entry) {
    Matcher matcher = REAL_NAME.matcher(entry.name());
    if (!matcher.matches() || !matcher.group(1).equals("2")) {
      return Optional.empty();
    }
    return switch (Integer.parseInt(matcher.group(2))) {
      case 0 -> Optional.of("2.1");
      case 1 -> Optional.of("3.0");
      case 2 -> Optional.of("3");
      case 5, 6, 7, 8, 9 -> Optional.of("4");
      case 13 -> Optional.of("5.0");
      case 19 -> Optional.of("6.0");
      case 24 -> Optional.of("6.1");
      default -> Optional.empty();
    };
  }

  private Library pmi(Entry entry, Elf elf) throws IOException {
    String name = stem(entry);
    if (!name.equals("pmix")) {
      return new Library(name, fromName(entry), entry.path(), List.of());
    }
    Set<String> parts = new TreeSet<>();
    for (String symbol : elf.symbols(symbol -> PMIX_BUILT_IN.matcher(symbol).matches())) {
      Matcher matcher = PMIX_BUILT_IN.matcher(symbol);
      if (matcher.matches()) {
        parts.add(matcher.group(1));
      }
    }
    String directory = directory(entry.path());
    entries.stream()
        .filter(other -> other.path().startsWith(directory) || !directory.contains("/pmix"))
        .map(other -> PMIX_PART.matcher(other.name()))
        .filter(Matcher::matches)
        .forEach(matcher -> parts.add(matcher.group(1)));
    Optional<String> release = pmixFromName(entry);
    Optional<String> version =
        elf.find(MpiReader.PLAIN_VERSION)
            .map(match -> match.group(1))
            .filter(found -> release.map(r -> found.startsWith(r.substring(0, 1))).orElse(true))
            .or(() -> release);
    return new Library(name, version, entry.path(), List.copyOf(parts));
  }

  private Library network(Entry entry) throws IOException {
    switch (stem(entry)) {
      case "ucp":
        return new Library("ucx", ucx(entry), entry.path(), List.of());
      case "fabric":
        return libfabric(entry);
      case "psm2":
        return new Library("psm2", fromName(entry), entry.path(), List.of());
      default:
        // libibverbs.so.1.14.56.1 is of rdma-core 56.1 (rdma-core, CMakeLists.txt).
        Matcher name = VERBS_NAME.matcher(entry.name());
        return new Library(
            "rdma-core",
            name.matches() ? Optional.of(name.group(1)) : Optional.empty(),
            entry.path(),
            // The number is the ABI that libibverbs and its providers must share.
            parts(VERBS_PART, part -> part.group(1) + "-rdmav" + part.group(2)));
    }
  }

  /** Providers are plug-ins, or built in: then libfabric needs their libraries. */
  private Library libfabric(Entry entry) throws IOException {
    Optional<Elf> elf = elf(entry);
    Set<String> providers = new TreeSet<>(parts(FABRIC_PART, part -> part.group(1)));
    elf.stream()
        .flatMap(each -> each.needed().stream())
        .map(FABRIC_LIBRARY::matcher)
        .filter(Matcher::lookingAt)
        .map(matcher -> matcher.group(1))
        .map(name -> name.equals("rdmacm") || name.equals("ibverbs") ? "verbs" : name)
        .forEach(providers::add);
    return new Library("libfabric", constant(elf, VERSION), entry.path(), List.copyOf(providers));
  }

  private Optional<String> ucx(Entry entry) throws IOException {
    Optional<String> ofPackage = packageVersion("libucx0");
    return ofPackage.isPresent() ? ofPackage : constant(elf(entry), UCX_VERSION);
  }

  private List<String> parts(Pattern names, Function<Matcher, String> label) {
    return entries.stream()
        .map(entry -> names.matcher(entry.name()))
        .filter(Matcher::matches)
        .map(label)
        .distinct()
        .sorted()
        .toList();
  }

  private static String stem(Entry entry) {
    return entry.name().substring("lib".length(), entry.name().indexOf(".so"));
  }

  private static String directory(String path) {
    return path.substring(0, path.lastIndexOf('/') + 1);
  }

  private static Optional<String> fromName(Entry entry) {
    int at = entry.name().indexOf(".so.");
    return at < 0 ? Optional.empty() : Optional.of(entry.name().substring(at + ".so.".length()));
  }

  /** The version that a package has by the image's own package database, without packaging. */
  private Optional<String> packageVersion(String name) {
    return packages.entrySet().stream()
        .filter(each -> each.getKey().equals(name) || each.getKey().equals(name + "t64"))
        .map(each -> each.getValue().replaceFirst("^\\d+:", "").replaceFirst("[-+~].*$", ""))
        .findFirst();
  }

  private void readPackages() throws IOException {
    for (String database : List.of("var/lib/dpkg/status", "lib/apk/db/installed")) {
      Path file = fetched.get(database);
      if (file == null) {
        continue;
      }
      String name = "";
      try (var reader =
          Files.newBufferedReader(file, java.nio.charset.StandardCharsets.ISO_8859_1)) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          if (line.startsWith("Package: ") || line.startsWith("P:")) {
            name = line.substring(line.indexOf(':') + 1).strip();
          } else if (line.startsWith("Version: ") || line.startsWith("V:")) {
            packages.put(name, line.substring(line.indexOf(':') + 1).strip());
          }
        }
      }
    }
  }

  private Optional<String> system() throws IOException {
    for (String path : List.of("etc/os-release", "usr/lib/os-release")) {
      Path file = fetched.get(path);
      if (file != null && Files.size(file) <= ImageFiles.LARGEST_TEXT) {
        return Files.readAllLines(file, java.nio.charset.StandardCharsets.UTF_8).stream()
            .filter(line -> line.startsWith("PRETTY_NAME="))
            .map(line -> line.substring("PRETTY_NAME=".length()).replace("\"", ""))
            .findFirst();
      }
    }
    return Optional.empty();
  }

  /** Apptainer writes them as one flat object of strings. */
  private Map<String, String> labels() throws IOException {
    Map<String, String> labels = new TreeMap<>();
    Path file = fetched.get(".singularity.d/labels.json");
    if (file == null || Files.size(file) > ImageFiles.LARGEST_TEXT) {
      return labels;
    }
    try (JsonParser json =
        Json.FACTORY.createParser(ObjectReadContext.empty(), Files.readAllBytes(file))) {
      for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
        if (token == JsonToken.VALUE_STRING && json.currentName() != null) {
          labels.put(json.currentName(), json.getString());
        }
      }
    } catch (StreamReadException notJson) {
      LoggerFactory.getLogger(ProfileReader.class).debug("labels that are not JSON", notJson);
    }
    return labels;
  }
}
