package io.hpcrun.pull;

import io.hpcrun.json.Json;
import io.hpcrun.pull.PullFailure.Kind;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One repository of an OCI registry, as the distribution specification 1.1 has it: manifests and
 * blobs, with anonymous bearer tokens or the login that is given.
 */
final class Registry {
  /** The specification's limit for manifests. */
  private static final int LARGEST_MANIFEST = 4 << 20;

  private static final String INDEXES =
      "application/vnd.oci.image.index.v1+json,"
          + " application/vnd.docker.distribution.manifest.list.v2+json";
  private static final String MANIFESTS =
      "application/vnd.oci.image.manifest.v1+json,"
          + " application/vnd.docker.distribution.manifest.v2+json";
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");
  private static final Pattern PARAMETER = Pattern.compile("([a-zA-Z]+)=\"([^\"]*)\"");

  private final WebClient web;
  private final Reference image;
  private final Login login;
  private final InsecureHosts insecure;
  private Optional<String> authorization = Optional.empty();

  Registry(WebClient web, Reference image, Login login, InsecureHosts insecure) {
    this.web = web;
    this.image = image;
    this.login = login;
    this.insecure = insecure;
  }

  /**
   * A manifest or an index of manifests.
   *
   * @param digest {@code sha256:...} of its text
   * @param content its members
   */
  record Manifest(String digest, Map<String, Object> content) {}

  /** The digest of what the name means now, if the registry tells it without the manifest. */
  Optional<String> digest() {
    HttpResponse<InputStream> answer =
        ask("HEAD", "manifests/" + image.wanted(), INDEXES + ", " + MANIFESTS);
    WebClient.close(answer);
    return answer
        .headers()
        .firstValue("docker-content-digest")
        .filter(digest -> DIGEST.matcher(digest).matches());
  }

  /**
   * A manifest by tag or digest.
   *
   * @throws PullFailure if there is none, or it is not the one of that digest
   */
  Manifest manifest(String wanted) {
    byte[] text =
        WebClient.read(
            ask("GET", "manifests/" + wanted, INDEXES + ", " + MANIFESTS), LARGEST_MANIFEST);
    String digest = "sha256:" + HexFormat.of().formatHex(sha256().digest(text));
    if (wanted.startsWith("sha256:") && !wanted.equals(digest)) {
      throw new PullFailure(
          Kind.BROKEN,
          "the registry " + image.registry() + " answers with another manifest than " + wanted,
          "ask its administrators");
    }
    return new Manifest(digest, object(text));
  }

  /** A small blob that is JSON. */
  Map<String, Object> document(String digest) {
    return object(WebClient.read(blob(digest), LARGEST_MANIFEST));
  }

  /** A blob; whoever gets it closes its body, and checks its digest. */
  HttpResponse<InputStream> blob(String digest) {
    if (!DIGEST.matcher(digest).matches()) {
      throw notUnderstood("its manifest holds no SHA-256 digests");
    }
    return ask("GET", "blobs/" + digest, "*/*");
  }

  private Map<String, Object> object(byte[] text) {
    return Json.read(text).orElseThrow(() -> notUnderstood("it answers with something else"));
  }

  PullFailure notUnderstood(String what) {
    return new PullFailure(
        Kind.BROKEN,
        "the image " + image + " cannot be read from its registry: " + what,
        "check the name; 'skopeo inspect' shows what the registry has");
  }

  private HttpResponse<InputStream> ask(String method, String what, String accepted) {
    URI address =
        URI.create(insecure.base(image.host()) + "/v2/" + image.repository() + "/" + what);
    HttpResponse<InputStream> answer = once(method, address, accepted);
    if (answer.statusCode() == 401 && authorization.isEmpty()) {
      WebClient.close(answer);
      if (!address.getRawAuthority().equals(answer.uri().getRawAuthority())) {
        throw needsLogin(); // the login is for the registry, not for whom it sends to
      }
      authorization = answer.headers().firstValue("www-authenticate").map(this::authorize);
      answer = once(method, address, accepted);
    }
    int status = answer.statusCode();
    if (status == 200) {
      return answer;
    }
    WebClient.close(answer);
    throw switch (status) {
      case 401, 403 -> needsLogin();
      case 404 ->
          new PullFailure(
              Kind.UNKNOWN,
              "the registry " + image.registry() + " has no image " + image,
              "check the name and the tag");
      case 429 ->
          new PullFailure(
              Kind.UNREACHABLE,
              "the registry " + image.registry() + " has answered enough for now",
              "try again later, or log in: apptainer registry login");
      default ->
          new PullFailure(
              Kind.UNREACHABLE,
              "the registry " + image.registry() + " answers with HTTP status " + status,
              "try again later");
    };
  }

  private PullFailure needsLogin() {
    return new PullFailure(
        Kind.NEEDS_CREDENTIALS,
        "the registry " + image.registry() + " does not give " + image + " to everybody",
        "check the name; if it is private: apptainer registry login --username=NAME docker://"
            + image.registry());
  }

  private HttpResponse<InputStream> once(String method, URI address, String accepted) {
    Map<String, String> headers = new TreeMap<>(Map.of("Accept", accepted));
    authorization.ifPresent(value -> headers.put("Authorization", value));
    return web.ask(method, address, headers);
  }

  /** Answers a challenge (RFC 6750, and distribution's token authentication). */
  private String authorize(String challenge) {
    Optional<String> basic = login.basic(image.registry()).or(() -> login.basic(image.host()));
    if (challenge.regionMatches(true, 0, "Basic", 0, 5)) {
      return "Basic " + basic.orElseThrow(this::needsLogin);
    }
    Map<String, String> parameters = new TreeMap<>();
    Matcher parameter = PARAMETER.matcher(challenge);
    while (parameter.find()) {
      parameters.put(parameter.group(1), parameter.group(2));
    }
    if (!challenge.regionMatches(true, 0, "Bearer", 0, 6) || !parameters.containsKey("realm")) {
      throw needsLogin();
    }
    URI server = tokenServer(parameters);
    Map<String, String> headers = new TreeMap<>();
    basic.ifPresent(value -> headers.put("Authorization", "Basic " + value));
    HttpResponse<InputStream> answer = web.ask("GET", server, headers);
    byte[] text = WebClient.read(answer, LARGEST_MANIFEST);
    if (answer.statusCode() != 200) {
      throw answer.statusCode() / 100 == 4
          ? needsLogin()
          : new PullFailure(
              Kind.UNREACHABLE,
              WebClient.host(server) + " gives no token (HTTP status " + answer.statusCode() + ")",
              "try again later");
    }
    Map<String, Object> token = object(text);
    return "Bearer "
        + Optional.ofNullable(token.get("token"))
            .or(() -> Optional.ofNullable(token.get("access_token")))
            .filter(value -> value.toString().matches("[\\x21-\\x7E]{1,16384}"))
            .orElseThrow(this::needsLogin);
  }

  /**
   * Who gives the tokens: the registry itself, or whom it names, by TLS only, because the login
   * goes there, and because a registry must not make the daemon ask other machines of its network.
   */
  private URI tokenServer(Map<String, String> parameters) {
    try {
      URI realm = URI.create(parameters.get("realm"));
      if (!"https".equals(realm.getScheme()) && !image.host().equals(realm.getRawAuthority())) {
        throw notUnderstood("it sends for tokens to an address without TLS");
      }
      StringBuilder query = new StringBuilder();
      parameters.put("scope", "repository:" + image.repository() + ":pull");
      for (String name : new String[] {"service", "scope"}) {
        String value = parameters.get(name);
        if (value != null) {
          query.append(query.isEmpty() ? "" : "&").append(name).append('=');
          query.append(URLEncoder.encode(value, StandardCharsets.UTF_8));
        }
      }
      return URI.create(realm + (realm.getRawQuery() == null ? "?" : "&") + query);
    } catch (IllegalArgumentException noAddress) {
      throw notUnderstood("it sends for tokens to what is no address");
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }
}
