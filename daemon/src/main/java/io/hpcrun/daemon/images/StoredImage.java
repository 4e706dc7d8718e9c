package io.hpcrun.daemon.images;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is known of an image in the store, beside its file.
 *
 * @param sha256 of the SIF file, in hexadecimal; its name
 * @param architecture Go's name of the processors that it is for
 * @param size of the SIF file in bytes
 * @param sources where it was pulled from, the latest last
 * @param pins what of the sources stands for this content: digests of manifests, entity tags
 * @param pulledS when it came, in seconds since 1970
 * @param pulledBy the user who asked first
 */
public record StoredImage(
    String sha256,
    String architecture,
    long size,
    List<String> sources,
    Set<String> pins,
    long pulledS,
    String pulledBy) {
  private static final int MOST = 32;

  /** Copies the lists, and keeps the latest of each. */
  public StoredImage {
    sources = List.copyOf(sources.subList(Math.max(0, sources.size() - MOST), sources.size()));
    pins = Set.copyOf(pins);
  }

  /** The same, pulled from another source too. */
  StoredImage with(String source, String pin) {
    List<String> all = new java.util.ArrayList<>(sources);
    all.remove(source);
    all.add(source);
    Set<String> both = new TreeSet<>(pins);
    if (both.size() < MOST) {
      both.add(pin);
    }
    return new StoredImage(sha256, architecture, size, all, both, pulledS, pulledBy);
  }
}
