package io.hpcrun.daemon.store;

import static io.hpcrun.timing.RankLine.ABSENT;

import io.hpcrun.timing.RankLine;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Packs all ranks of a node into one value, about 14 bytes a rank, which is read again without
 * garbage.
 *
 * <p>Format: a byte with the version (1), then the ranks one after the other. A rank is a byte of
 * flags that says which members follow, in this order: 1 rank, 2 local, 4 begin_ns, 8 exec_ns, 16
 * end_ns, 32 network, 64 evidence. A number is the difference to the same member of the last rank
 * that had it (0 before the first), except exec_ns, which is the difference to begin_ns of the same
 * rank if it has that. Differences wrap around at 64 bits and are written as zigzag LEB128. A text
 * is the LEB128 number that it got when it came first; a new one gets the next number, and its
 * length in bytes (LEB128) and its UTF-8 bytes follow. Numbers of texts begin at 0 for each value.
 */
public final class RankColumns {
  private static final byte VERSION = 1;
  private static final int RANK = 1;
  private static final int LOCAL = 2;
  private static final int BEGIN = 4;
  private static final int EXEC = 8;
  private static final int END = 16;
  private static final int NETWORK = 32;
  private static final int EVIDENCE = 64;

  private RankColumns() {}

  /** Packs the ranks of one node. Not thread-safe. */
  public static final class Encoder {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(2048);
    private final Map<String, Integer> texts = new HashMap<>();
    private long rank;
    private long local;
    private long begin;
    private long exec;
    private long end;
    private int count;

    /** No ranks yet. */
    public Encoder() {
      out.write(VERSION);
    }

    /** Adds a rank. */
    public void add(RankLine line) {
      out.write(
          flag(RANK, line.rank())
              | flag(LOCAL, line.local())
              | flag(BEGIN, line.begin())
              | flag(EXEC, line.exec())
              | flag(END, line.end())
              | (line.network().isEmpty() ? 0 : NETWORK)
              | (line.evidence().isEmpty() ? 0 : EVIDENCE));
      rank = number(line.rank(), rank);
      local = number(line.local(), local);
      begin = number(line.begin(), begin);
      if (line.exec() != ABSENT) {
        exec = number(line.exec(), line.begin() == ABSENT ? exec : line.begin());
      }
      end = number(line.end(), end);
      text(line.network());
      text(line.evidence());
      count++;
    }

    private static int flag(int flag, long value) {
      return value == ABSENT ? 0 : flag;
    }

    private long number(long value, long base) {
      if (value == ABSENT) {
        return base;
      }
      long difference = value - base;
      varint((difference << 1) ^ (difference >> 63));
      return value;
    }

    private void text(String text) {
      if (text.isEmpty()) {
        return;
      }
      Integer known = texts.putIfAbsent(text, texts.size());
      varint(known == null ? texts.size() - 1 : known);
      if (known == null) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        varint(bytes.length);
        out.write(bytes, 0, bytes.length);
      }
    }

    private void varint(long value) {
      long rest = value;
      while ((rest & ~0x7fL) != 0) {
        out.write((int) (rest & 0x7f | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
    }

    /** How many ranks were added. */
    public int count() {
      return count;
    }

    /** The packed ranks. */
    public byte[] packed() {
      return out.toByteArray();
    }
  }

  /** Reads packed ranks; the same object for one value after the other. Not thread-safe. */
  public static final class Decoder {
    private final RankLine line = new RankLine();
    private final List<String> texts = new ArrayList<>();
    private byte[] packed = {VERSION};
    private int at = 1;
    private long rank;
    private long local;
    private long begin;
    private long exec;
    private long end;

    /** Nothing to read yet. */
    public Decoder() {}

    /**
     * Begins to read.
     *
     * @throws StoreException when a newer hpcrund has packed it
     */
    public void begin(byte[] ranks) {
      if (ranks.length == 0 || ranks[0] != VERSION) {
        throw damaged("packed ranks are of a version that this hpcrund does not know", null);
      }
      packed = ranks;
      at = 1;
      texts.clear();
      rank = 0;
      local = 0;
      begin = 0;
      exec = 0;
      end = 0;
    }

    /**
     * The next rank, or null at the end. The same object is filled again.
     *
     * @throws StoreException when the value is damaged
     */
    public RankLine next() {
      if (at >= packed.length) {
        return null;
      }
      try {
        return decode(packed[at++]);
      } catch (IndexOutOfBoundsException cutOff) {
        throw damaged("packed ranks are damaged", cutOff);
      }
    }

    private RankLine decode(int flags) {
      if ((flags & RANK) != 0) {
        rank += zigzag();
      }
      if ((flags & LOCAL) != 0) {
        local += zigzag();
      }
      if ((flags & BEGIN) != 0) {
        begin += zigzag();
      }
      if ((flags & EXEC) != 0) {
        exec = ((flags & BEGIN) != 0 ? begin : exec) + zigzag();
      }
      if ((flags & END) != 0) {
        end += zigzag();
      }
      String network = (flags & NETWORK) != 0 ? text() : "";
      String evidence = (flags & EVIDENCE) != 0 ? text() : "";
      line.set(
          (flags & RANK) != 0 ? rank : ABSENT,
          (flags & LOCAL) != 0 ? local : ABSENT,
          (flags & BEGIN) != 0 ? begin : ABSENT,
          (flags & EXEC) != 0 ? exec : ABSENT,
          (flags & END) != 0 ? end : ABSENT,
          network,
          evidence);
      return line;
    }

    private String text() {
      int number = (int) varint();
      if (number == texts.size()) {
        int length = (int) varint();
        if (length < 0 || length > packed.length - at) {
          throw new IndexOutOfBoundsException(length);
        }
        texts.add(new String(packed, at, length, StandardCharsets.UTF_8));
        at += length;
      }
      return texts.get(number);
    }

    private long zigzag() {
      long value = varint();
      return (value >>> 1) ^ -(value & 1);
    }

    private long varint() {
      long value = 0;
      int shift = 0;
      byte next;
      do {
        next = packed[at++];
        value |= (next & 0x7fL) << shift;
        shift += 7;
      } while (next < 0);
      return value;
    }

    private static StoreException damaged(String found, Throwable cause) {
      return new StoreException(found, cause, StoreException.Kind.DATA);
    }
  }
}
