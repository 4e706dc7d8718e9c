package io.hpcrun.request;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the site says of launches.
 *
 * @param defaults of every launch
 * @param partitions of launches in a partition, by its name
 * @param modules what launches get that ask for a module, by its name
 */
public record SiteOptions(
    Layer defaults, Map<String, Layer> partitions, Map<String, Module> modules) {
  /** A site that says nothing. */
  public static final SiteOptions NONE = new SiteOptions(Layer.EMPTY, Map.of(), Map.of());

  /** The same without what it says of jobs, in sbatch's words. */
  public SiteOptions ofSteps() {
    Map<String, Layer> steps = new LinkedHashMap<>();
    partitions.forEach((name, layer) -> steps.put(name, layer.ofSteps()));
    Map<String, Module> without = new LinkedHashMap<>();
    modules.forEach(
        (name, module) ->
            without.put(
                name,
                new Module(
                    name,
                    module.description(),
                    module.requires(),
                    module.conflicts(),
                    module.options().ofSteps())));
    return new SiteOptions(defaults.ofSteps(), steps, without);
  }

  /**
   * Options under a name.
   *
   * @param name the name
   * @param description for people
   * @param requires modules that come with it
   * @param conflicts modules that cannot be had beside it
   * @param options what a launch gets
   */
  public record Module(
      String name,
      String description,
      List<String> requires,
      List<String> conflicts,
      Layer options) {
    /** Copies the lists. */
    public Module {
      requires = List.copyOf(requires);
      conflicts = List.copyOf(conflicts);
    }
  }
}
