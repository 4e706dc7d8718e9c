package io.hpcrun.timing;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the nodes of a user's jobs leave their records: a directory for each job or array element,
 * in it a file for each launch and one for each of its nodes. Files appear whole (docs/records.md).
 *
 * @param path the directory
 */
public record RecordDirectory(Path path) {
  private static final Pattern LAUNCH_FILE = Pattern.compile("(.+)\\.job\\.jsonl");
  private static final Pattern ELEMENT = Pattern.compile("(\\d+)(?:_(\\d+))?");

  /**
   * The user's record directory: {@code HPCRUN_RECORDS}, else {@code hpcrun/records} in the XDG
   * state directory (XDG Base Directory Specification: {@code $XDG_STATE_HOME}, default {@code
   * ~/.local/state}).
   *
   * @throws Failure with exit code 2 when it is not an absolute path
   */
  public static RecordDirectory of(Map<String, String> environment) {
    String own = environment.getOrDefault("HPCRUN_RECORDS", "");
    if (!own.isEmpty()) {
      if (!own.startsWith("/")) {
        throw Failure.usage(
            "HPCRUN_RECORDS=" + own + " is not an absolute path", "write it from / on");
      }
      return new RecordDirectory(Path.of(own));
    }
    String state = environment.getOrDefault("XDG_STATE_HOME", "");
    if (!state.startsWith("/")) {
      String home = environment.getOrDefault("HOME", "");
      if (!home.startsWith("/")) {
        home = System.getProperty("user.home"); // the password file's
      }
      if (!home.startsWith("/")) {
        throw Failure.usage(
            "neither HPCRUN_RECORDS nor HOME tells where records go", "set HPCRUN_RECORDS");
      }
      state = home + "/.local/state";
    }
    return new RecordDirectory(Path.of(state, "hpcrun", "records"));
  }

  /**
   * The launches of a job, in the order of array elements.
   *
   * @param job a job id; an array's id stands for all its elements, {@code 12_3} for one
   * @throws Failure with exit code 2 when there is no record
   */
  public List<Launch> launches(String job) {
    List<Launch> launches = launches(List.of(path.resolve(job)));
    if (launches.isEmpty()) {
      launches = launches(elements(job));
    }
    launches.sort(Comparator.comparing(Launch::element).thenComparing(Launch::id));
    return launches;
  }

  /** The job that recorded last; an array as a whole. */
  public Optional<String> newestJob() {
    String newest = null;
    long last = Long.MIN_VALUE;
    try (DirectoryStream<Path> found = Files.newDirectoryStream(path)) {
      for (Path directory : found) {
        Matcher name = ELEMENT.matcher(directory.getFileName().toString());
        long changed = directory.toFile().lastModified(); // 0 for one that was just removed
        if (name.matches() && changed > last) {
          newest = name.group(1);
          last = changed;
        }
      }
    } catch (NoSuchFileException | NotDirectoryException none) {
      return Optional.empty(); // no record was ever written
    } catch (IOException unreadable) {
      throw cannotRead(unreadable);
    }
    return Optional.ofNullable(newest);
  }

  private List<Launch> launches(List<Path> directories) {
    List<Launch> launches = new ArrayList<>();
    for (Path directory : directories) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
        for (Path file : files) {
          Matcher name = LAUNCH_FILE.matcher(file.getFileName().toString());
          if (name.matches()) {
            launches.add(new Launch(name.group(1), file));
          }
        }
      } catch (NoSuchFileException | NotDirectoryException none) {
        continue; // the job's absence is reported by the caller
      } catch (IOException unreadable) {
        throw cannotRead(unreadable);
      }
    }
    return launches;
  }

  private List<Path> elements(String job) {
    List<Path> elements = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(path, job + "_*")) {
      found.forEach(elements::add);
    } catch (NoSuchFileException | NotDirectoryException none) {
      // no record was ever written: the job's absence is reported by the caller
      return elements;
    } catch (IOException unreadable) {
      throw cannotRead(unreadable);
    }
    return elements;
  }

  private Failure cannotRead(IOException unreadable) {
    String reason =
        unreadable instanceof AccessDeniedException ? "permission denied" : unreadable.getMessage();
    return Failure.usage(
        "the records in " + path + " cannot be read: " + reason, "check its permissions");
  }

  /**
   * A launch with its files.
   *
   * @param id job, restart and number in the job, such as {@code 12_3.0.0}
   * @param file the launch's own record
   */
  public record Launch(String id, Path file) implements RecordSource {
    @Override
    public void readLaunch(RecordReader.Lines lines) {
      RecordReader.trusting().read(file, lines);
    }

    @Override
    public void readNodes(Nodes nodes) {
      for (Path node : nodeFiles()) {
        RecordReader.trusting().read(node, nodes);
        nodes.nodeIsComplete();
      }
    }

    /** The records of its nodes. */
    public List<Path> nodeFiles() {
      String prefix = id + ".node.";
      List<Path> found = new ArrayList<>();
      try (DirectoryStream<Path> files =
          Files.newDirectoryStream(
              file.getParent(),
              node -> {
                String name = node.getFileName().toString();
                return name.startsWith(prefix) && name.endsWith(".jsonl");
              })) {
        files.forEach(found::add);
        return found;
      } catch (NoSuchFileException removed) {
        throw Failure.usage(
            "the records of " + id + " were removed while they were read", "try again");
      } catch (IOException unreadable) {
        throw Failure.usage(
            "the records of " + id + " cannot be read: " + unreadable.getMessage(),
            "check the permissions of " + file.getParent());
      }
    }

    private long element() {
      Matcher matcher = ELEMENT.matcher(id);
      return matcher.lookingAt() && matcher.group(2) != null ? Long.parseLong(matcher.group(2)) : 0;
    }
  }
}
