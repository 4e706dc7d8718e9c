package io.hpcrun.pull;

import io.hpcrun.pull.PullFailure.Kind;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Where an image comes from, as users write it. */
public sealed interface ImageSource {
  /** How a source begins, before its path or name. */
  Pattern SCHEME = Pattern.compile("([a-z][a-z0-9+.-]*)://.*", Pattern.DOTALL);

  /**
   * An OCI image in a registry, to be converted.
   *
   * @param reference its name
   */
  record Docker(Reference reference) implements ImageSource {
    @Override
    public String text() {
      return "docker://" + reference;
    }
  }

  /**
   * A SIF file in an OCI registry.
   *
   * @param reference its name
   */
  record Oras(Reference reference) implements ImageSource {
    @Override
    public String text() {
      return "oras://" + reference;
    }
  }

  /**
   * A SIF file in a library of Sylabs' kind.
   *
   * @param name its path and tag
   */
  record Library(String name) implements ImageSource {
    @Override
    public String text() {
      return "library://" + name;
    }
  }

  /**
   * A SIF file on a web server.
   *
   * @param address begins with {@code https://}; without user and fragment, in its normal form
   */
  record Web(URI address) implements ImageSource {
    @Override
    public String text() {
      return address.toString();
    }

    /** Whether the address may hold a secret: signatures and tokens stand behind the mark. */
    public boolean isPrivate() {
      return address.getRawQuery() != null;
    }
  }

  /**
   * A SIF file of this machine.
   *
   * @param path absolute
   */
  record LocalFile(Path path) implements ImageSource {
    @Override
    public String text() {
      return path.toString();
    }
  }

  /** The source, written the one way that does not depend on who wrote it. */
  String text();

  /** Whether a word names a source elsewhere, and no file. */
  static boolean isRemote(String word) {
    return SCHEME.matcher(word).matches();
  }

  /**
   * Reads a source.
   *
   * @throws PullFailure of kind MALFORMED
   */
  static ImageSource parse(String text) {
    if (text.length() > 1024 || text.chars().anyMatch(c -> c <= ' ' || c == 0x7F)) {
      throw malformed(text, "it holds blanks or control characters, or is too long", example());
    }
    if (text.startsWith("/")) {
      try {
        return new LocalFile(Path.of(text).normalize());
      } catch (InvalidPathException notEncodable) {
        throw malformed(text, "it is not a path", "rename the file");
      }
    }
    int end = text.indexOf("://");
    String scheme = end < 0 ? "" : text.substring(0, end);
    String rest = end < 0 ? text : text.substring(end + 3);
    return switch (scheme) {
      case "docker" -> new Docker(reference(text, rest));
      case "oras" -> new Oras(reference(text, rest));
      case "library" -> library(text, rest);
      case "https" -> web(text);
      case "http" ->
          throw malformed(text, "what comes over http can be changed on its way", "use https://");
      default -> throw malformed(text, "hpcrun does not know this kind", example());
    };
  }

  private static Reference reference(String text, String rest) {
    return Reference.parse(rest)
        .orElseThrow(
            () ->
                malformed(
                    text,
                    "it is not [HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST], in small letters",
                    "check the name; a login goes by 'apptainer registry login'"));
  }

  private static ImageSource library(String text, String rest) {
    if (!rest.matches("[A-Za-z0-9][A-Za-z0-9._:/-]{0,510}")
        || rest.contains("..")
        || rest.contains("//")) {
      throw malformed(text, "it is not [HOST/]ENTITY/COLLECTION/NAME[:TAG]", "check the name");
    }
    return new Library(rest);
  }

  private static ImageSource web(String text) {
    try {
      URI address = new URI(text);
      if (address.getHost() == null || address.getRawFragment() != null) {
        throw malformed(text, "it has no host, or a fragment", "write https://HOST/PATH");
      }
      if (address.getRawUserInfo() != null) {
        throw malformed(
            text,
            "it holds a user or a password, which others would see",
            "fetch the file yourself, and use the file");
      }
      return new Web(WebAddress.normal(address));
    } catch (URISyntaxException wrong) {
      throw malformed(text, "it is not an address", "write https://HOST/PATH");
    }
  }

  private static String example() {
    return "use docker://, oras://, library://, https:// or the path of a file";
  }

  private static PullFailure malformed(String text, String why, String remedy) {
    return new PullFailure(
        Kind.MALFORMED, "the image '" + shown(text) + "' cannot be fetched: " + why, remedy);
  }

  /** For messages: without what may be a password, and without control characters. */
  static String shown(String text) {
    String plain =
        text.replaceAll("//.*@", "//...@")
            .replaceAll("\\?.*", "?...")
            .replaceAll("\\p{Cntrl}", "?");
    return plain.length() > 200 ? plain.substring(0, 200) + "..." : plain;
  }
}
