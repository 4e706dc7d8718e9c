package io.hpcrun.daemon.ingest;

import static io.hpcrun.timing.RankLine.ABSENT;

import io.hpcrun.daemon.store.Arrival;
import io.hpcrun.daemon.store.LaunchKey;
import io.hpcrun.daemon.store.LaunchState;
import io.hpcrun.daemon.store.RankColumns;
import io.hpcrun.timing.LaunchTimes;
import io.hpcrun.timing.RankLine;
import io.hpcrun.timing.RecordLine;
import io.hpcrun.timing.RecordReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Reads a record file (docs/records.md) that anybody may have written, and refuses what is none: it
 * must be whole, of a known schema, and speak for the file's owner only. Thread-safe.
 */
final class RecordParser {
  private static final String SCHEMA = "hpcrun.record/1";

  /** More than any path or evidence; longer ones are nobody's record. */
  private static final int TEXT_LIMIT = 16_384;

  private static final int DEPTH_LIMIT = 50;

  /** Bytes of a launch's or a node's own line; those of nodes with many ports have a tenth. */
  private static final int HEAD_LIMIT = 64 << 10;

  /** Bytes of all ranks of a node, packed; ten thousand have a third. */
  private static final int RANKS_LIMIT = 512 << 10;

  /** Longest text of a column that names something, as cluster and node are. */
  private static final int NAME_LIMIT = 255;

  private static final int PATH_LIMIT = 4_096;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1," + NAME_LIMIT + "}");
  private static final Pattern MODE = Pattern.compile("[a-z]{1,20}");

  /** Of a job that Slurm can be asked about. */
  private static final Pattern LAUNCH =
      Pattern.compile("[0-9]{1,10}(_[0-9]{1,9})?\\.[0-9]{1,9}\\.[0-9]{1,9}");

  private final RecordReader reader = RecordReader.limited(TEXT_LIMIT, DEPTH_LIMIT);

  /**
   * Reads a record.
   *
   * @param file the file's content
   * @param owner whom the file belongs to
   * @throws UnfitException when it is no record, or speaks for somebody else
   */
  Arrival parse(byte[] file, FileOwner owner) throws UnfitException {
    Collector collector = new Collector(file, owner);
    try {
      reader.read(file, collector);
    } catch (Broken broken) {
      throw new UnfitException(broken.getMessage(), broken);
    } catch (IOException noJson) {
      throw new UnfitException("it is broken: " + noJson.getMessage(), noJson);
    }
    if (collector.arrival == null) {
      throw new UnfitException("it is empty");
    }
    if (collector.arrival instanceof Arrival.OfNode node) {
      if (collector.ranksSaid != ABSENT && collector.ranksSaid != collector.ranks.count()) {
        // Cut off between two lines, as a node's crash may leave a file.
        throw new UnfitException(
            "it says %d ranks and holds %d"
                .formatted(collector.ranksSaid, collector.ranks.count()));
      }
      byte[] ranks = collector.ranks.packed();
      if (ranks.length > RANKS_LIMIT) {
        throw new UnfitException(
            "its ranks have %d bytes, packed, and %d are the most"
                .formatted(ranks.length, RANKS_LIMIT));
      }
      return new Arrival.OfNode(
          node.key(),
          node.user(),
          node.node(),
          collector.ranks.count(),
          node.mode(),
          node.record(),
          ranks);
    }
    return collector.arrival;
  }

  /** Carries a reason out of the reader's callbacks. */
  private static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Broken(String reason) {
      super(reason);
    }
  }

  /** Takes one file's lines. */
  private static final class Collector implements RecordReader.Lines {
    private final byte[] file;
    private final FileOwner owner;
    private final RankColumns.Encoder ranks = new RankColumns.Encoder();
    private Arrival arrival;
    private long ranksSaid;

    Collector(byte[] file, FileOwner owner) {
      this.file = file;
      this.owner = owner;
    }

    @Override
    public void head(RecordLine line) {
      if (arrival != null) {
        throw new Broken("it holds more than one record");
      }
      if (line.from() < 0) {
        throw new Broken("it is not in UTF-8"); // other encodings have no places in bytes
      }
      if (!line.text("schema").equals(SCHEMA)) {
        throw new Broken("its schema is '%s', not %s".formatted(shown(line, "schema"), SCHEMA));
      }
      if (line.to() - line.from() > HEAD_LIMIT) {
        throw new Broken(
            "its first line has %d bytes, and %d are the most"
                .formatted(line.to() - line.from(), HEAD_LIMIT));
      }
      LaunchKey key =
          new LaunchKey(
              named(line, "cluster", NAME),
              required(line, "uid"),
              named(line, "launch", LAUNCH),
              required(line, "begun_ns"));
      if (key.uid() != owner.uid()) {
        throw new Broken(
            "it speaks for uid %d and belongs to uid %d".formatted(key.uid(), owner.uid()));
      }
      String record =
          new String(
              file, (int) line.from(), (int) (line.to() - line.from()), StandardCharsets.UTF_8);
      arrival =
          line.text("type").equals("node") ? node(line, key, record) : launch(line, key, record);
    }

    private Arrival node(RecordLine line, LaunchKey key, String record) {
      ranksSaid = line.number("ranks");
      return new Arrival.OfNode(
          key,
          owner.name(),
          named(line, "node", NAME),
          0,
          line.text("mode").isEmpty() ? "" : named(line, "mode", MODE),
          record,
          new byte[0]);
    }

    private Arrival launch(RecordLine line, LaunchKey key, String record) {
      LaunchState state =
          LaunchState.of(line.text("state"))
              .filter(known -> known != LaunchState.UNKNOWN)
              .orElseThrow(() -> new Broken("its state is '%s'".formatted(shown(line, "state"))));
      if (!line.text("node").isEmpty()) {
        named(line, "node", NAME);
      }
      return new Arrival.OfLaunch(
          key,
          owner.name(),
          state,
          line.number("exit"),
          line.number("nodes"),
          line.number("ranks"),
          text(line, "partition", NAME_LIMIT),
          text(line, "image", PATH_LIMIT),
          text(line, "image_id", NAME_LIMIT),
          text(line, "command", PATH_LIMIT),
          text(line, "mode", NAME_LIMIT),
          text(line, "mpi", NAME_LIMIT),
          line.number("script_ns"),
          LaunchTimes.of(line),
          record);
    }

    @Override
    public void rank(RankLine line) {
      if (!(arrival instanceof Arrival.OfNode)) {
        throw new Broken("its first line is no launch's and no node's");
      }
      if (line.rank() == ABSENT) {
        throw new Broken("a rank has no number");
      }
      ranks.add(line);
    }

    private static long required(RecordLine line, String name) {
      long value = line.number(name);
      if (value == ABSENT) {
        throw new Broken("it has no '" + name + "'");
      }
      return value;
    }

    private static String named(RecordLine line, String name, Pattern pattern) {
      String text = line.text(name);
      if (!pattern.matcher(text).matches()) {
        throw new Broken("its '%s' is '%s'".formatted(name, shown(line, name)));
      }
      return text;
    }

    private static String text(RecordLine line, String name, int limit) {
      String text = line.text(name);
      if (text.length() > limit) {
        throw new Broken("its '%s' is longer than %d characters".formatted(name, limit));
      }
      // A database's text holds neither a NUL nor half of a surrogate pair.
      if (text.codePoints().anyMatch(c -> c == 0 || c >= 0xd800 && c <= 0xdfff)) {
        throw new Broken("its '%s' is no text".formatted(name));
      }
      return text;
    }

    private static String shown(RecordLine line, String name) {
      String text = line.text(name).replaceAll("[^\\x20-\\x7e]", "?");
      return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }
  }
}
