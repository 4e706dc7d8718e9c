package io.hpcrun.daemon.images;

import io.hpcrun.pull.ImageSource;
import io.hpcrun.pull.Resolved;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What is known of an image in the store, beside its file.
 *
 * @param sha256 of the SIF file, in hexadecimal; its name
 * @param architecture Go's name of the processors that it is for; empty if that is not known
 * @param size of the SIF file in bytes
 * @param room bytes that it has on the disk; its size where that is not told
 * @param sources where it was pulled from, the latest last
 * @param givers of sources that are users' files: who handed them in
 * @param pins what of the sources stands for this content: digests of manifests, entity tags; the
 *     latest last
 * @param pulledS when it came, in seconds since 1970
 * @param pulledBy the user who asked first; empty if that is not known
 */
public record StoredImage(
    String sha256,
    String architecture,
    long size,
    Long room,
    List<String> sources,
    Map<String, Set<String>> givers,
    List<String> pins,
    long pulledS,
    String pulledBy) {
  private static final int MOST = 32;

  /** Copies the lists, and keeps the latest of each. */
  public StoredImage {
    room = room == null || room <= 0 ? Long.valueOf(size) : room;
    sources = latest(sources);
    pins = latest(pins);
    givers = givers == null ? Map.of() : Map.copyOf(givers);
  }

  private static List<String> latest(List<String> all) {
    return List.copyOf(all.subList(Math.max(0, all.size() - MOST), all.size()));
  }

  /** An image that somebody has pulled. */
  static StoredImage pulled(
      String sha256, long size, long room, Resolved wanted, String user, long pulledS) {
    StoredImage unknown =
        new StoredImage(sha256, "", size, room, List.of(), Map.of(), List.of(), pulledS, user);
    return unknown.with(wanted, user);
  }

  /** The same, pulled by somebody from this source too. */
  StoredImage with(Resolved wanted, String user) {
    String source = wanted.source().text();
    List<String> allSources = new ArrayList<>(sources);
    allSources.remove(source);
    allSources.add(source);
    List<String> allPins = new ArrayList<>(pins);
    String pin = wanted.pin().orElse("sha256:" + sha256);
    if (!allPins.contains(pin)) {
      allPins.add(pin);
    }
    Map<String, Set<String>> allGivers = new TreeMap<>(givers);
    allGivers.keySet().retainAll(allSources);
    if (wanted.source() instanceof ImageSource.LocalFile) {
      Set<String> own = new TreeSet<>(allGivers.getOrDefault(source, Set.of()));
      if (own.size() < MOST) {
        own.add(user);
      }
      allGivers.put(source, own);
    }
    return new StoredImage(
        sha256,
        architecture.isEmpty() ? wanted.architecture() : architecture,
        size,
        room,
        allSources,
        allGivers,
        allPins,
        pulledS,
        pulledBy);
  }

  /** Whether this is the image that is wanted. */
  boolean is(Resolved wanted) {
    return wanted.pin().filter(pins::contains).isPresent()
        && architecture.equals(wanted.architecture());
  }

  /** The sources that a user may see: of users' files only the own. */
  public List<String> sourcesFor(String user) {
    return sources.stream()
        .filter(
            source ->
                !source.startsWith("/") || givers.getOrDefault(source, Set.of()).contains(user))
        .toList();
  }
}
