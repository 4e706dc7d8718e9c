package io.hpcrun.image;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** A sandbox: a directory that holds a root file system. Links are never followed out of it. */
record DirectoryFiles(Path root) implements ImageFiles {
  /** Never hold libraries, and may hold many files. */
  private static final Set<String> SKIPPED =
      Set.of("proc", "sys", "dev", "tmp", "var/cache", "usr/share", "usr/include", "usr/src");

  @Override
  public List<Entry> list(Predicate<Entry> wanted) throws IOException {
    List<Entry> entries = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            return SKIPPED.contains(root.relativize(directory).toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            String path = root.relativize(file).toString();
            String target =
                attributes.isSymbolicLink() ? Files.readSymbolicLink(file).toString() : "";
            Entry entry =
                new Entry(path, attributes.isRegularFile() ? attributes.size() : 0, target);
            if ((attributes.isRegularFile() || entry.isLink()) && wanted.test(entry)) {
              entries.add(entry);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException unreadable) {
            return FileVisitResult.CONTINUE; // other users' files hold nothing that counts
          }
        });
    return entries;
  }

  @Override
  public Map<String, Path> fetch(Collection<Entry> entries) {
    Map<String, Path> files = new HashMap<>();
    for (Entry entry : entries) {
      Path file = root.resolve(entry.path());
      if (Files.isReadable(file)) {
        files.put(entry.path(), file);
      }
    }
    return files;
  }

  @Override
  public void close() {}
}
