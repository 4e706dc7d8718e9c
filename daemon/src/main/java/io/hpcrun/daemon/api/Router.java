package io.hpcrun.daemon.api;

import io.hpcrun.daemon.Settings;
import io.hpcrun.failure.Failure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out who asks, finds the endpoint, and writes its answer; problems as {@code
 * application/problem+json}.
 */
final class Router extends Handler.Abstract {
  private static final Logger LOG = LoggerFactory.getLogger(Router.class);
  private static final String BEARER = "Bearer ";
  private static final long NOBODY = -1;

  private final List<Endpoint> endpoints;
  private final Supplier<Accounts> accounts;
  private final RateLimit rates;
  private final Tokens tokens;
  private final long largest;
  private final Duration longest;

  Router(
      List<Endpoint> endpoints,
      Supplier<Accounts> accounts,
      Tokens tokens,
      Settings.Limits limits) {
    this.endpoints = List.copyOf(endpoints);
    this.accounts = accounts;
    this.tokens = tokens;
    this.rates =
        new RateLimit(limits.requestsPerSecond(), limits.requestsAtOncePerUser(), System::nanoTime);
    this.largest = limits.requestBytes();
    this.longest = Duration.ofSeconds(limits.requestSeconds());
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) throws IOException {
    Answer answer;
    int status = 200;
    Optional<Long> entered = Optional.empty();
    try {
      Optional<Caller> caller = caller(request);
      long uid = caller.map(Caller::uid).orElse(NOBODY);
      if (!rates.enters(uid)) {
        response.getHeaders().put(HttpHeader.RETRY_AFTER, 1);
        throw new Problem(
                429, "too many requests", "more requests than one user may send", "wait a second")
            .asException();
      }
      entered = Optional.of(uid);
      answer = answer(request, caller);
    } catch (Problem.Unanswerable unanswerable) {
      status = unanswerable.problem().status();
      answer = problem(unanswerable.problem());
    } catch (Failure failure) {
      status = 422;
      answer = problem(new Problem(status, "not possible", failure.getMessage(), failure.remedy()));
    } catch (RuntimeException defect) {
      LOG.error("{} {} failed", request.getMethod(), request.getHttpURI().getPath(), defect);
      status = 500;
      answer =
          problem(
              new Problem(
                  status,
                  "defect",
                  "hpcrund failed: " + defect,
                  "see hpcrund's log and report it"));
    }
    try {
      response.setStatus(status);
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, answer.type());
      response.getHeaders().put("X-Content-Type-Options", "nosniff");
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
      answer.headers().forEach((name, value) -> response.getHeaders().put(name, value));
      if (answer.stream() != null) {
        stream(answer, response, callback);
        return true;
      }
      response.getHeaders().put(HttpHeader.CONTENT_LENGTH, answer.bytes().length);
      response.write(true, ByteBuffer.wrap(answer.bytes()), callback);
      return true;
    } finally {
      entered.ifPresent(rates::leaves);
    }
  }

  /** What fails on the way breaks the connection off: half an answer must not look whole. */
  private static void stream(Answer answer, Response response, Callback callback) {
    OutputStream out = Content.Sink.asOutputStream(response);
    try {
      answer.stream().writeTo(out);
      out.close();
      callback.succeeded();
    } catch (IOException | RuntimeException broken) {
      LOG.warn("an answer was broken off: {}", broken.toString());
      callback.failed(broken);
    }
  }

  private static Answer problem(Problem problem) {
    return Answer.of("application/problem+json", Json.MAPPER.writeValueAsBytes(problem));
  }

  private Answer answer(Request request, Optional<Caller> caller) throws IOException {
    List<String> segments =
        Endpoint.segments(request.getHttpURI().getPath()).stream().map(Router::decoded).toList();
    boolean otherMethod = false;
    for (Endpoint endpoint : endpoints) {
      Optional<Map<String, String>> path = endpoint.match(segments);
      if (path.isPresent() && endpoint.method().equals(request.getMethod())) {
        Caller allowed = allowed(endpoint, caller, request);
        byte[] body = endpoint.body().isPresent() ? body(request) : new byte[0];
        return endpoint.action().answer(new Call(allowed, path.get(), query(request), body));
      }
      otherMethod |= path.isPresent();
    }
    if (caller.isEmpty()) {
      throw unknownCaller();
    }
    throw otherMethod
        ? new Problem(405, "wrong method", request.getMethod() + " is not for this", "see the API")
            .asException()
        : Problem.notFound(request.getHttpURI().getPath());
  }

  private static Caller allowed(Endpoint endpoint, Optional<Caller> caller, Request request)
      throws IOException {
    return switch (endpoint.access()) {
      case OPEN -> caller.orElse(new Caller(NOBODY, "", false));
      case USERS -> caller.orElseThrow(Router::unknownCaller);
      case SOCKET -> {
        if (socket(request).isEmpty()) {
          throw new Problem(403, "not here", "this is for the Unix socket only", "use it")
              .asException();
        }
        yield caller.orElseThrow(Router::unknownCaller);
      }
    };
  }

  private static Problem.Unanswerable unknownCaller() {
    return new Problem(
            401,
            "unknown caller",
            "there is no valid token",
            "get one with 'hpcrun dashboard' on the login node")
        .asException();
  }

  /**
   * The user at the other end: of a Unix socket as the kernel knows it (unix(7), SO_PEERCRED), of
   * another connection by the token.
   */
  private Optional<Caller> caller(Request request) throws IOException {
    Optional<SocketChannel> socket = socket(request);
    if (socket.isPresent()) {
      return Optional.of(
          accounts
              .get()
              .of(socket.get().getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName()));
    }
    String header = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    return header == null || !header.startsWith(BEARER)
        ? Optional.empty()
        : tokens.user(header.substring(BEARER.length())).map(accounts.get()::of);
  }

  private static Optional<SocketChannel> socket(Request request) throws IOException {
    Object transport = request.getConnectionMetaData().getConnection().getEndPoint().getTransport();
    return transport instanceof SocketChannel channel
            && channel.getLocalAddress() instanceof UnixDomainSocketAddress
        ? Optional.of(channel)
        : Optional.empty();
  }

  private byte[] body(Request request) throws IOException {
    InputStream in = Content.Source.asInputStream(request);
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    byte[] some = new byte[1 << 14];
    long began = System.nanoTime();
    for (int count; read.size() <= largest && (count = in.read(some)) >= 0; ) {
      read.write(some, 0, count);
      if (System.nanoTime() - began > longest.toNanos()) {
        throw new Problem(408, "too slow", "the request did not arrive in time", "send it faster")
            .asException();
      }
    }
    byte[] body = read.toByteArray();
    if (body.length > largest) {
      // Who is cut off while sending does not read the answer; who sends without end is cut off.
      in.skip(3 * largest);
      throw tooLarge();
    }
    return body;
  }

  private Problem.Unanswerable tooLarge() {
    return new Problem(
            413, "too large", "the body is larger than " + largest + " bytes", "send less")
        .asException();
  }

  private static Map<String, String> query(Request request) {
    Map<String, String> values = new HashMap<>();
    String query = request.getHttpURI().getQuery();
    for (String part : query == null ? new String[0] : query.split("&")) {
      int equals = part.indexOf('=');
      if (equals > 0) {
        values.put(decoded(part.substring(0, equals)), decoded(part.substring(equals + 1)));
      }
    }
    return values;
  }

  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException malformed) {
      throw Problem.badRequest("'" + text + "' is not encoded as a URL is", "encode it");
    }
  }
}
