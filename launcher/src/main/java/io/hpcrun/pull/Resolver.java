package io.hpcrun.pull;

import io.hpcrun.json.Json;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Finds out what a source means now: the digest of the image's manifest for one kind of processor,
 * or what else its content can be told by.
 */
public final class Resolver implements AutoCloseable {
  private static final int REMEMBERED = 1000;

  private final Login login;
  private final InsecureHosts insecure;
  private final AllowedSources sources;
  private final WebClient web;

  /**
   * What indexes and manifests mean, by their digests: it never changes. So a name that has not
   * moved costs a registry one small request, which does not count against a site's pulls.
   */
  private final Map<String, Resolved> known =
      Collections.synchronizedMap(
          new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Resolved> eldest) {
              return size() > REMEMBERED;
            }
          });

  /**
   * Asks with this login.
   *
   * @param login {@link Login#NONE} asks for what everybody may have
   * @param insecure registries that are spoken to without TLS
   * @param sources where web servers may send to
   * @param environment names the proxies
   */
  public Resolver(
      Login login,
      InsecureHosts insecure,
      AllowedSources sources,
      Map<String, String> environment) {
    this(login, insecure, sources, new WebClient(insecure, environment));
  }

  Resolver(Login login, InsecureHosts insecure, AllowedSources sources, WebClient web) {
    this.login = login;
    this.insecure = insecure;
    this.sources = sources;
    this.web = web;
  }

  /**
   * Resolves a source.
   *
   * @param architecture Go's name, such as {@code amd64}
   * @throws PullFailure if it cannot be had
   */
  public Resolved resolve(ImageSource source, String architecture) {
    return switch (source) {
      case ImageSource.Docker docker -> inRegistry(source, docker.reference(), architecture);
      case ImageSource.Oras oras -> inRegistry(source, oras.reference(), architecture);
      case ImageSource.Web address -> onServer(address, architecture);
      case ImageSource.LocalFile file -> PublicFile.resolve(file, architecture);
      case ImageSource.Library library ->
          new Resolved(library, architecture, Optional.empty(), 0, Optional.empty());
    };
  }

  private Resolved inRegistry(ImageSource source, Reference name, String architecture) {
    Registry registry = new Registry(web, name, login, insecure);
    Optional<String> digest = name.digest().or(registry::digest);
    String scheme = source.text().substring(0, source.text().indexOf(':'));
    String key = String.join(" ", scheme, name.registry(), name.repository(), architecture, "");
    Resolved before = digest.map(each -> known.get(key + each)).orElse(null);
    if (before != null) {
      return new Resolved(source, architecture, before.pin(), before.bytes(), before.blob());
    }
    Registry.Manifest top = registry.manifest(digest.orElse(name.tag()));
    Registry.Manifest own =
        top.content().containsKey("manifests")
            ? registry.manifest(choose(registry, name, top.content(), architecture))
            : top;
    Resolved resolved =
        source instanceof ImageSource.Oras
            ? sif(registry, source, own, architecture)
            : layers(registry, source, name, own, architecture);
    known.put(key + top.digest(), resolved);
    return resolved;
  }

  /** The manifest for these processors, in an index. */
  private static String choose(
      Registry registry, Reference name, Map<String, Object> index, String architecture) {
    List<Map<String, Object>> all = objects(registry, index, "manifests");
    TreeSet<String> offered = new TreeSet<>();
    for (Map<String, Object> each : all) {
      if (each.get("platform") instanceof Map<?, ?> platform
          && "linux".equals(platform.get("os"))) {
        offered.add(String.valueOf(platform.get("architecture")));
        if (architecture.equals(platform.get("architecture"))) {
          return String.valueOf(each.get("digest"));
        }
      }
    }
    throw otherArchitecture(name, architecture, String.join(", ", offered));
  }

  private static PullFailure otherArchitecture(Reference name, String wanted, String offered) {
    return new PullFailure(
        Kind.WRONG_ARCHITECTURE,
        "the image "
            + name
            + " is not for "
            + wanted
            + (offered.isEmpty() ? "" : "; it is for " + ImageSource.shown(offered)),
        "choose another tag, or nodes of that kind and --arch");
  }

  private static Resolved layers(
      Registry registry,
      ImageSource source,
      Reference name,
      Registry.Manifest manifest,
      String architecture) {
    Map<String, Object> config = registry.document(digestOf(registry, manifest, "config"));
    Object made = config.get("architecture");
    if (!architecture.equals(made)) {
      throw made == null
          ? registry.notUnderstood("it is no image of a container")
          : otherArchitecture(name, architecture, made.toString());
    }
    long bytes =
        objects(registry, manifest.content(), "layers").stream().mapToLong(Resolver::size).sum();
    return new Resolved(
        source, architecture, Optional.of(manifest.digest()), bytes, Optional.empty());
  }

  private static Resolved sif(
      Registry registry, ImageSource source, Registry.Manifest manifest, String architecture) {
    return objects(registry, manifest.content(), "layers").stream()
        .filter(layer -> String.valueOf(layer.get("mediaType")).contains(".sif"))
        .findFirst()
        .map(
            layer ->
                new Resolved(
                    source,
                    architecture,
                    Optional.of(manifest.digest()),
                    size(layer),
                    Optional.of(String.valueOf(layer.get("digest")))))
        .orElseThrow(
            () -> registry.notUnderstood("it holds no SIF file; if it is an image use docker://"));
  }

  private static String digestOf(Registry registry, Registry.Manifest manifest, String member) {
    if (manifest.content().get(member) instanceof Map<?, ?> descriptor) {
      return String.valueOf(descriptor.get("digest"));
    }
    throw registry.notUnderstood("its manifest has no " + member);
  }

  private static List<Map<String, Object>> objects(
      Registry registry, Map<String, Object> object, String member) {
    if (object.get(member) instanceof List<?> list
        && list.stream().allMatch(Map.class::isInstance)) {
      return Json.objects(object, member);
    }
    throw registry.notUnderstood("its manifest has no " + member);
  }

  private static long size(Map<String, Object> descriptor) {
    String size = String.valueOf(descriptor.get("size"));
    return size.matches("\\d{1,15}") ? Long.parseLong(size) : 0;
  }

  private Resolved onServer(ImageSource.Web source, String architecture) {
    HttpResponse<InputStream> answer =
        web.ask("HEAD", source.address(), Map.of(), to -> sources.check(source.address(), to));
    WebClient.close(answer);
    if (answer.statusCode() != 200) {
      throw Downloads.refused(answer);
    }
    long bytes = answer.headers().firstValueAsLong("content-length").orElse(0);
    Optional<String> tag =
        answer
            .headers()
            .firstValue("etag")
            .filter(value -> value.startsWith("\"") && value.length() < 200)
            .map(value -> source.text() + " " + value);
    return new Resolved(source, architecture, tag, bytes, Optional.empty());
  }

  @Override
  public void close() {
    web.close();
  }
}
