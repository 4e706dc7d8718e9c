package io.hpcrun.yaml;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A map of a YAML file, in the order of the file.
 *
 * @param place where it begins
 * @param entries its keys and values
 */
public record YamlMap(Place place, Map<String, Entry> entries) implements YamlValue {
  /**
   * A key with its value.
   *
   * @param key the key
   * @param place where the key stands
   * @param value its value
   */
  public record Entry(String key, Place place, YamlValue value) {}

  /** Keeps the order. */
  public YamlMap {
    entries = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(entries));
  }

  /** The keys with their values, in the order of the file. */
  public List<Entry> list(Collection<String> allowed) {
    allow(allowed);
    return List.copyOf(entries.values());
  }

  /** The value of a key, if it is there. */
  public Optional<YamlValue> find(String key) {
    return Optional.ofNullable(entries.get(key)).map(Entry::value);
  }

  /**
   * The value of a key that must be there.
   *
   * @param use what it is for, to be said where it is missing
   */
  public YamlValue get(String key, String use) {
    return find(key)
        .orElseThrow(
            () ->
                place.wrong(
                    "the key '" + key + "' is missing here", "write '" + key + ": ...', " + use));
  }

  /** Refuses all other keys, and names the nearest right one. */
  public YamlMap allow(Collection<String> allowed) {
    for (Entry entry : entries.values()) {
      if (!allowed.contains(entry.key())) {
        throw Names.unknown(entry.place(), "there is no key '%s' here", entry.key(), allowed);
      }
    }
    return this;
  }

  @Override
  public String described() {
    return "a map";
  }
}
