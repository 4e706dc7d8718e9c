package io.hpcrun.pull;

import io.hpcrun.pull.PullFailure.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * Asks web servers and registries. Redirections are followed here, because Java would send the
 * credentials along to the other host, and would go to addresses that are not allowed.
 */
final class WebClient implements AutoCloseable {
  private static final Duration BODY_LIMIT = Duration.ofSeconds(30);

  /** How long a server may take to answer; longer than slow registries do, shorter than users. */
  private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);
  private static final int MOST_REDIRECTIONS = 5;

  private final HttpClient client;
  private final InsecureHosts insecure;
  private final Duration limit;

  /** Speaks with the proxies of these variables. */
  WebClient(InsecureHosts insecure, Map<String, String> environment) {
    this(insecure, environment, ANSWER_LIMIT);
  }

  /** The same with another limit for the head of an answer. */
  WebClient(InsecureHosts insecure, Map<String, String> environment, Duration limit) {
    this.insecure = insecure;
    this.limit = limit;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_LIMIT.compareTo(limit) < 0 ? CONNECT_LIMIT : limit)
            .proxy(new ProxyChoice(environment))
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
  }

  /**
   * Asks for an address; whoever gets the answer closes its body.
   *
   * @param headers sent to this host only
   * @throws PullFailure of kind UNREACHABLE, TOO_SLOW or CANCELLED
   */
  HttpResponse<InputStream> ask(String method, URI address, Map<String, String> headers) {
    return ask(method, address, headers, anywhere -> {});
  }

  /**
   * The same, but goes on to another address only if it may.
   *
   * @param check throws if it may not go on to an address
   */
  HttpResponse<InputStream> ask(
      String method, URI address, Map<String, String> headers, Consumer<URI> check) {
    URI next = address;
    Map<String, String> sent = new TreeMap<>(headers);
    for (int i = 0; i <= MOST_REDIRECTIONS; i++) {
      HttpResponse<InputStream> answer = once(method, next, sent);
      Optional<String> location = answer.headers().firstValue("location");
      if (answer.statusCode() / 100 != 3 || location.isEmpty()) {
        return answer;
      }
      close(answer);
      next = target(next, location.get());
      check.accept(next);
      if (!next.getRawAuthority().equals(address.getRawAuthority())) {
        sent.remove("Authorization");
      }
    }
    throw new PullFailure(
        Kind.UNREACHABLE, host(address) + " sends in a circle", "check the address");
  }

  private URI target(URI from, String location) {
    try {
      URI target = from.resolve(location);
      boolean downgraded = "https".equals(from.getScheme()) && "http".equals(target.getScheme());
      if (!insecure.allow(target) || downgraded) {
        throw new PullFailure(
            Kind.UNREACHABLE,
            host(from) + " sends to an address without TLS",
            "ask its administrators, or fetch the image yourself");
      }
      return target;
    } catch (IllegalArgumentException malformed) {
      throw new PullFailure(
          Kind.UNREACHABLE, host(from) + " sends to what is no address", "ask its administrators");
    }
  }

  private HttpResponse<InputStream> once(String method, URI address, Map<String, String> headers) {
    if (!insecure.allow(address)) {
      throw new PullFailure(
          Kind.UNREACHABLE, host(address) + " would be asked without TLS", "use https://");
    }
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address)
            .method(method, HttpRequest.BodyPublishers.noBody())
            .timeout(limit);
    headers.forEach(request::header);
    try {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    } catch (java.net.http.HttpTimeoutException slow) {
      throw new PullFailure(
          Kind.TOO_SLOW,
          host(address) + " did not answer within " + limit.toSeconds() + " s",
          "try again later",
          slow);
    } catch (IOException failed) {
      throw new PullFailure(
          Kind.UNREACHABLE,
          host(address) + " cannot be reached (" + reason(failed) + ")",
          "check the name, and that this machine reaches that one",
          failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw cancelled(interrupted);
    }
  }

  static PullFailure cancelled(Throwable cause) {
    return new PullFailure(Kind.CANCELLED, "the pull was cancelled", "ask for it again", cause);
  }

  /** Reads a small body, which must come within half a minute. */
  static byte[] read(HttpResponse<InputStream> answer, int most) {
    Thread guard = Thread.ofVirtual().start(() -> closeLater(answer));
    try (InputStream body = answer.body()) {
      byte[] read = body.readNBytes(most + 1);
      if (read.length > most) {
        throw new PullFailure(
            Kind.BROKEN, host(answer.uri()) + " answers with too much", "check the name");
      }
      return read;
    } catch (IOException broken) {
      throw new PullFailure(
          Kind.UNREACHABLE,
          host(answer.uri()) + " broke off its answer (" + reason(broken) + ")",
          "try again",
          broken);
    } finally {
      guard.interrupt();
    }
  }

  /** The client's own limit ends with the head of an answer. */
  private static void closeLater(HttpResponse<InputStream> answer) {
    try {
      Thread.sleep(BODY_LIMIT);
      close(answer);
    } catch (InterruptedException read) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends an answer whose body nobody wants. */
  static void close(HttpResponse<InputStream> answer) {
    try {
      answer.body().close();
    } catch (IOException gone) {
      org.slf4j.LoggerFactory.getLogger(WebClient.class).debug("closed already", gone);
    }
  }

  private static String reason(IOException failed) {
    String message = failed.getMessage();
    return message != null
        ? message
        : failed instanceof java.net.ConnectException ? "no connection" : "the connection broke";
  }

  /** For messages: an address may hold secrets behind its host. */
  static String host(URI address) {
    return address.getRawAuthority().replaceFirst(".*@", "");
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
