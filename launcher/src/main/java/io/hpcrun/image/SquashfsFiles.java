package io.hpcrun.image;

import io.hpcrun.failure.Failure;
import io.hpcrun.process.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A SIF file's squashfs, read by unsquashfs (squashfs-tools 4.4 or newer, which every installation
 * of Apptainer that mounts without privileges has).
 */
final class SquashfsFiles implements ImageFiles {
  /** Mode, owner, size or device numbers, date, time, path and where a link leads. */
  private static final Pattern LINE =
      Pattern.compile(
          "([-l])\\S{9} \\S+ +(\\d+) \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d squashfs-root/(.*)");

  private static final String ARROW = " -> ";
  private static final Duration LIMIT = Duration.ofMinutes(5);

  private final Path image;
  private final SifTable.Part part;
  private final Scratch scratch = new Scratch();

  SquashfsFiles(Path image, SifTable.Part part) {
    this.image = image;
    this.part = part;
  }

  @Override
  public List<Entry> list(Predicate<Entry> wanted) {
    List<Entry> entries = new ArrayList<>();
    AtomicLong seen = new AtomicLong();
    Programs.Result result =
        Programs.runForLines(
            List.of("unsquashfs", "-o", String.valueOf(part.offset()), "-lls", image.toString()),
            LIMIT,
            line -> {
              seen.incrementAndGet();
              entry(line, wanted, entries);
            });
    check(result);
    if (seen.get() == 0) {
      throw Failure.image(
          "unsquashfs shows no file in the image " + image,
          "build or copy it again; unsquashfs must be of squashfs-tools 4.4 or newer");
    }
    return entries;
  }

  private static void entry(String line, Predicate<Entry> wanted, List<Entry> entries) {
    Matcher matcher = LINE.matcher(line);
    if (!matcher.matches()) {
      return;
    }
    String path = matcher.group(3);
    String target = "";
    if (matcher.group(1).equals("l")) {
      int arrow = path.indexOf(ARROW);
      if (arrow < 0) {
        return;
      }
      target = path.substring(arrow + ARROW.length());
      path = path.substring(0, arrow);
    }
    Entry entry = new Entry(path, target.isEmpty() ? Long.parseLong(matcher.group(2)) : 0, target);
    if (wanted.test(entry)) {
      entries.add(entry);
    }
  }

  @Override
  public Map<String, Path> fetch(Collection<Entry> entries) throws IOException {
    Map<String, Path> files = new HashMap<>();
    if (entries.isEmpty()) {
      return files;
    }
    Path root = scratch.directory().resolve("root");
    Path wanted = scratch.directory().resolve("wanted");
    Files.write(wanted, entries.stream().map(Entry::path).toList(), StandardCharsets.UTF_8);
    Programs.Result result =
        Programs.run(
            List.of(
                "unsquashfs",
                "-n",
                "-no-xattrs",
                "-no-wildcards",
                "-f",
                "-o",
                String.valueOf(part.offset()),
                "-d",
                root.toString(),
                "-ef",
                wanted.toString(),
                image.toString()),
            Set.of(),
            new byte[0],
            LIMIT);
    scratch.check();
    for (Entry entry : entries) {
      Path file = root.resolve(entry.path());
      if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.isReadable(file)) {
        files.put(entry.path(), file);
      }
    }
    if (files.isEmpty()) {
      check(result);
    }
    return files;
  }

  private void check(Programs.Result result) {
    if (result.exitCode() != 0) {
      String[] lines = result.error().strip().split("\n");
      throw Failure.image(
          "the image " + image + " cannot be read by unsquashfs: " + lines[lines.length - 1],
          "build or copy it again; unsquashfs must be of squashfs-tools 4.4 or newer");
    }
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
