package io.hpcrun.daemon.api;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Bearer tokens for who cannot show who they are by a Unix socket. They are kept in memory only,
 * and only as digests: they end with the daemon, and after twelve hours. Thread-safe.
 */
public final class Tokens {
  private static final Duration VALID = Duration.ofHours(12);
  private static final int BYTES = 32;
  private static final int MOST_PER_USER = 20;

  private final SecureRandom random = new SecureRandom();
  private final InstantSource clock;
  private final Map<String, Owned> owners = new HashMap<>();

  private record Owned(Caller user, Instant until) {}

  /**
   * A token that was given out.
   *
   * @param token what goes behind {@code Authorization: Bearer}
   * @param expiresS until when it is valid, in seconds since the epoch
   * @param url the dashboard with this token
   */
  public record Token(String token, long expiresS, String url) {}

  /** No tokens yet. */
  public Tokens(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * Gives a new token to a user.
   *
   * @param page the dashboard's address
   */
  public synchronized Token give(Caller caller, String page) {
    Instant now = clock.instant();
    owners.values().removeIf(owned -> owned.until().isBefore(now));
    List<Map.Entry<String, Owned>> own =
        owners.entrySet().stream()
            .filter(entry -> entry.getValue().user().uid() == caller.uid())
            .sorted(Comparator.comparing(entry -> entry.getValue().until()))
            .toList();
    if (own.size() >= MOST_PER_USER) {
      owners.remove(own.getFirst().getKey());
    }
    byte[] bytes = new byte[BYTES];
    random.nextBytes(bytes);
    String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    Instant until = now.plus(VALID);
    owners.put(digest(token), new Owned(caller, until));
    return new Token(token, until.getEpochSecond(), page + "#token=" + token);
  }

  /** The user whom a token was given to, as it was then; empty if it is not valid. */
  synchronized Optional<Caller> user(String token) {
    return Optional.ofNullable(owners.get(digest(token)))
        .filter(owned -> owned.until().isAfter(clock.instant()))
        .map(Owned::user);
  }

  private static String digest(String token) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(token.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new IllegalStateException(everyJavaHasIt);
    }
  }
}
