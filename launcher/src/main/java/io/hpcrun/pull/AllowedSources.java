package io.hpcrun.pull;

import io.hpcrun.pull.PullFailure.Kind;
import java.net.URI;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where images may come from, by the beginnings of sources as {@link ImageSource#text} writes them.
 * What a registry gives may come from wherever it sends to, because it is known by its digest; a
 * file of a web server is known by its address only, so every address on its way has to be allowed.
 *
 * @param beginnings end with a slash, such as {@code docker://registry.site/} or {@code /shared/}
 */
public record AllowedSources(List<String> beginnings) {
  private static final String LIBRARY = "library://";
  private static final Pattern WHOLE_HOST = Pattern.compile("https?://([^/]*/)?");
  private static final String PLACE =
      "[A-Za-z0-9.-]+(:[0-9]{1,5})?/([A-Za-z0-9._~!$&'()*+,=:@-]+/)*";
  private static final Pattern WEB = Pattern.compile("https?://" + PLACE);
  private static final Pattern BEGINNING =
      Pattern.compile("((docker|oras|library)://|/)([^/].*/)?|https://(" + PLACE + ")?");

  /** What some servers take for a slash, or for a way up, after which the path is another one. */
  private static final Pattern OTHER_PATH = Pattern.compile("(?i)%(2f|5c|25|00)|(^|/)\\.\\.");

  private static final int PARTS_WITH_HOST = 4;

  /** No restriction. */
  public static final AllowedSources ALL =
      new AllowedSources(List.of("docker://", "oras://", "library://", "https://", "/"));

  /** Writes the beginnings as sources are written. */
  public AllowedSources {
    beginnings = beginnings.stream().map(AllowedSources::normal).toList();
  }

  private static String normal(String beginning) {
    return WEB.matcher(beginning).matches()
        ? WebAddress.normal(URI.create(beginning)).toString()
        : beginning;
  }

  /**
   * Whether a text is the beginning of sources: {@code docker://registry.site} is none, because it
   * would also allow {@code docker://registry.site.elsewhere/}.
   */
  public static boolean isBeginning(String text) {
    return BEGINNING.matcher(text).matches() && !OTHER_PATH.matcher(text).find();
  }

  /** Whether an image may come from there. */
  public boolean allow(ImageSource source) {
    return beginnings.stream().anyMatch(beginning -> holds(beginning, source));
  }

  private static boolean holds(String beginning, ImageSource source) {
    String text = source.text();
    return switch (source) {
      case ImageSource.Web web -> holds(beginning, text);
      case ImageSource.Library library ->
          text.startsWith(beginning)
              && (beginning.equals(LIBRARY) || namesHost(library) == isHost(beginning));
      case ImageSource.Docker docker -> text.startsWith(beginning);
      case ImageSource.Oras oras -> text.startsWith(beginning);
      case ImageSource.LocalFile file -> text.startsWith(beginning);
    };
  }

  private static boolean holds(String beginning, String address) {
    return address.startsWith(beginning)
        && (WHOLE_HOST.matcher(beginning).matches()
            || !OTHER_PATH.matcher(address.substring(beginning.length())).find());
  }

  /** With fewer parts the first one is not a host but an entity of Apptainer's own library. */
  private static boolean namesHost(ImageSource.Library library) {
    return library.name().split("/", -1).length >= PARTS_WITH_HOST;
  }

  private static boolean isHost(String beginning) {
    String first = beginning.substring(LIBRARY.length()).split("/", -1)[0];
    return first.contains(".") || first.contains(":") || first.equals("localhost");
  }

  /**
   * Checks where a web server sends to.
   *
   * @throws PullFailure of kind FORBIDDEN
   */
  void check(URI from, URI to) {
    String address = WebAddress.normal(to).toString();
    if (beginnings.stream().noneMatch(beginning -> holds(beginning, address))) {
      throw refusal(
          WebClient.host(from)
              + " sends to "
              + WebClient.host(to)
              + ", from where this site's image store takes nothing");
    }
  }

  /** What is said of a source that is not allowed. */
  public PullFailure refused(ImageSource source) {
    return refusal("this site's image store takes nothing from " + source.text());
  }

  private PullFailure refusal(String found) {
    return new PullFailure(
        Kind.FORBIDDEN, found, "it takes images from: " + String.join(", ", beginnings));
  }
}
