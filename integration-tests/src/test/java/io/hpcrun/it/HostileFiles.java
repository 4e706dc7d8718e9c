package io.hpcrun.it;

import io.hpcrun.jobfile.JobFileShape;
import io.hpcrun.request.OptionTable;
import io.hpcrun.site.SiteShape;
import io.hpcrun.yaml.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;

/**
 * Site files, job files, templates and policies, each with a hostile value in one of the fields
 * that hold text. The fields are those of the shapes that files are checked by, so that a new one
 * is among them; a policy's are listed. JSON is YAML, and escapes what it must.
 */
final class HostileFiles {
  /** A file that exists where a value was executed. */
  static final String MARK = "/tmp/pwned";

  /** What a job has as its comment if a value became an option. */
  static final String COMMENT = "pwned";

  private static final String TOUCH = "touch " + MARK;
  private static final String OPTION = "--comment=" + COMMENT;

  /**
   * The first two are more likely to be accepted than the others; all are tried by the campaign.
   */
  static final List<String> VALUES =
      List.of(
          "/x$(" + TOUCH + ")",
          "x'\"`" + TOUCH + "`$(" + TOUCH + ")\\\";" + TOUCH + ";' #SBATCH " + OPTION,
          "x\n#SBATCH " + OPTION + "\n" + TOUCH + "\n",
          OPTION,
          "x " + OPTION + " ${BASH_VERSION+$(" + TOUCH + ")}",
          "a[$(" + TOUCH + ")]",
          "x\r#SBATCH " + OPTION + "\u2028#SBATCH " + OPTION);

  private static final JsonMapper JSON = new JsonMapper();

  /** These take options of sbatch and srun on purpose. */
  private static final List<String> PASS_OPTIONS = List.of("sbatch", "srun", "comment");

  /**
   * What is tried.
   *
   * @param kind which of the ways of {@code submit} it goes
   * @param field the field, with dots
   * @param value the hostile value
   * @param file the file's text
   */
  record Case(String kind, String field, String value, String file) {}

  /**
   * The places of text in a policy, by slashes; the rule is one that every launch keeps and that
   * adds something.
   */
  private static final List<String> OF_POLICY =
      List.of(
          "contact",
          "enforce/reason",
          "enforce/partitions/[]",
          "enforce/srun-options/[]",
          "enforce/environment/PATH/[]",
          "enforce/environment/",
          "rules/[]/id",
          "rules/[]/reason",
          "rules/[]/contact",
          "rules/[]/severity",
          "rules/[]/when/image/none/[]",
          "rules/[]/when/image-label.a",
          "rules/[]/forbid/command",
          "rules/[]/forbid/env/[]",
          "rules/[]/require/partition/none/[]",
          "rules/[]/require/image/only/[]",
          "rules/[]/require/",
          "rules/[]/force/bind/[]",
          "rules/[]/force/env/X",
          "rules/[]/force/env/",
          "rules/[]/examples/[]/pass/image",
          "rules/[]/examples/[]/pass/command");

  private final String image;
  private final List<Case> cases = new ArrayList<>();

  private HostileFiles(String image) {
    this.image = image;
  }

  /**
   * All of them.
   *
   * @param image an image that can be run
   * @param values how many of {@link #VALUES} each field gets
   */
  static List<Case> all(String image, int values) {
    HostileFiles files = new HostileFiles(image);
    for (String value : VALUES.subList(0, values)) {
      files.fields(SiteShape.FILE, List.of(), path -> files.site(path, value));
      files.fields(JobFileShape.FILE, List.of(), path -> files.job(path, value));
      Stream.concat(
              Stream.of("image", "command"),
              OptionTable.entries().stream().map(OptionTable.Entry::name))
          .forEach(name -> files.parameter(name, value));
      OF_POLICY.forEach(field -> files.policy(List.of(field.split("/", -1)), value));
    }
    return files.cases;
  }

  private void fields(Shape shape, List<String> path, Consumer<List<String>> each) {
    switch (shape) {
      case Shape.Keys keys ->
          keys.keys().forEach(key -> fields(key.shape(), plus(path, key.name()), each));
      case Shape.Named named -> {
        each.accept(plus(path, ""));
        fields(named.shape(), plus(path, path.getLast().equals("partitions") ? "main" : "m"), each);
      }
      case Shape.ListOf list -> fields(list.shape(), plus(path, "[]"), each);
      case Shape.Text text -> each.accept(path);
      case Shape.Checked checked when !checked.form().equals("boolean") -> each.accept(path);
      default -> {
        // numbers, sizes, times and words: whatever else stands there is refused as such
      }
    }
  }

  private static List<String> plus(List<String> path, String name) {
    return Stream.concat(path.stream(), Stream.of(name)).toList();
  }

  private void site(List<String> path, String value) {
    String kind = List.of("modules", "partitions").contains(path.getFirst()) ? path.getFirst() : "";
    Map<String, Object> file = new LinkedHashMap<>();
    if (kind.equals("modules")) {
      file.put("modules", new LinkedHashMap<>(Map.of("m", new LinkedHashMap<>())));
    }
    add("site" + kind, path, value, file);
  }

  private void job(List<String> path, String value) {
    Map<String, Object> file = new LinkedHashMap<>();
    file.put("image", image);
    if (path.getFirst().equals("launches")) {
      Map<String, Object> launch = new LinkedHashMap<>(Map.of("name", "a"));
      launch.put("command", List.of("true"));
      file.put("launches", new ArrayList<>(List.of(launch)));
    } else {
      file.put("command", List.of("true"));
    }
    if (path.getFirst().equals("sweep")) {
      Map<String, Object> parameters = new LinkedHashMap<>(Map.of("s", List.of(1, 2)));
      file.put("sweep", new LinkedHashMap<>(Map.of("parameters", parameters)));
    }
    Map<String, Object> parameter = new LinkedHashMap<>(Map.of("default", "x"));
    file.put("parameters", new LinkedHashMap<>(Map.of("m", parameter)));
    file.put("env", new LinkedHashMap<>(Map.of("M", "${m}")));
    add(path.getFirst().equals("tests") ? "test" : "job", path, value, file);
  }

  private void policy(List<String> path, String value) {
    Map<String, Object> rule = new LinkedHashMap<>();
    rule.put("id", "r");
    rule.put("reason", "Why.");
    rule.put("severity", "warn");
    rule.put("force", new LinkedHashMap<>(Map.of("env", new LinkedHashMap<>(Map.of("S", "s")))));
    Map<String, Object> file = new LinkedHashMap<>();
    file.put("contact", "help@example.org");
    file.put("enforce", new LinkedHashMap<>(Map.of("partitions", new ArrayList<>(List.of("c")))));
    file.put("rules", new ArrayList<>(List.of(rule)));
    add("policy", path, value, file);
  }

  private void parameter(String name, String value) {
    Map<String, Object> file = new LinkedHashMap<>();
    file.put("image", image);
    file.put("command", List.of("true"));
    file.put("parameters", Map.of("p", Map.of()));
    file.put(
        name,
        switch (name) {
          case "command" -> List.of("true", "${p}");
          case "env" -> Map.of("P", "${p}");
          default -> "${p}";
        });
    keep("set", name, value, file);
  }

  private void add(String kind, List<String> path, String value, Map<String, Object> file) {
    put(file, path, value);
    keep(kind, String.join(".", path), value, file);
  }

  private void keep(String kind, String field, String value, Map<String, Object> file) {
    String last = field.substring(field.lastIndexOf('.') + 1);
    if (!PASS_OPTIONS.contains(last) || !value.equals(OPTION)) {
      cases.add(new Case(kind, field, value, JSON.writeValueAsString(file)));
    }
  }

  @SuppressWarnings("unchecked")
  private static void put(Map<String, Object> map, List<String> path, String value) {
    String name = path.getFirst();
    List<String> rest = path.subList(1, path.size());
    if (rest.isEmpty()) {
      if (name.isEmpty()) {
        map.put(value, Map.of());
      } else {
        map.put(name, value);
      }
    } else if (rest.getFirst().equals("[]")) {
      List<Object> list = (List<Object>) map.computeIfAbsent(name, unset -> new ArrayList<>());
      if (rest.size() == 1) {
        list.add(value);
        return;
      }
      if (list.isEmpty()) {
        list.add(new LinkedHashMap<>());
      }
      put((Map<String, Object>) list.getFirst(), rest.subList(1, rest.size()), value);
    } else {
      put(
          (Map<String, Object>) map.computeIfAbsent(name, unset -> new LinkedHashMap<>()),
          rest,
          value);
    }
  }
}
