package io.hpcrun.spec;

import io.hpcrun.failure.Failure;
import java.util.ArrayList;
import java.util.List;

/**
 * A file or directory of the node that the container sees ({@code --bind
 * SOURCE[:DESTINATION[:ro|rw]]}).
 *
 * @param source absolute path on the node
 * @param destination absolute path in the container
 * @param readOnly whether the container may only read it
 */
public record BindMount(ByteString source, ByteString destination, boolean readOnly) {

  /**
   * Parses Apptainer's bind specification. Several may be joined by commas; a colon, comma or
   * backslash that belongs to a path is written with a backslash before it.
   *
   * @throws Failure with exit code 2 for an empty or relative path and for an unknown option
   */
  public static List<BindMount> parseList(ByteString text) {
    List<BindMount> binds = new ArrayList<>();
    for (List<String> fields : split(text.latin1())) {
      binds.add(parse(text, fields));
    }
    return binds;
  }

  private static BindMount parse(ByteString text, List<String> fields) {
    String source = fields.get(0);
    String destination = fields.size() > 1 && !fields.get(1).isEmpty() ? fields.get(1) : source;
    String access = fields.size() > 2 ? fields.get(2) : "rw";
    if (fields.size() > 3 || !(access.equals("ro") || access.equals("rw"))) {
      throw Failure.usage(
          "--bind " + text + " is not SOURCE[:DESTINATION[:ro|rw]]",
          "put a backslash before a colon or comma that belongs to a path");
    }
    for (String path : List.of(source, destination)) {
      if (!path.startsWith("/")) {
        throw Failure.usage(
            "--bind " + text + ": '" + ByteString.ofLatin1(path) + "' is not an absolute path",
            "write the path from / on; it is looked up on the compute nodes");
      }
    }
    return new BindMount(
        ByteString.ofLatin1(source), ByteString.ofLatin1(destination), access.equals("ro"));
  }

  /** The binds (split at commas), each as its fields (split at colons), backslashes resolved. */
  private static List<List<String>> split(String text) {
    List<List<String>> binds = new ArrayList<>();
    List<String> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length() && ":,\\".indexOf(text.charAt(i + 1)) >= 0) {
        field.append(text.charAt(++i));
      } else if (c == ':' || c == ',') {
        fields.add(field.toString());
        field.setLength(0);
        if (c == ',') {
          binds.add(fields);
          fields = new ArrayList<>();
        }
      } else {
        field.append(c);
      }
    }
    fields.add(field.toString());
    binds.add(fields);
    return binds;
  }
}
