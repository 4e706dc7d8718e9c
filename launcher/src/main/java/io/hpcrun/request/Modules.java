package io.hpcrun.request;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import io.hpcrun.yaml.Names;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The site's modules that a launch asks for, with those that they require. */
public final class Modules {
  private final Map<String, SiteOptions.Module> declared;
  private final Map<String, SiteOptions.Module> wanted = new LinkedHashMap<>();

  /** None is wanted yet of these, which the site declares. */
  public Modules(Map<String, SiteOptions.Module> declared) {
    this.declared = declared;
  }

  /**
   * Adds a module, and before it those that it requires.
   *
   * @param name what it is called
   * @param origin who asks for it, for the message
   * @throws Failure with exit code 2 if it is not declared
   */
  public void add(String name, String origin) {
    if (wanted.containsKey(name)) {
      return;
    }
    SiteOptions.Module module = declared.get(name);
    if (module == null) {
      throw Failure.usage(
          "there is no module '%s' here (%s)".formatted(ByteString.ofLatin1(name), origin),
          declared.isEmpty()
              ? "leave it out; this site declares no modules"
              : Names.remedy(name, declared.keySet()));
    }
    for (String other : module.requires()) {
      if (!other.equals(name)) {
        add(other, "module: " + name);
      }
    }
    wanted.put(name, module);
  }

  /**
   * Those that were added, in their order.
   *
   * @throws Failure with exit code 2 if two of them exclude each other
   */
  public List<SiteOptions.Module> wanted() {
    for (SiteOptions.Module module : wanted.values()) {
      for (String other : module.conflicts()) {
        if (wanted.containsKey(other)) {
          throw Failure.usage(
              "the modules %s and %s exclude each other".formatted(module.name(), other),
              "leave one of them out; 'hpcrun config modules' says what they are");
        }
      }
    }
    return List.copyOf(wanted.values());
  }
}
