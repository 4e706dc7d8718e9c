package io.hpcrun.image;

import io.hpcrun.image.ContainerFiles.Found;
import io.hpcrun.image.ImageProfile.Mpi;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds a command in a container and which MPI library the dynamic loader would give it, without
 * running anything: by the rules of ld.so(8), with DT_RPATH, DT_RUNPATH, LD_LIBRARY_PATH and
 * /etc/ld.so.conf of the container.
 */
final class ProgramReader {
  /** What a program may use to run something that it is not linked to. */
  private static final Pattern OPENS =
      Pattern.compile("dlm?open|exec[lv]\\w*|fexecve|posix_spawnp?|system|popen");

  /** Parts of the C library, which need only each other. */
  private static final Pattern BASIC =
      Pattern.compile(
          "(ld-linux.*|ld-musl.*|lib(c|m|dl|rt|pthread|util|resolv|gcc_s|stdc\\+\\+))\\.so.*");

  private static final int MOST_LIBRARIES = 2_000;

  private final ContainerFiles files;
  private final SearchPaths paths;
  private final Map<String, Mpi> known;
  private final Set<Path> looked = new TreeSet<>();
  private final List<String> missing = new ArrayList<>();

  /** A file, opened: who loaded it decides where its libraries are looked for. */
  private record Loaded(Found file, Elf elf, Optional<Loaded> by) {}

  /**
   * What was found out.
   *
   * @param program the command
   * @param looked files of this machine that it was found out from
   */
  record Result(Program program, Collection<Path> looked) {}

  private ProgramReader(ContainerFiles files, SearchPaths paths, Collection<Mpi> known) {
    this.files = files;
    this.paths = paths;
    this.known = new HashMap<>();
    known.forEach(mpi -> this.known.put("/" + mpi.path(), mpi));
  }

  /** Looks at a command in the container that an image and a request make. */
  static Result read(Image image, ImageProfile profile, ProgramRequest request) throws IOException {
    try (ImageFiles files = ImageFiles.of(image)) {
      List<ImageFiles.Entry> entries =
          files.list(entry -> entry.isLink() || counts(entry, request));
      ContainerFiles container = new ContainerFiles(files, entries, request.mounts());
      SearchPaths paths = SearchPaths.of(container, request.environment());
      ProgramReader reader = new ProgramReader(container, paths, profile.mpi());
      return new Result(reader.program(request), reader.looked);
    }
  }

  private static boolean counts(ImageFiles.Entry entry, ProgramRequest request) {
    String path = "/" + entry.path();
    return entry.name().contains(".so")
        || entry.name().equals(request.name())
        || path.contains("bin/") // what links may lead to
        || SearchPaths.counts(path);
  }

  private Program program(ProgramRequest request) throws IOException {
    Optional<Found> found = locate(request);
    if (found.isEmpty()) {
      return Program.unknown(request.command());
    }
    Optional<Elf> elf = open(found.get());
    Optional<String> path = found.map(Found::path);
    if (elf.isEmpty()) {
      Program.Reach reach =
          startsWith(found.get(), "#!") ? Program.Reach.OPEN : Program.Reach.UNKNOWN;
      return new Program(request.command(), path, reach, Optional.empty(), List.of());
    }
    // A static program shows neither what it is linked to nor what it uses.
    boolean open =
        elf.get().needed().isEmpty()
            || !elf.get().symbols(symbol -> OPENS.matcher(symbol).matches()).isEmpty();
    Optional<Mpi> mpi = mpiOf(new Loaded(found.get(), elf.get(), Optional.empty()));
    return new Program(
        request.command(), path, open ? Program.Reach.OPEN : Program.Reach.CLOSED, mpi, missing);
  }

  private Optional<Found> locate(ProgramRequest request) {
    String command = request.command();
    if (command.contains("/")) {
      return files.find(
          command.startsWith("/") ? command : request.workingDirectory() + "/" + command);
    }
    return paths.programs().stream()
        .map(directory -> files.find(directory + "/" + command))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private boolean startsWith(Found found, String start) throws IOException {
    Optional<Path> file = files.file(found);
    if (file.isEmpty()) {
      return false;
    }
    try (InputStream in = Files.newInputStream(file.get())) {
      return new String(in.readNBytes(start.length()), StandardCharsets.ISO_8859_1).equals(start);
    }
  }

  private Optional<Elf> open(Found found) throws IOException {
    files.fetch(List.of(found));
    return opened(found);
  }

  private Optional<Elf> opened(Found found) throws IOException {
    found.host().ifPresent(looked::add);
    Optional<Path> file = files.file(found);
    return file.isPresent() ? Elf.read(file.get()) : Optional.empty();
  }

  /** Breadth first, as the loader does; the first MPI library is the one whose symbols are used. */
  private Optional<Mpi> mpiOf(Loaded program) throws IOException {
    List<Loaded> level = List.of(program);
    Set<String> seen = new HashSet<>();
    while (!level.isEmpty() && seen.size() < MOST_LIBRARIES) {
      Map<Found, Loaded> next = new LinkedHashMap<>();
      for (Loaded loaded : level) {
        for (String name : loaded.elf().needed()) {
          if (!seen.add(name) || BASIC.matcher(name).matches()) {
            continue;
          }
          Optional<Found> library = resolve(name, loaded);
          if (library.isEmpty()) {
            missing.add(name);
            continue;
          }
          Optional<Mpi> mpi = mpi(name, library.get());
          if (mpi.isPresent()) {
            return mpi;
          }
          next.put(library.get(), loaded);
        }
      }
      files.fetch(next.keySet());
      List<Loaded> opened = new ArrayList<>();
      for (Map.Entry<Found, Loaded> each : next.entrySet()) {
        opened(each.getKey())
            .ifPresent(
                elf -> opened.add(new Loaded(each.getKey(), elf, Optional.of(each.getValue()))));
      }
      level = opened;
    }
    return Optional.empty();
  }

  private Optional<Mpi> mpi(String name, Found library) throws IOException {
    Mpi ofImage = known.get(library.path());
    if (ofImage != null) {
      return Optional.of(ofImage);
    }
    String base = name.substring(name.lastIndexOf('/') + 1);
    if (!MpiReader.NAME.matcher(base).matches()) {
      return Optional.empty();
    }
    Optional<Elf> elf = open(library);
    return elf.isPresent()
        ? Optional.of(MpiReader.read(library.path().substring(1), elf.get(), plugins(library)))
        : Optional.empty();
  }

  private Collection<String> plugins(Found library) throws IOException {
    if (library.host().isEmpty()) {
      return files.namesBelow(directory(library.path()));
    }
    return MpiReader.pluginsBeside(library.host().get());
  }

  /** Where the loader finds a library that a file needs (ld.so(8)). */
  private Optional<Found> resolve(String name, Loaded by) throws IOException {
    if (name.contains("/")) {
      return files.find(name);
    }
    List<String> directories = new ArrayList<>();
    if (by.elf().runpath().isEmpty()) {
      for (Optional<Loaded> each = Optional.of(by); each.isPresent(); each = each.get().by()) {
        if (each.get().elf().runpath().isEmpty()) {
          addExpanded(directories, each.get().elf().rpath(), each.get());
        }
      }
    }
    directories.addAll(List.of(paths.libraryPath().split(":")));
    addExpanded(directories, by.elf().runpath(), by);
    directories.addAll(paths.system());
    return directories.stream()
        .filter(directory -> directory.startsWith("/"))
        .map(directory -> files.find(directory + "/" + name))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static void addExpanded(List<String> directories, List<String> paths, Loaded of) {
    for (String path : paths) {
      String origin =
          path.replaceAll(
              "\\$(ORIGIN|\\{ORIGIN\\})", Matcher.quoteReplacement(directory(of.file().path())));
      if (origin.matches(".*\\$(LIB|\\{LIB\\}).*")) {
        for (String lib :
            List.of("lib/%s-linux-gnu".formatted(SearchPaths.MACHINE), "lib64", "lib")) {
          directories.add(origin.replaceAll("\\$(LIB|\\{LIB\\})", lib));
        }
      } else {
        directories.add(origin);
      }
    }
  }

  private static String directory(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('/')));
  }
}
