package io.hpcrun.daemon.api;

import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One thing that may be asked: what the router needs, and what the OpenAPI document says of it.
 *
 * @param method GET or POST
 * @param path such as {@code /v1/launches/{id}}
 * @param summary one sentence
 * @param parameters behind the question mark
 * @param body what the request's body holds; empty if it has none
 * @param answer what the answer's body holds; empty for one that is not JSON
 * @param action what is done
 * @param access who may ask
 */
public record Endpoint(
    String method,
    String path,
    String summary,
    List<Parameter> parameters,
    Optional<Type> body,
    Optional<Type> answer,
    Action action,
    Access access) {

  /** Who may ask. */
  public enum Access {
    /** Every user whom the daemon knows, by the Unix socket or a token. */
    USERS,
    /** Users at the Unix socket. */
    SOCKET,
    /** Anybody. */
    OPEN
  }

  /** Answers a call. */
  @FunctionalInterface
  public interface Action {
    /** Does what is asked. */
    Answer answer(Call call);
  }

  /**
   * A parameter behind the question mark.
   *
   * @param name its name
   * @param type OpenAPI's type: {@code string}, {@code integer} or {@code boolean}
   * @param summary one sentence
   */
  public record Parameter(String name, String type, String summary) {}

  /** For every user. */
  public Endpoint(
      String method,
      String path,
      String summary,
      List<Parameter> parameters,
      Optional<Type> body,
      Optional<Type> answer,
      Action action) {
    this(method, path, summary, parameters, body, answer, action, Access.USERS);
  }

  /** An endpoint that is read. */
  public static Endpoint get(
      String path, String summary, List<Parameter> parameters, Type answer, Action action) {
    return new Endpoint(
        "GET",
        path,
        summary,
        parameters,
        Optional.empty(),
        Optional.ofNullable(answer),
        action,
        Access.USERS);
  }

  /** An endpoint that takes a body. */
  public static Endpoint post(String path, String summary, Type body, Type answer, Action action) {
    return new Endpoint(
        "POST",
        path,
        summary,
        List.of(),
        Optional.of(body),
        Optional.of(answer),
        action,
        Access.USERS);
  }

  /** The same for others. */
  public Endpoint with(Access other) {
    return new Endpoint(method, path, summary, parameters, body, answer, action, other);
  }

  /** What the parts in braces stand for in this path; empty if the path is another one's. */
  Optional<Map<String, String>> match(List<String> segments) {
    List<String> own = segments(path);
    if (own.size() != segments.size()) {
      return Optional.empty();
    }
    Map<String, String> values = new HashMap<>();
    for (int i = 0; i < own.size(); i++) {
      String part = own.get(i);
      if (part.startsWith("{")) {
        values.put(part.substring(1, part.length() - 1), segments.get(i));
      } else if (!part.equals(segments.get(i))) {
        return Optional.empty();
      }
    }
    return Optional.of(values);
  }

  /** The parts of a path between its slashes. */
  static List<String> segments(String path) {
    return new ArrayList<>(List.of(path.substring(1).split("/", -1)));
  }
}
