package io.hpcrun.daemon.api;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The dashboard: one page and its files, as they are in the jar. They hold no data, so that whoever
 * asks may have them; what they show they ask the API for.
 */
public final class DashboardEndpoints {
  /**
   * What the page may do: load its own files and ask its own server. No script or style within the
   * page, no frame around it, and no text that becomes HTML (Trusted Types), because the names it
   * shows are users' own.
   */
  public static final String CONTENT_SECURITY_POLICY =
      "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none';"
          + " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

  private static final String PAGE = "index.html";

  /** Directories of a jar cannot be listed everywhere; DashboardFilesTest holds this complete. */
  private static final List<String> FILES =
      List.of(
          PAGE,
          "api.js",
          "app.js",
          "chart.js",
          "dom.js",
          "figures.js",
          "format.js",
          "icon.svg",
          "images.js",
          "launch.js",
          "launches.js",
          "parts.js",
          "ranks.js",
          "slownodes.js",
          "stages.js",
          "style.css",
          "theme.js",
          "timeline.js");

  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  private final Map<String, Answer> answers = new TreeMap<>();

  /** Reads the files. */
  public DashboardEndpoints() {
    FILES.forEach(name -> answers.put(name, read(name)));
  }

  /** The endpoints. */
  public List<Endpoint> endpoints() {
    return List.of(
        Endpoint.get("/", "The dashboard.", List.of(), null, call -> answers.get(PAGE))
            .with(Endpoint.Access.OPEN),
        Endpoint.get("/dashboard/{file}", "A file of the dashboard.", List.of(), null, this::file)
            .with(Endpoint.Access.OPEN));
  }

  private Answer file(Call call) {
    Answer answer = answers.get(call.path().get("file"));
    if (answer == null) {
      throw Problem.notFound("this file of the dashboard");
    }
    return answer;
  }

  private static Answer read(String name) {
    try (InputStream in =
        DashboardEndpoints.class.getResourceAsStream("/io/hpcrun/daemon/dashboard/" + name)) {
      if (in == null) {
        throw Failure.internal(
            "the dashboard's file " + name + " is missing", "install hpcrun anew", null);
      }
      return Answer.of(TYPES.get(name.substring(name.lastIndexOf('.') + 1)), in.readAllBytes())
          .with("Content-Security-Policy", CONTENT_SECURITY_POLICY)
          .with("Referrer-Policy", "no-referrer")
          .with("Cache-Control", "no-cache");
    } catch (IOException unreadable) {
      throw Failure.internal(
          "the dashboard's file " + name + " cannot be read", "install hpcrun anew", unreadable);
    }
  }
}
