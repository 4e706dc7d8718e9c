package io.hpcrun.site;

import static io.hpcrun.yaml.Shape.count;
import static io.hpcrun.yaml.Shape.key;
import static io.hpcrun.yaml.Shape.keys;
import static io.hpcrun.yaml.Shape.listOf;
import static io.hpcrun.yaml.Shape.oneOrMore;
import static io.hpcrun.yaml.Shape.path;
import static io.hpcrun.yaml.Shape.prose;
import static io.hpcrun.yaml.Shape.size;
import static io.hpcrun.yaml.Shape.text;
import static io.hpcrun.yaml.Shape.time;

import io.hpcrun.pull.AllowedSources;
import io.hpcrun.request.OptionBlock;
import io.hpcrun.request.OwnOption;
import io.hpcrun.spec.SlurmOption;
import io.hpcrun.yaml.Shape;
import io.hpcrun.yaml.YamlValue;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Every key of the site file, once: reading, reference page, JSON Schema and help come from here.
 */
public final class SiteShape {
  /** Names of modules and templates. */
  static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}");

  private static final String REGISTRY = "[A-Za-z0-9.-]+(:[0-9]{1,5})?";

  /** The section of the daemon. */
  private static final Shape.Keys DAEMON =
      keys(
          key(
              "socket",
              text("/[^\\p{Cntrl}]{0,106}", "an absolute path of 107 bytes at most"),
              "the Unix socket at which hpcrund answers; the command looks there, too",
              "/run/hpcrund/hpcrund.sock"),
          key("state", path(), "the daemon's own directory, on a local disk", "/var/lib/hpcrund"),
          key(
              "spool",
              path(),
              "directory from which launch records are taken; see `records.spool`"),
          key(
              "operators",
              listOf(text("[a-z_][a-z0-9_.-]*", "a group's name")),
              "groups whose members see everybody's launches",
              "none"),
          key(
              "store",
              keys(
                  key(
                      "url",
                      text("jdbc:postgresql:[^\\p{Cntrl}]+", "a database jdbc:postgresql:..."),
                      "a PostgreSQL database",
                      "SQLite in `state`"),
                  key("keep", time(), "launches that ended longer ago are removed", "400d"),
                  key("size", size(), "the oldest are removed when the database is larger", "50G")),
              "where launches are kept"),
          key(
              "limits",
              keys(
                  key("requests-per-second", count(1, 1_000_000), "of one user, on average", "200"),
                  key("request-size", size(), "the largest request", "16M"),
                  key(
                      "request-time",
                      time(),
                      "how long header and body may each take to arrive, and an answer to be taken",
                      "30s"),
                  key("requests-at-once", count(1, 100_000), "of all users; more wait", "256"),
                  key(
                      "requests-at-once-per-user",
                      count(1, 100_000),
                      "of one user; more are turned away",
                      "32")),
              "what one user may ask for"),
          key(
              "images",
              keys(
                  key("directory", path(), "of the image store, where nodes read it", "no store"),
                  key("quota", size(), "what the images may have", "500G"),
                  key("largest", size(), "what one image may have", "50G, or half of the quota"),
                  key(
                      "workers",
                      count(1, 64),
                      "images that are fetched and converted at once",
                      "2"),
                  key("pull-time", time(), "how long one of them may take", "1h"),
                  key("pulls-per-user", count(1, 10_000), "how many one user may wait for", "10"),
                  key(
                      "sources",
                      listOf(
                          new Shape.Checked(
                              "the beginning of a source, which ends with a slash",
                              "string",
                              "",
                              SiteShape::source)),
                      "where images may come from",
                      "everywhere"),
                  key(
                      "insecure-registries",
                      listOf(text(REGISTRY, "HOST or HOST:PORT")),
                      "registries that are spoken to without TLS",
                      "those of the machine itself"),
                  key("keys", path(), "public keys by which SIF files must be signed", "none")),
              "the image store"),
          key(
              "tcp",
              keys(
                  key(
                      "listen",
                      text("[^\\p{Cntrl} ]+:[0-9]{1,5}", "HOST:PORT"),
                      "address and port"),
                  key("certificate", path(), "PEM file; may be left out on a loopback address"),
                  key("key", path(), "PEM file with the certificate's key"),
                  key(
                      "url",
                      text("https?://[^/?#\\p{Cntrl}]+/([^?#\\p{Cntrl}]*/)?", "https://HOST/"),
                      "how users reach it",
                      "made from `listen`")),
              "HTTP for browsers and other machines, with tokens; without it there is none"));

  /** The whole site file. */
  public static final Shape.Keys FILE =
      keys(
          key(
              "contact",
              text(),
              "whom users ask; stands in refusals of the site's rules that name nobody"),
          key(
              "defaults",
              keys(OptionBlock.keys()),
              "options of every launch; users' own options win"),
          key(
              "partitions",
              new Shape.Named(
                  "a partition",
                  Pattern.compile("[^\\p{Cntrl},= ]{1,64}"),
                  keys(without(SlurmOption.PARTITION.option()))),
              "options of launches in a partition, which win over `defaults`"),
          key(
              "modules",
              new Shape.Named(
                  "a module",
                  NAME,
                  keys(
                      without(OwnOption.MODULE.option()),
                      key("description", prose(), "one sentence for users"),
                      key(
                          "requires",
                          oneOrMore(text(NAME.pattern(), "a module's name")),
                          "modules that come with it"),
                      key(
                          "conflicts",
                          oneOrMore(text(NAME.pattern(), "a module's name")),
                          "modules that cannot be had beside it"))),
              "options under a name, which users ask for by `--module=NAME`"),
          key("templates", oneOrMore(path()), "directories with templates of the site"),
          key("policy", oneOrMore(path()), "files with rules that launches must keep"),
          key(
              "records",
              keys(
                  key(
                      "spool",
                      path(),
                      "where nodes leave records for hpcrund, on a shared file system"),
                  key(
                      "directory",
                      text("(/|~/)[^\\p{Cntrl}]*", "an absolute path, or one that begins with ~/"),
                      "where users' own records go",
                      "~/.local/state/hpcrun/records")),
              "where the nodes write how launches went"),
          key(
              "fabric",
              keys(
                  key(
                      "locked-memory",
                      size(),
                      "locked memory without which `require-fabric` refuses a node",
                      "1G")),
              "the network"),
          key("daemon", DAEMON, "the service hpcrund"));

  private SiteShape() {}

  /** All options but the one that says whether the others count. */
  private static List<Shape.Key> without(String name) {
    return OptionBlock.keys(entry -> !entry.name().equals(name));
  }

  private static void source(YamlValue value) {
    if (!AllowedSources.isBeginning(value.text())) {
      throw value.mustBe("the beginning of a source, which ends with a slash,");
    }
  }
}
