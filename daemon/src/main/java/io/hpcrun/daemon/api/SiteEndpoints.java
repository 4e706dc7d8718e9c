package io.hpcrun.daemon.api;

import io.hpcrun.failure.Failure;
import io.hpcrun.jobfile.JobFile;
import io.hpcrun.jobfile.Parameter;
import io.hpcrun.request.Layer;
import io.hpcrun.request.SiteOptions;
import io.hpcrun.site.Site;
import io.hpcrun.template.TemplatePath;
import io.hpcrun.template.Templates;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** What the administrators declare for launches, and the site's templates. */
public final class SiteEndpoints {
  /**
   * What the site says of launches (schema {@code hpcrun.site-options/1}).
   *
   * @param schema its name
   * @param file the site file
   * @param contact whom users ask
   * @param defaults options of every launch
   * @param partitions options of launches in a partition
   * @param modules options under a name
   */
  public record SiteDocument(
      String schema,
      Optional<String> file,
      Optional<String> contact,
      List<SiteOption> defaults,
      Map<String, List<SiteOption>> partitions,
      Map<String, SiteModule> modules) {
    static SiteDocument of(Site site) {
      Map<String, List<SiteOption>> partitions = new LinkedHashMap<>();
      site.options()
          .partitions()
          .forEach((name, layer) -> partitions.put(name, SiteOption.of(layer)));
      Map<String, SiteModule> modules = new LinkedHashMap<>();
      site.options().modules().forEach((name, module) -> modules.put(name, SiteModule.of(module)));
      return new SiteDocument(
          "hpcrun.site-options/1",
          site.file().map(Path::toString),
          site.contact(),
          SiteOption.of(site.options().defaults()),
          partitions,
          modules);
    }
  }

  /**
   * An option that the site gives.
   *
   * @param option its long name without dashes
   * @param value as one would type it
   * @param origin file, line and column
   */
  public record SiteOption(String option, String value, String origin) {
    static List<SiteOption> of(Layer layer) {
      return layer.settings().stream()
          .map(each -> new SiteOption(each.name(), each.shown(), each.origin().toString()))
          .toList();
    }
  }

  /**
   * A module.
   *
   * @param description one sentence; may be empty
   * @param requires modules that come with it
   * @param conflicts modules that cannot be had beside it
   * @param options what it sets
   */
  public record SiteModule(
      String description, List<String> requires, List<String> conflicts, List<SiteOption> options) {
    static SiteModule of(SiteOptions.Module module) {
      return new SiteModule(
          module.description(),
          module.requires(),
          module.conflicts(),
          SiteOption.of(module.options()));
    }
  }

  /** The site's templates (schema {@code hpcrun.site-templates/1}). */
  public record TemplateList(String schema, List<TemplateDocument> templates) {}

  /**
   * A template of the site.
   *
   * @param name what users call it
   * @param file where it is
   * @param description what it is for; may be empty
   * @param parameters what may be given
   * @param fault what is wrong in it; it cannot be used then
   */
  public record TemplateDocument(
      String name,
      String file,
      String description,
      List<TemplateParameter> parameters,
      Optional<String> fault) {
    private static TemplateDocument of(TemplatePath.Entry entry, Templates templates) {
      String file = entry.file().toString();
      try {
        JobFile read = templates.template(entry);
        return new TemplateDocument(
            entry.name(),
            file,
            read.description(),
            read.parameters().values().stream().map(TemplateParameter::of).toList(),
            Optional.empty());
      } catch (Failure broken) {
        return new TemplateDocument(
            entry.name(), file, "", List.of(), Optional.of(broken.getMessage()));
      }
    }
  }

  /**
   * A parameter of a template.
   *
   * @param name its name
   * @param type text, word, path, integer, number, boolean, size, time or list
   * @param help for people; may be empty
   * @param byDefault its value where nobody gives one; without it, one must be given
   * @param choices the only right values; empty: any of its type
   * @param min the least value
   * @param max the greatest
   */
  public record TemplateParameter(
      String name,
      String type,
      String help,
      Optional<List<String>> byDefault,
      List<String> choices,
      Optional<String> min,
      Optional<String> max) {
    static TemplateParameter of(Parameter parameter) {
      return new TemplateParameter(
          parameter.name(),
          parameter.type().label(),
          parameter.help(),
          parameter.byDefault(),
          parameter.choices(),
          parameter.min(),
          parameter.max());
    }
  }

  private final Supplier<Site> site;

  /** Tells of this site, asked anew at each request. */
  public SiteEndpoints(Supplier<Site> site) {
    this.site = site;
  }

  /** The endpoints. */
  public List<Endpoint> endpoints() {
    return List.of(
        Endpoint.get(
            "/v1/site",
            "What the site file says of launches, with file, line and column.",
            List.of(),
            SiteDocument.class,
            call -> Answer.json(SiteDocument.of(site.get()))),
        Endpoint.get(
            "/v1/templates",
            "The site's templates with their parameters.",
            List.of(),
            TemplateList.class,
            call ->
                Answer.json(new TemplateList("hpcrun.site-templates/1", templates(entry -> true)))),
        Endpoint.get(
            "/v1/templates/{name}",
            "A template of the site.",
            List.of(),
            TemplateDocument.class,
            this::template));
  }

  private Answer template(Call call) {
    String name = call.path().get("name");
    return Answer.json(
        templates(entry -> entry.name().equals(name)).stream()
            .findFirst()
            .orElseThrow(() -> Problem.notFound("template " + name)));
  }

  private List<TemplateDocument> templates(Predicate<TemplatePath.Entry> wanted) {
    TemplatePath path = new TemplatePath(site.get().templates());
    Templates templates = new Templates(path, Path.of("/"));
    return path.entries().stream()
        .filter(entry -> entry.shadowedBy().isEmpty())
        .filter(wanted)
        .map(entry -> TemplateDocument.of(entry, templates))
        .toList();
  }
}
