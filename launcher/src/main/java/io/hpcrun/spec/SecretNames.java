package io.hpcrun.spec;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What is taken for a secret and never kept or shown: values of variables and options whose names
 * say so, and values that look like a key wherever they stand. A name too many costs a value that
 * is not shown; one too few shows a password.
 */
public final class SecretNames {
  /** Parts of variables' names, in capitals. */
  private static final List<String> PARTS =
      List.of(
          "TOKEN",
          "SECRET",
          "PASSWORD",
          "PASSWD",
          "PASSPHRASE",
          "CREDENTIAL",
          "COOKIE",
          "KEY",
          "AUTH",
          "JWT",
          "BEARER",
          "WEBHOOK",
          "CONNECTION_STRING");

  /** Ends of variables' names, in capitals. */
  private static final List<String> ENDS = List.of("_PASS", "_PWD", "_PAT", "_PIN", "_DSN");

  /** Parts that hold one of those and are none; they are taken out before the others are sought. */
  private static final Pattern HARMLESS =
      Pattern.compile(
          "SSH_AUTH_SOCK|TOKENIZERS?|KEYBOARD|KEYMAP|KEYTIMEOUT|MONKEY|AUTHOR(?!I)|XAUTHORITY");

  /** The last words of options' names whose values are secrets, whatever they look like. */
  private static final Set<String> OPTION_ENDS =
      Set.of(
          "password",
          "passwd",
          "passphrase",
          "secret",
          "credential",
          "credentials",
          "apikey",
          "api-key",
          "access-key",
          "auth-key",
          "private-key",
          "secret-key",
          "auth-token",
          "access-token",
          "api-token");

  /** {@code --pad-token=0} is none: of such options the value has to look like one. */
  private static final Pattern OPTION_TOKEN = Pattern.compile("(.*-)?token");

  private static final Pattern LIKE_A_TOKEN =
      Pattern.compile("(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/=_.~:-]{12,}");

  /**
   * What keys look like. Sources: the services' own prefixes (GitHub, "About authentication";
   * GitLab, "Token overview"; AWS, "IAM identifiers"; Slack, "Token types"; Hugging Face, NVIDIA
   * NGC, PyPI, npm, OpenAI, Google: their keys' beginnings); RFC 7519 (JSON Web Tokens); RFC 7468
   * (private keys); RFC 3986, 3.2.1 (a password in an address).
   */
  private static final List<Shape> SHAPES =
      List.of(
          key("[A-Za-z0-9]{16,}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
          key("[A-Za-z0-9_]{16,}", "github_pat_"),
          key("[A-Za-z0-9_-]{16,}", "glpat-"),
          key("[A-Z0-9]{16}\\b", "AKIA", "ASIA"),
          key("[A-Za-z0-9-]{10,}", "xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-"),
          key("[A-Za-z0-9]{16,}", "hf_"),
          key("[A-Za-z0-9_-]{16,}", "nvapi-", "pypi-"),
          key("[A-Za-z0-9]{16,}", "npm_"),
          key("[A-Za-z0-9_-]{20,}", "sk-"),
          key("[A-Za-z0-9_-]{30,}", "AIza"),
          key("[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*", "eyJ"),
          new Shape(
              List.of("-----BEGIN "),
              Pattern.compile(
                  "(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)")),
          new Shape(List.of("://"), Pattern.compile("(?<=://)[^/\\s:@]*:[^/\\s@]+(?=@)")));

  /**
   * A kind of key.
   *
   * @param marks a text without any of these holds none; to look for them is a hundredth of the
   *     work
   * @param pattern the key
   */
  private record Shape(List<String> marks, Pattern pattern) {
    boolean mayBeIn(String text) {
      for (String mark : marks) {
        if (text.contains(mark)) {
          return true;
        }
      }
      return false;
    }
  }

  private static Shape key(String rest, String... beginnings) {
    return new Shape(
        List.of(beginnings), Pattern.compile("\\b(?:" + String.join("|", beginnings) + ")" + rest));
  }

  private SecretNames() {}

  /**
   * Patterns of such variables' names, in which {@code *} stands for any characters; of the names
   * that fit one, {@link #isVariable} says which are none.
   */
  public static List<String> patterns() {
    return Stream.concat(
            PARTS.stream().map(part -> "*" + part + "*"), ENDS.stream().map(end -> "*" + end))
        .toList();
  }

  /** Whether the value of a variable of this name is taken for a secret. */
  public static boolean isVariable(String name) {
    String upper = name.toUpperCase(Locale.ROOT);
    String left = HARMLESS.matcher(upper).replaceAll("");
    return PARTS.stream().anyMatch(left::contains) || ENDS.stream().anyMatch(upper::endsWith);
  }

  /** Whether a variable is taken for a secret, by its name or by what its value looks like. */
  public static boolean isSecret(String name, String value) {
    return isVariable(name) || SHAPES.stream().anyMatch(shape -> isIn(shape, value));
  }

  /**
   * Whether an application's option with this value gives it a secret.
   *
   * @param name with or without its dashes
   * @param value what stands behind it
   */
  public static boolean isOption(String name, String value) {
    String plain = name.toLowerCase(Locale.ROOT).replaceFirst("^-+", "").replaceAll("[_.]", "-");
    if (OPTION_TOKEN.matcher(plain).matches() && LIKE_A_TOKEN.matcher(value).matches()) {
      return true;
    }
    return !value.isEmpty()
        && OPTION_ENDS.stream().anyMatch(end -> plain.equals(end) || plain.endsWith("-" + end));
  }

  private static boolean isIn(Shape shape, String text) {
    return shape.mayBeIn(text) && shape.pattern().matcher(text).find();
  }

  /** A text with something else in the place of each piece that looks like a key. */
  public static String replace(String text, UnaryOperator<String> replacement) {
    String replaced = text;
    for (Shape shape : SHAPES) {
      if (shape.mayBeIn(replaced)) {
        replaced =
            shape
                .pattern()
                .matcher(replaced)
                .replaceAll(found -> Matcher.quoteReplacement(replacement.apply(found.group())));
      }
    }
    return replaced;
  }
}
