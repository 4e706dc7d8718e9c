package io.hpcrun.daemon;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.pattern.ClassicConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;

/**
 * The priority of a line as journald reads it (sd-daemon(3)), where the output goes to the journal;
 * the level's name elsewhere.
 */
public final class JournalPriority extends ClassicConverter {
  private static final boolean JOURNAL = System.getenv("JOURNAL_STREAM") != null;

  @Override
  public String convert(ILoggingEvent event) {
    Level level = event.getLevel();
    if (!JOURNAL) {
      return "%-5s ".formatted(level);
    }
    return switch (level.toInt()) {
      case Level.ERROR_INT -> "<3>";
      case Level.WARN_INT -> "<4>";
      case Level.INFO_INT -> "<6>";
      default -> "<7>";
    };
  }
}
