package io.hpcrun.cli;

import io.hpcrun.failure.ExitCode;
import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.JobFile;
import io.hpcrun.jobfile.JobFileShape;
import io.hpcrun.jobfile.Parameter;
import io.hpcrun.json.Json;
import io.hpcrun.request.GetoptParser;
import io.hpcrun.template.TemplatePath;
import io.hpcrun.template.TemplateTests;
import io.hpcrun.template.Templates;
import io.hpcrun.yaml.ShapeDocument;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** {@code hpcrun template}: lists, shows, checks and tests templates. */
final class TemplateCommand {
  private final Console console;
  private final TemplatePath path;
  private final Templates templates;

  private TemplateCommand(Console console) {
    this.console = console;
    this.path = TemplatePath.of(console.environment(), console.site().templates());
    this.templates = new Templates(path, console.workingDirectory());
  }

  static int run(List<String> words, Console console) {
    Options options = new Options().addOption(Option.builder().longOpt("json").get());
    GetoptParser parser = new GetoptParser(options, "template");
    GetoptParser.Parsed parsed = parser.parse(words);
    String verb =
        parsed.rest().isEmpty() ? "list" : Asked.utf8("template", parsed.rest().getFirst());
    GetoptParser.Around around = parser.parseAround(parsed.rest().stream().skip(1).toList());
    List<String> rest =
        around.operands().stream().map(word -> Asked.utf8("template " + verb, word)).toList();
    boolean json = parsed.options().hasOption("json") || around.has("json");
    TemplateCommand command = new TemplateCommand(console);
    return switch (verb) {
      case "list" -> command.list(atMost(0, rest, verb), json);
      case "show" -> command.show(atMost(1, rest, verb), json);
      case "check" -> command.check(rest);
      case "test" -> command.test(rest);
      case "schema" -> {
        atMost(0, rest, verb);
        console
            .out()
            .println(
                ShapeDocument.jsonSchema(
                    "hpcrun.job/1", "hpcrun's job files and templates", JobFileShape.FILE));
        yield ExitCode.OK.code();
      }
      case "reference" -> {
        atMost(0, rest, verb);
        console.out().print(ShapeDocument.markdown(JobFileShape.FILE));
        yield ExitCode.OK.code();
      }
      default ->
          throw Failure.usage(
              "hpcrun template does not know '" + verb + "'",
              "use list, show, check, test, schema or reference");
    };
  }

  private static List<String> atMost(int most, List<String> rest, String verb) {
    if (rest.size() > most) {
      throw Failure.usage(
          "'%s' follows 'hpcrun template %s'".formatted(rest.get(most), verb),
          "write: hpcrun template " + verb + (most == 0 ? "" : " NAME"));
    }
    return rest;
  }

  private int list(List<String> none, boolean json) {
    List<Listed> all = path.entries().stream().map(this::listed).toList();
    if (json) {
      console.out().writeBytes(json(all));
      console.out().println();
      return ExitCode.OK.code();
    }
    if (all.isEmpty()) {
      console.out().println("there are no templates in");
      path.directories().forEach(directory -> line("  " + directory));
    }
    for (Listed each : all) {
      line(
          "%-20s %s"
              .formatted(
                  each.entry().name(),
                  each.fault().map(fault -> "broken: " + fault).orElse(each.description())));
      line(
          "    "
              + each.entry().file()
              + each.entry().shadowedBy().map(other -> ", not used: " + other + " is").orElse(""));
    }
    return ExitCode.OK.code();
  }

  /** A template as the list shows it. */
  private record Listed(TemplatePath.Entry entry, String description, Optional<String> fault) {}

  private Listed listed(TemplatePath.Entry entry) {
    try {
      return new Listed(entry, firstLine(templates.template(entry)), Optional.empty());
    } catch (Failure broken) {
      return new Listed(entry, "", Optional.of(broken.getMessage()));
    }
  }

  private static String firstLine(JobFile file) {
    return file.description().lines().findFirst().orElse("");
  }

  private int show(List<String> names, boolean json) {
    if (names.isEmpty()) {
      throw Failure.usage(
          "hpcrun template show does not say which", "'hpcrun template list' names them");
    }
    JobFile file = templates.template(names.getFirst());
    if (json) {
      console.out().writeBytes(json(names.getFirst(), file));
      console.out().println();
      return ExitCode.OK.code();
    }
    String description = file.description().isEmpty() ? "no description" : file.description();
    description.strip().lines().forEach(this::line);
    line("");
    String extended = "file     ";
    for (JobFile.Part part : file.parts().reversed()) {
      line(extended + part.text().place().file());
      extended = "extends  ";
    }
    StringBuilder usage =
        new StringBuilder("use      hpcrun submit --template=" + names.getFirst());
    file.parameters().values().stream()
        .filter(parameter -> parameter.byDefault().isEmpty())
        .forEach(
            parameter ->
                usage
                    .append(" --set=")
                    .append(parameter.name())
                    .append('=')
                    .append(
                        parameter
                            .example()
                            .map(List::getFirst)
                            .orElse(parameter.type().label().toUpperCase(java.util.Locale.ROOT))));
    line(usage.toString());
    if (!file.parameters().isEmpty()) {
      line("");
    }
    for (Parameter parameter : file.parameters().values()) {
      line("%-16s %s".formatted(parameter.name(), described(parameter)));
      parameter.help().strip().lines().forEach(text -> line("    " + text));
    }
    return ExitCode.OK.code();
  }

  private static String described(Parameter parameter) {
    List<String> parts = new ArrayList<>();
    parts.add(parameter.type().label());
    if (!parameter.choices().isEmpty()) {
      parts.add("one of " + String.join(", ", parameter.choices()));
    }
    parameter.min().ifPresent(min -> parts.add("from " + min));
    parameter.max().ifPresent(max -> parts.add("to " + max));
    parts.add(
        parameter
            .byDefault()
            .map(words -> "default '" + String.join(" ", words) + "'")
            .orElse("must be given"));
    return String.join(", ", parts);
  }

  private int check(List<String> names) {
    TemplateTests tests = new TemplateTests(console.site().options().modules());
    List<Named> all = named(names);
    int broken = 0;
    for (Named each : all) {
      try {
        tests.check(each.file().get());
        line(each.name() + ": good");
      } catch (Failure failure) {
        if (all.size() == 1) {
          throw failure;
        }
        broken++;
        line(each.name() + ": broken: " + failure.getMessage());
        line("    what to do: " + failure.remedy());
      }
    }
    if (broken > 0) {
      throw Failure.usage(
          "%d of %d templates are broken".formatted(broken, all.size()),
          "correct what is said of each");
    }
    return ExitCode.OK.code();
  }

  /** A template that was named, or is of the search path; reading it may fail. */
  private record Named(String name, Supplier<JobFile> file) {}

  private List<Named> named(List<String> names) {
    return names.isEmpty()
        ? path.entries().stream()
            .filter(entry -> entry.shadowedBy().isEmpty())
            .map(entry -> new Named(entry.name(), () -> templates.template(entry)))
            .toList()
        : names.stream().map(name -> new Named(name, () -> templates.template(name))).toList();
  }

  private int test(List<String> names) {
    TemplateTests tests = new TemplateTests(console.site().options().modules());
    int failed = 0;
    int all = 0;
    for (Named each : named(names)) {
      JobFile file = each.file().get();
      tests.check(file);
      for (TemplateTests.Outcome outcome : tests.run(file)) {
        all++;
        failed += outcome.faults().isEmpty() ? 0 : 1;
        line(
            "%s: %s: %s"
                .formatted(
                    each.name(), outcome.name(), outcome.faults().isEmpty() ? "passed" : "FAILED"));
        if (!outcome.faults().isEmpty()) {
          line("    " + outcome.place());
          outcome.faults().forEach(fault -> line("    " + fault));
        }
      }
    }
    if (failed > 0) {
      throw Failure.usage(
          "%d of %d tests failed".formatted(failed, all),
          "change the template, or what it expects");
    }
    line(all == 0 ? "there are no tests" : "tests passed: " + all);
    return ExitCode.OK.code();
  }

  private void line(String text) {
    console.out().println(InspectCommand.printable(text));
  }

  private static byte[] json(List<Listed> all) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", "hpcrun.templates/1");
          Json.objects(
              json,
              "templates",
              all,
              each -> {
                json.writeStringProperty("name", each.entry().name());
                json.writeStringProperty("description", each.description());
                json.writeStringProperty("file", each.entry().file().toString());
                Json.string(json, "shadowed_by", each.entry().shadowedBy().map(Object::toString));
                Json.string(json, "fault", each.fault());
              });
        });
  }

  private static byte[] json(String name, JobFile file) {
    return Json.write(
        json -> {
          json.writeStringProperty("schema", "hpcrun.template/1");
          json.writeStringProperty("name", name);
          json.writeStringProperty("description", firstLine(file));
          Json.strings(
              json,
              "files",
              file.parts().reversed().stream().map(part -> part.text().place().file()).toList());
          Json.objects(
              json,
              "parameters",
              file.parameters().values(),
              parameter -> {
                json.writeStringProperty("name", parameter.name());
                json.writeStringProperty("type", parameter.type().label());
                json.writeStringProperty("help", parameter.help());
                parameter.byDefault().ifPresent(words -> Json.strings(json, "default", words));
                parameter.example().ifPresent(words -> Json.strings(json, "example", words));
                Json.strings(json, "choices", parameter.choices());
                Json.string(json, "min", parameter.min());
                Json.string(json, "max", parameter.max());
              });
        });
  }
}
