package io.hpcrun.spec;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What becomes of the variables whose names fit a pattern.
 *
 * @param pattern a name, in which {@code *} stands for any characters
 * @param kind what such variables are
 * @param place where the rule holds
 * @param fate what it says
 * @param reason why, a sentence without its full stop
 * @param source where that is known from
 */
public record EnvironmentRule(
    String pattern, Kind kind, Place place, Fate fate, String reason, String source) {

  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_*]+");

  /** What a variable is. */
  public enum Kind {
    /** Belongs to the login on the machine where hpcrun is called. */
    SESSION,
    /** Slurm's own. */
    SLURM,
    /** Wires MPI ranks, or sets what their MPI does. */
    PMI,
    /** Says which GPUs are used, and how. */
    GPU,
    /** Says which network is used, and how. */
    FABRIC,
    /** Of the site: what it declares, the way out of its network, settings of its programs. */
    SITE,
    /** Without which no program works: the user, the search path, the language. */
    BASE,
    /** Looks like a password or a key; its value is never shown. */
    SECRET,
    /** All others. */
    USER;

    /** The word in texts. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Where a rule holds. */
  public enum Place {
    /** Between the caller and sbatch, and so the whole job. */
    SUBMISSION,
    /** Between the job and its ranks. */
    RANKS
  }

  /** What a rule says. */
  public enum Fate {
    /** The variable goes on. */
    PASS,
    /** It does not. */
    DROP
  }

  /** Whether the pattern can be one of variables' names. */
  public boolean isValid() {
    return FORM.matcher(pattern).matches();
  }

  /** Whether a name fits; names of secrets do in upper and lower case. */
  public boolean fits(String name) {
    return kind == Kind.SECRET
        ? fits(pattern.toUpperCase(Locale.ROOT), name.toUpperCase(Locale.ROOT))
        : fits(pattern, name);
  }

  private static boolean fits(String pattern, String name) {
    int star = pattern.indexOf('*');
    if (star < 0) {
      return pattern.equals(name);
    }
    if (!name.regionMatches(0, pattern, 0, star)) {
      return false;
    }
    if (star == pattern.length() - 1) {
      return true;
    }
    String rest = pattern.substring(star + 1);
    for (int from = star; from <= name.length(); from++) {
      if (fits(rest, name.substring(from))) {
        return true;
      }
    }
    return false;
  }
}
