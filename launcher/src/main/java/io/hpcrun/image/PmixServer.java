package io.hpcrun.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * The PMIx library that Slurm's pmix plug-in loads: the one of this machine, which is the nodes'
 * where login and compute nodes are installed alike.
 */
public final class PmixServer {
  private static final String LIBRARY = "libpmix.so.2";

  private PmixServer() {}

  /**
   * Its version; empty if there is no pmix plug-in, or it cannot be told here.
   *
   * @param pluginDirectories slurm.conf's PluginDir, directories joined by colons
   */
  public static Optional<String> version(String pluginDirectories) {
    try {
      for (String directory : pluginDirectories.split(":")) {
        Optional<Path> plugin = newest(Path.of(directory));
        if (plugin.isPresent()) {
          return versionOf(plugin.get());
        }
      }
    } catch (IOException | InvalidPathException unreadable) {
      LoggerFactory.getLogger(PmixServer.class)
          .debug("the PMIx of {} is not known", pluginDirectories, unreadable);
    }
    return Optional.empty();
  }

  /** mpi_pmix_v5.so is newer than mpi_pmix_v4.so; mpi_pmix.so may be either. */
  private static Optional<Path> newest(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().matches("mpi_pmix_v\\d\\.so"))
          .max(Comparator.comparing(file -> file.getFileName().toString()));
    }
  }

  /** The plug-in opens the library by name, so its own RPATH or RUNPATH counts (dlopen(3)). */
  private static Optional<String> versionOf(Path plugin) throws IOException {
    Optional<Elf> elf = Elf.read(plugin);
    List<String> directories = new ArrayList<>();
    if (elf.isPresent()) {
      directories.addAll(elf.get().rpath());
      directories.addAll(elf.get().runpath());
    }
    directories.addAll(SearchPaths.DEFAULT_DIRECTORIES);
    for (String directory : directories) {
      Path library = Path.of(directory, LIBRARY);
      Optional<Elf> found =
          Files.isReadable(library) ? Elf.read(library.toRealPath()) : Optional.empty();
      if (found.isPresent()) {
        return found.get().find(MpiReader.PLAIN_VERSION).map(match -> match.group(1));
      }
    }
    return Optional.empty();
  }
}
