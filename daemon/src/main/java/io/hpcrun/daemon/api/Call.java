package io.hpcrun.daemon.api;

import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/**
 * A request on its way to an endpoint.
 *
 * @param caller who asks
 * @param path what the {@code {name}} parts of the endpoint's path stand for
 * @param query the parameters behind the question mark
 * @param body the request's body, to be read once
 */
public record Call(
    Caller caller, Map<String, String> path, Map<String, String> query, InputStream body) {

  /**
   * The body as a value.
   *
   * @throws Problem.Unanswerable with status 400 when it is something else
   */
  public <T> T body(Class<T> type) {
    try {
      T value = Json.MAPPER.readValue(body, type);
      if (value == null) {
        throw Problem.badRequest("the body is null", "send what the OpenAPI document describes");
      }
      return value;
    } catch (JacksonException wrong) {
      throw Problem.badRequest(
          "the body is not what is expected: "
              + wrong.getOriginalMessage().lines().findFirst().orElse(""),
          "send what the OpenAPI document (/v1/openapi.json) describes");
    }
  }

  /** A parameter behind the question mark. */
  public Optional<String> parameter(String name) {
    return Optional.ofNullable(query.get(name)).filter(value -> !value.isEmpty());
  }

  /**
   * A parameter that is a number.
   *
   * @throws Problem.Unanswerable with status 400 when it is none, or out of its range
   */
  public Optional<Long> number(String name, long least, long most) {
    return parameter(name)
        .map(
            text -> {
              if (!text.matches("\\d{1,18}")
                  || Long.parseLong(text) < least
                  || Long.parseLong(text) > most) {
                throw Problem.badRequest(
                    "the parameter " + name + " is '" + text + "'",
                    "give a number from " + least + " to " + most);
              }
              return Long.parseLong(text);
            });
  }
}
