package io.hpcrun.manifest;

import io.hpcrun.request.OwnOption;
import io.hpcrun.request.Setting;
import io.hpcrun.spec.SecretNames;
import io.hpcrun.spec.SlurmOption;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts a keyed digest in the place of each secret: {@code ***:} and 16 hexadecimal digits. The same
 * secret has the same digest, so that a change of it shows; without the key, which only the user
 * can read, nothing can be told from it. Not thread-safe: it remembers the secrets that it met.
 */
public final class Masking {
  private static final String MASK = "***:";
  private static final Pattern MASKED = Pattern.compile("\\*{3}:[0-9a-f]{16}");
  private static final int DIGITS = 16;

  /** A secret that is shorter may be any word, and is only taken out where it is known to stand. */
  private static final int TELLING = 6;

  private static final int LONG = 8;

  private static final Pattern ASSIGNMENT =
      Pattern.compile("(-{0,2}[A-Za-z_][A-Za-z0-9_.-]*)=(.*)", Pattern.DOTALL);

  /** In a shell's text: NAME=VALUE, {@code --name VALUE}; values that are expanded are none. */
  private static final Pattern IN_TEXT =
      Pattern.compile(
          "(-{0,2}\\b[A-Za-z_][A-Za-z0-9_-]*)(=|\\s+)"
              + "((?:\"[^\"$]*+\"|'[^']*+'|\\$'(?:[^'\\\\]++|\\\\.)*+'|\\\\.|[^\\s;&|'\"$,)\\\\]++)++)",
          Pattern.DOTALL);

  private static final Pattern QUOTED = Pattern.compile("([\"'])([^\"'\\\\]*)\\1");

  private final byte[] key;
  private final Map<String, String> met = new TreeMap<>(Masking::longestFirst);

  /** Digests are made with this key. */
  public Masking(byte[] key) {
    this.key = key.clone();
  }

  private static int longestFirst(String one, String other) {
    int byLength = Integer.compare(other.length(), one.length());
    return byLength == 0 ? one.compareTo(other) : byLength;
  }

  /** Tells this key from others. */
  public String keyId() {
    return digest("").substring(0, DIGITS / 2);
  }

  /** What stands for a secret. */
  public String of(String latin1) {
    return MASK + digest(latin1).substring(0, DIGITS);
  }

  /** A text with its secrets again; empty if one of them is not among those that are known. */
  public static Optional<String> unmask(String text, Map<String, String> known) {
    if (!MASKED.matcher(text).results().allMatch(found -> known.containsKey(found.group()))) {
      return Optional.empty();
    }
    return Optional.of(
        MASKED
            .matcher(text)
            .replaceAll(found -> Matcher.quoteReplacement(known.get(found.group()))));
  }

  /** Whether a secret stood in a text. */
  public static boolean isIn(String text) {
    return MASKED.matcher(text).find();
  }

  /** For people: secrets without their digests. */
  public static String shown(String text) {
    return MASKED.matcher(text).replaceAll("\\*\\*\\*");
  }

  /** SHA-256 in hexadecimal; keyed, if the text holds secrets. */
  public String digestOf(String latin1, boolean secrets) {
    return secrets ? MASK + digest(latin1) : hexadecimal(sha256(), latin1);
  }

  /** Whether a digest that was made so is of this text. */
  public boolean isDigestOf(String digest, String latin1) {
    return digest.equals(
        digest.startsWith(MASK) ? MASK + digest(latin1) : hexadecimal(sha256(), latin1));
  }

  private String digest(String latin1) {
    MessageDigest digest = sha256();
    digest.update(key);
    return hexadecimal(digest, latin1);
  }

  private static String hexadecimal(MessageDigest digest, String latin1) {
    return HexFormat.of().formatHex(digest.digest(latin1.getBytes(StandardCharsets.ISO_8859_1)));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }

  /** An option's values without secrets. */
  public Setting setting(Setting setting) {
    UnaryOperator<String> mask =
        setting.name().equals(SlurmOption.EXPORT.option()) ? this::text : this::word;
    if (setting.name().equals(OwnOption.ENV.option())) {
      mask = this::assignment;
    }
    return new Setting(
        setting.name(),
        setting.values().stream().map(mask).map(this::without).toList(),
        setting.origin());
  }

  /** The value of a variable of the environment without secrets. */
  public String variable(String name, String latin1) {
    if (!SecretNames.isVariable(name)) {
      return shapes(latin1);
    }
    // What is no path may also have been put into the command line, by its name.
    return latin1.length() >= LONG && !latin1.startsWith("/") ? meet(latin1) : of(latin1);
  }

  private String assignment(String assignment) {
    int equals = assignment.indexOf('=');
    if (equals < 0) {
      return assignment;
    }
    String name = assignment.substring(0, equals);
    String value = assignment.substring(equals + 1);
    return assigned(name, value, SecretNames.isVariable(name) ? meet(value) : without(value));
  }

  /** Words of a command line without secrets. */
  public List<String> words(List<String> words) {
    List<String> masked = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      String before = i == 0 ? "" : words.get(i - 1);
      boolean secret =
          before.startsWith("--")
              && !words.get(i).startsWith("-")
              && SecretNames.isOption(before, words.get(i));
      masked.add(secret ? meet(words.get(i)) : without(word(words.get(i))));
    }
    return masked;
  }

  private String word(String word) {
    Matcher assignment = ASSIGNMENT.matcher(word);
    if (!assignment.matches()) {
      return text(word);
    }
    String name = assignment.group(1);
    String value = assignment.group(2);
    return assigned(name, value, isSecret(name, value) ? meet(value) : word(value));
  }

  private String assigned(String name, String value, String masked) {
    if (!masked.equals(value)) {
      met.put(name + "=" + value, name + "=" + masked);
    }
    return name + "=" + masked;
  }

  private static boolean isSecret(String name, String value) {
    return !value.isEmpty()
        && (name.matches("[A-Z_][A-Z0-9_]*")
            ? SecretNames.isVariable(name)
            : SecretNames.isOption(name, value));
  }

  /** A script, or a part of one, without secrets. */
  public String text(String text) {
    StringBuilder masked = new StringBuilder();
    Matcher found = IN_TEXT.matcher(text);
    int done = 0;
    for (int from = 0; from <= text.length() && found.find(from); ) {
      from = found.start(3); // NAME=VALUE may stand in a value, too
      String value = found.group(3);
      String bare = unquoted(value);
      boolean option = found.group(1).startsWith("--");
      if ((option || found.group(2).equals("=")) && isSecret(found.group(1), bare)) {
        masked.append(text, done, found.start(3)).append(meet(bare));
        done = found.end(3);
        from = done;
      }
    }
    return shapes(masked.append(text, done, text.length()).toString());
  }

  /** As the program gets it, where that is easily told; a digest is of this. */
  private static String unquoted(String value) {
    Matcher quoted = QUOTED.matcher(value);
    return quoted.matches() ? quoted.group(2) : value;
  }

  private String shapes(String text) {
    return SecretNames.replace(text, this::meet);
  }

  private String meet(String secret) {
    if (MASKED.matcher(secret).matches()) {
      return secret;
    }
    String masked = of(secret);
    if (secret.length() >= TELLING) {
      met.put(secret, masked);
    }
    return masked;
  }

  /** Takes the secrets that were met out of a text, wherever they stand. */
  public String without(String latin1) {
    String text = latin1;
    for (Map.Entry<String, String> secret : met.entrySet()) {
      text = text.replace(secret.getKey(), secret.getValue());
    }
    return shapes(text);
  }
}
