package io.hpcrun.daemon;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;

/**
 * A line of the log: its priority as journald reads it (sd-daemon(3)) where the output goes to the
 * journal, the level's name elsewhere; the class; the message without control characters, which
 * records and requests may hold.
 */
final class LogLine extends LayoutBase<ILoggingEvent> {
  private final boolean journal;

  /** Lines for journald, or for anybody else. */
  LogLine(boolean journal) {
    this.journal = journal;
  }

  @Override
  public String doLayout(ILoggingEvent event) {
    String logger = event.getLoggerName();
    StringBuilder line =
        new StringBuilder(
                journal ? priority(event.getLevel()) : "%-5s ".formatted(event.getLevel()))
            .append(logger, logger.lastIndexOf('.') + 1, logger.length())
            .append(": ");
    String message = event.getFormattedMessage();
    for (int i = 0; i < message.length(); i++) {
      char c = message.charAt(i);
      line.append(Character.isISOControl(c) ? '?' : c);
    }
    line.append('\n');
    if (event.getThrowableProxy() != null) {
      line.append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
    }
    return line.toString();
  }

  private static String priority(Level level) {
    return switch (level.toInt()) {
      case Level.ERROR_INT -> "<3>";
      case Level.WARN_INT -> "<4>";
      case Level.INFO_INT -> "<6>";
      default -> "<7>";
    };
  }
}
