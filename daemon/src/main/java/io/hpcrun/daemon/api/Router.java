package io.hpcrun.daemon.api;

import io.hpcrun.daemon.Settings;
import io.hpcrun.daemon.store.StoreException;
import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.URLDecoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import jdk.net.ExtendedSocketOptions;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Attributes;
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
  private static final String PEER = "io.hpcrun.peer";
  private static final long NOBODY = -1;

  /** More would only wait for the same directory service. */
  private static final int NAMES_AT_ONCE = 8;

  private final List<Endpoint> endpoints;
  private final Supplier<Accounts> accounts;
  private final RateLimit rates;
  private final Tokens tokens;
  private final long largest;
  private final Duration longest;
  private final RequestMemory memory;
  private final SlowClients slow;

  /** What is made of a large request takes several times its bytes: one at a time is answered. */
  private final Semaphore large = new Semaphore(1, true);

  private final Blocking blocking =
      new Blocking("the directory of users", NAMES_AT_ONCE, Duration.ofSeconds(10));

  Router(
      List<Endpoint> endpoints,
      Supplier<Accounts> accounts,
      Tokens tokens,
      Settings.Limits limits,
      RequestMemory memory,
      SlowClients slow) {
    this.memory = memory;
    this.slow = slow;
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
    boolean entered = false;
    try {
      Optional<Caller> caller = caller(request);
      Object who = who(caller, request);
      if (!rates.enters(who)) {
        throw new Problem(
                429, "too many requests", "more requests than one user may send", "wait a second")
            .asException();
      }
      entered = true;
      // Not before the client has taken the answer: it takes up one of all users' requests.
      Request.addCompletionListener(request, failure -> rates.leaves(who));
      answer = answer(request, caller, who);
    } catch (Problem.Unanswerable unanswerable) {
      status = unanswerable.problem().status();
      answer = problem(unanswerable.problem());
    } catch (Failure failure) {
      status = 422;
      answer = problem(new Problem(status, "not possible", failure.getMessage(), failure.remedy()));
    } catch (StoreException failed) {
      status = 503;
      answer = problem(ofStore(failed));
    } catch (IOException hungUp) {
      callback.failed(new EofException(hungUp)); // which Jetty does not warn of
      return true;
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
    write(request, response, callback, status, answer, entered);
    return true;
  }

  /**
   * Writes an answer.
   *
   * @param counted whether it counts as one of the user's requests until it is taken; one that does
   *     not is dropped if the client does not take it at once
   */
  private void write(
      Request request,
      Response response,
      Callback callback,
      int status,
      Answer answer,
      boolean counted)
      throws IOException {
    response.setStatus(status);
    if (status == 429 || status == 503) {
      response.getHeaders().put(HttpHeader.RETRY_AFTER, 1);
    }
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, answer.type());
    response.getHeaders().put("X-Content-Type-Options", "nosniff");
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    answer.headers().forEach((name, value) -> response.getHeaders().put(name, value));
    response.getHeaders().put(HttpHeader.VARY, HttpHeader.ACCEPT_ENCODING.asString());
    boolean packed = takesGzip(request) && isWorthPacking(answer);
    if (packed) {
      response.getHeaders().put(HttpHeader.CONTENT_ENCODING, "gzip");
    }
    if (answer.stream() != null) {
      stream(answer, packed, response, callback);
      return;
    }
    byte[] body = packed ? Gzip.of(answer.bytes()) : answer.bytes();
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    Connection connection = request.getConnectionMetaData().getConnection();
    slow.waitFor(connection);
    AtomicBoolean written = new AtomicBoolean();
    response.write(
        true,
        ByteBuffer.wrap(body),
        new Callback.Nested(callback) {
          @Override
          public void completed() {
            written.set(true);
          }
        });
    if (!counted && !written.get()) {
      SlowClients.drop(connection);
    }
  }

  private static boolean takesGzip(Request request) {
    return request.getHeaders().getQualityCSV(HttpHeader.ACCEPT_ENCODING).contains("gzip");
  }

  private static boolean isWorthPacking(Answer answer) {
    return answer.stream() != null || answer.bytes().length > Gzip.WORTHWHILE;
  }

  private static Problem ofStore(StoreException failed) {
    return switch (failed.kind()) {
      case BUSY ->
          new Problem(
              503,
              "store is busy",
              failed.getMessage(),
              "wait until your other questions are answered, and ask again");
      case TOO_SLOW ->
          new Problem(
              503,
              "too slow",
              failed.getMessage(),
              "ask about fewer launches, such as by since and until");
      case STORE, DATA -> {
        LOG.error("the store cannot be read", failed);
        yield new Problem(
            503,
            "store failed",
            "the store cannot be read: " + failed.getMessage(),
            "see hpcrund's log");
      }
    };
  }

  /** Whose requests are counted together: nobody in particular is not one who can use up all. */
  private static Object who(Optional<Caller> caller, Request request) {
    if (caller.isPresent()) {
      return new RateLimit.User(caller.get().uid());
    }
    SocketAddress peer = request.getConnectionMetaData().getRemoteSocketAddress();
    return peer instanceof InetSocketAddress from && from.getAddress() != null
        ? RateLimit.Address.of(from.getAddress())
        : new RateLimit.User(NOBODY);
  }

  /** What fails on the way breaks the connection off: half an answer must not look whole. */
  private static void stream(Answer answer, boolean packed, Response response, Callback callback) {
    try {
      OutputStream plain = Content.Sink.asOutputStream(response);
      OutputStream out = packed ? new Gzip(plain) : plain;
      answer.stream().writeTo(out);
      out.close();
      callback.succeeded();
    } catch (IOException | RuntimeException broken) {
      LOG.warn("an answer was broken off: {}", broken.toString());
      callback.failed(broken);
    }
  }

  private static Answer problem(Problem problem) {
    return Answer.of(Problem.TYPE, Json.MAPPER.writeValueAsBytes(problem));
  }

  private Answer answer(Request request, Optional<Caller> caller, Object who) throws IOException {
    List<String> segments =
        Endpoint.segments(request.getHttpURI().getPath()).stream().map(Router::decoded).toList();
    boolean otherMethod = false;
    for (Endpoint endpoint : endpoints) {
      Optional<Map<String, String>> path = endpoint.match(segments);
      if (path.isPresent() && endpoint.method().equals(request.getMethod())) {
        Caller allowed = allowed(endpoint, caller, request);
        if (endpoint.body().isEmpty()) {
          return endpoint
              .action()
              .answer(new Call(allowed, path.get(), query(request), InputStream.nullInputStream()));
        }
        RequestBody body = new RequestBody(memory, who, largest, longest);
        Request.addCompletionListener(request, failure -> body.close());
        body.read(Content.Source.asInputStream(request));
        Call call = new Call(allowed, path.get(), query(request), body.bytes());
        return body.isLarge()
            ? oneAtATime(endpoint.action(), call)
            : endpoint.action().answer(call);
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
      return Optional.of(blocking.call(() -> accounts.get().of(peer(request, socket.get()))));
    }
    String header = request.getHeaders().get(HttpHeader.AUTHORIZATION);
    return header == null || !header.startsWith(BEARER)
        ? Optional.empty()
        : tokens.user(header.substring(BEARER.length())).flatMap(this::again);
  }

  /** A name that has become another user's is no longer the one that the token was given to. */
  private Optional<Caller> again(Caller given) {
    return Optional.of(blocking.call(() -> accounts.get().again(given)))
        .filter(now -> now.uid() == given.uid());
  }

  /** Asked once for each connection: the kernel tells who made it. */
  private static UserPrincipal peer(Request request, SocketChannel socket) throws IOException {
    Attributes connection = request.getConnectionMetaData();
    if (connection.getAttribute(PEER) instanceof UserPrincipal known) {
      return known;
    }
    UserPrincipal peer = socket.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
    connection.setAttribute(PEER, peer);
    return peer;
  }

  private static Optional<SocketChannel> socket(Request request) throws IOException {
    Object transport = request.getConnectionMetaData().getConnection().getEndPoint().getTransport();
    return transport instanceof SocketChannel channel
            && channel.getLocalAddress() instanceof UnixDomainSocketAddress
        ? Optional.of(channel)
        : Optional.empty();
  }

  private Answer oneAtATime(Endpoint.Action action, Call call) {
    try {
      if (!large.tryAcquire(longest.toNanos(), TimeUnit.NANOSECONDS)) {
        throw Problem.unavailable(
            "other large requests were not answered within %d s".formatted(longest.toSeconds()),
            "ask again later");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw Problem.unavailable("hpcrund ends", "ask again later");
    }
    try {
      return action.answer(call);
    } finally {
      large.release();
    }
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
