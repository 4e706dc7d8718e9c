package io.hpcrun.daemon;

import io.hpcrun.failure.Failure;
import io.hpcrun.policy.Policy;
import io.hpcrun.site.Site;
import io.hpcrun.site.SiteFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The site file and its rules, read anew when one of their files has changed: commands read them
 * each time, and daemon and command must say the same. Files that are not valid change nothing.
 */
final class SiteWatch {
  private static final Logger LOG = LoggerFactory.getLogger(SiteWatch.class);

  private final Path file;
  private List<Path> files = List.of();
  private List<Stamp> seen = List.of();
  private Site site = Site.NONE;
  private Policy policy = Policy.NONE;

  /**
   * A file as it was seen.
   *
   * @param file which
   * @param changed when it was changed last
   * @param size its bytes
   */
  private record Stamp(Path file, FileTime changed, long size) {
    static Stamp of(Path file) {
      try {
        BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
        return new Stamp(file, found.lastModifiedTime(), found.size());
      } catch (IOException gone) {
        return new Stamp(file, FileTime.fromMillis(0), -1);
      }
    }
  }

  /**
   * Reads them for the first time.
   *
   * @param file the site file
   * @throws Failure with exit code 2 that names file, line and column of what is wrong
   */
  SiteWatch(Path file) {
    this.file = file;
    read();
  }

  /** What the site file says. */
  synchronized Site site() {
    look();
    return site;
  }

  /** The rules. */
  synchronized Policy policy() {
    look();
    return policy;
  }

  private void look() {
    if (!stamps().equals(seen)) {
      try {
        read();
        LOG.info("site file and policy are read anew: {} rules", policy.rules().size());
      } catch (Failure invalid) {
        LOG.error(
            "site file and policy stay as they were: {}; {}",
            invalid.getMessage(),
            invalid.remedy());
      }
    }
  }

  private void read() {
    files = watched(List.of());
    seen = stamps();
    Site read = SettingsFile.site(file);
    files = watched(read.policyFiles());
    seen = stamps();
    policy = read.policy();
    site = read;
  }

  private List<Path> watched(List<Path> rules) {
    List<Path> all = new ArrayList<>(List.of(file, SiteFiles.directory(file)));
    all.addAll(SiteFiles.dropIns(file));
    all.addAll(rules);
    return all;
  }

  private List<Stamp> stamps() {
    return files.stream().map(Stamp::of).toList();
  }
}
