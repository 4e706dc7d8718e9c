package io.hpcrun.timing;

import io.hpcrun.failure.Failure;
import io.hpcrun.spec.ByteString;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Where nodes hand in records for the site's daemon, beside the user's own record directory
 * (docs/records.md).
 */
public final class RecordSpool {
  /** A name with control characters has no place in messages; U+FFFD stands for lost bytes. */
  private static final Pattern UNFIT = Pattern.compile("[\\p{Cntrl}\uFFFD]");

  private RecordSpool() {}

  /**
   * The site's spool: {@code HPCRUN_SPOOL}; none if it is unset or empty. Whether it is there is
   * not looked at: a launch goes on without it.
   *
   * @throws Failure with exit code 2 when it is not an absolute path, holds control characters or
   *     is not UTF-8
   */
  public static Optional<Path> of(Map<String, String> environment) {
    String spool = environment.getOrDefault("HPCRUN_SPOOL", "");
    if (spool.isEmpty()) {
      return Optional.empty();
    }
    if (!spool.startsWith("/")) {
      throw Failure.usage(
          "HPCRUN_SPOOL=" + ByteString.of(spool) + " is not an absolute path",
          "write it from / on, or unset it");
    }
    if (UNFIT.matcher(spool).find()) {
      throw Failure.usage(
          "HPCRUN_SPOOL=" + ByteString.of(spool) + " holds characters that no spool's name has",
          "use a directory whose name is UTF-8 without control characters, or unset it");
    }
    return Optional.of(Path.of(spool));
  }
}
