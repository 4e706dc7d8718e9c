package io.hpcrun.image;

import io.hpcrun.image.ImageFiles.Entry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The variables that an image's start-up scripts set (apptainer-userdocs,
 * environment_and_metadata.rst), by their names; the scripts are read, not run.
 *
 * @param sets names that are set whatever the caller's value is, with the file that does so
 * @param keeps names that are set unless the caller has a value, as Apptainer writes it for the
 *     variables of images from Docker registries
 */
public record ImageVariables(Map<String, String> sets, Map<String, String> keeps) {
  /** Of the runtime's own scripts only those that hold what the image's author wrote. */
  private static final Pattern SCRIPT =
      Pattern.compile("\\.singularity\\.d/env/(?!01-|94-|95-|99-)[^/]*\\.sh");

  private static final Pattern ASSIGNMENT =
      Pattern.compile(
          "^\\s*(?:export\\s+)?([A-Za-z_][A-Za-z0-9_]*)=(\"?\\$\\{\\1:?-)?", Pattern.MULTILINE);

  /** Reads them; nothing of the image is run. */
  public static ImageVariables read(Image image) throws IOException {
    Map<String, String> sets = new TreeMap<>();
    Map<String, String> keeps = new TreeMap<>();
    try (ImageFiles files = ImageFiles.of(image)) {
      List<Entry> scripts =
          files.list(
              entry ->
                  !entry.isLink()
                      && entry.size() <= ImageFiles.LARGEST_TEXT
                      && SCRIPT.matcher(entry.path()).matches());
      for (Map.Entry<String, Path> script : new TreeMap<>(files.fetch(scripts)).entrySet()) {
        Matcher found =
            ASSIGNMENT.matcher(Files.readString(script.getValue(), StandardCharsets.ISO_8859_1));
        while (found.find()) {
          (found.group(2) == null ? sets : keeps).put(found.group(1), "/" + script.getKey());
        }
      }
    }
    keeps.keySet().removeAll(sets.keySet());
    return new ImageVariables(sets, keeps);
  }
}
