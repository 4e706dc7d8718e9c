package io.hpcrun.image;

import io.hpcrun.image.ImageFiles.Entry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The files that a program in a container sees: the image's, and over them directories of this
 * machine. Links are followed as they are inside.
 */
final class ContainerFiles {
  /** Linux follows no more (path_resolution(7)). */
  private static final int MOST_LINKS = 40;

  private final ImageFiles image;
  private final Map<String, Path> mounts;
  private final Map<String, Entry> entries = new HashMap<>();
  private final Map<String, Path> fetched = new HashMap<>();

  /**
   * A file of a container.
   *
   * @param path where it really is in the container, absolute
   * @param host where it is on this machine, if it is not of the image
   */
  record Found(String path, Optional<Path> host) {}

  /**
   * The files of a container.
   *
   * @param image the image
   * @param entries the image's files that may be asked for, and its links
   * @param mounts what is mounted over them: where, and what of this machine
   */
  ContainerFiles(ImageFiles image, List<Entry> entries, Map<String, Path> mounts) {
    this.image = image;
    this.mounts = mounts;
    entries.forEach(entry -> this.entries.put(entry.path(), entry));
  }

  /** Finds a regular file by its absolute path. */
  Optional<Found> find(String path) {
    Deque<String> left = new ArrayDeque<>(List.of(path.split("/+")));
    List<String> done = new ArrayList<>();
    int links = 0;
    while (!left.isEmpty()) {
      String name = left.pop();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (name.equals("..")) {
        if (!done.isEmpty()) {
          done.removeLast();
        }
        continue;
      }
      done.add(name);
      String here = String.join("/", done);
      if (mounts.containsKey("/" + here)) {
        String whole = "/" + here + (left.isEmpty() ? "" : "/" + String.join("/", left));
        return onHost(Path.of(whole).normalize().toString());
      }
      Entry entry = entries.get(here);
      if (entry != null && entry.isLink()) {
        if (++links > MOST_LINKS) {
          return Optional.empty();
        }
        done.removeLast();
        if (entry.target().startsWith("/")) {
          done.clear();
        }
        List<String> target = List.of(entry.target().split("/+"));
        for (String part : target.reversed()) {
          left.push(part);
        }
      }
    }
    String real = String.join("/", done);
    return entries.containsKey(real)
        ? Optional.of(new Found("/" + real, Optional.empty()))
        : Optional.empty();
  }

  /** A file below a mount; of mounts in each other, the inner one counts. */
  private Optional<Found> onHost(String path) {
    Optional<String> inner =
        mounts.keySet().stream()
            .filter(each -> path.equals(each) || path.startsWith(each + "/"))
            .max(java.util.Comparator.comparing(String::length));
    if (inner.isEmpty()) {
      return find(path); // .. leads out of the mount
    }
    String mount = inner.get();
    try {
      Path file =
          path.equals(mount)
              ? mounts.get(mount)
              : mounts.get(mount).resolve(path.substring(mount.length() + 1));
      return Files.isRegularFile(file)
          ? Optional.of(new Found(path, Optional.of(file)))
          : Optional.empty();
    } catch (InvalidPathException notOurs) {
      return Optional.empty();
    }
  }

  /** Makes files readable; those of an image are unpacked together, which takes one program. */
  void fetch(Collection<Found> wanted) throws IOException {
    List<Entry> missing = new ArrayList<>();
    for (Found file : wanted) {
      if (file.host().isPresent()) {
        fetched.put(file.path(), file.host().get());
      } else if (!fetched.containsKey(file.path())) {
        missing.add(entries.get(file.path().substring(1)));
      }
    }
    image.fetch(missing).forEach((path, file) -> fetched.put("/" + path, file));
  }

  /** A file that was fetched, as a file of this machine; empty if it cannot be read. */
  Optional<Path> file(Found found) {
    return Optional.ofNullable(fetched.get(found.path())).filter(Files::isReadable);
  }

  /** Names of the files in a directory of the image, and in the directories below it. */
  Collection<String> namesBelow(String directory) {
    TreeSet<String> names = new TreeSet<>();
    String prefix = directory.substring(1) + "/";
    for (Entry entry : entries.values()) {
      if (entry.path().startsWith(prefix)) {
        names.add(entry.name());
      }
    }
    return names;
  }

  /** The image's files whose path begins so, in the order of their names. */
  List<Found> startingWith(String prefix) {
    return entries.values().stream()
        .filter(entry -> !entry.isLink() && entry.path().startsWith(prefix.substring(1)))
        .map(entry -> new Found("/" + entry.path(), Optional.empty()))
        .sorted(java.util.Comparator.comparing(Found::path))
        .toList();
  }
}
