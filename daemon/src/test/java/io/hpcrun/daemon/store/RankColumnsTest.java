package io.hpcrun.daemon.store;

import static io.hpcrun.timing.RankLine.ABSENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.daemon.Records;
import io.hpcrun.timing.RankLine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RankColumnsTest {
  private record Rank(
      long rank, long local, long begin, long exec, long end, String network, String evidence) {
    static Rank of(RankLine line) {
      return new Rank(
          line.rank(),
          line.local(),
          line.begin(),
          line.exec(),
          line.end(),
          line.network(),
          line.evidence());
    }
  }

  @Test
  void everyCombinationOfMembersComesBack() {
    List<Rank> ranks = new ArrayList<>();
    for (int members = 0; members < 128; members++) {
      ranks.add(
          new Rank(
              (members & 1) == 0 ? ABSENT : members,
              (members & 2) == 0 ? ABSENT : members / 2,
              (members & 4) == 0 ? ABSENT : Records.at(members),
              (members & 8) == 0 ? ABSENT : Records.at(members + 1),
              (members & 16) == 0 ? ABSENT : Records.at(members * 3),
              (members & 32) == 0 ? "" : "tcp",
              (members & 64) == 0 ? "" : "why " + members % 3));
    }
    assertThat(decoded(encoded(ranks))).isEqualTo(ranks);
  }

  @Test
  void anyNumberAndAnyTextComesBack() {
    Random random = new Random(42);
    List<Rank> ranks = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      ranks.add(
          new Rank(
              number(random),
              number(random),
              number(random),
              number(random),
              number(random),
              random.nextBoolean() ? "" : "n" + random.nextInt(3),
              random.nextBoolean() ? "" : "ä€\uD83D\uDE00 " + random.nextInt(300)));
    }
    assertThat(decoded(encoded(ranks))).isEqualTo(ranks);
  }

  private static long number(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> ABSENT;
      case 1 -> Long.MAX_VALUE;
      case 2 -> Long.MIN_VALUE + 1;
      case 3 -> random.nextInt(100) - 50;
      default -> random.nextLong() >> random.nextInt(64);
    };
  }

  @Test
  void usualRanksTakeFewBytes() {
    List<Rank> ranks = new ArrayList<>();
    for (int i = 0; i < 128; i++) {
      ranks.add(
          new Rank(i, i, Records.begin(i), Records.exec(i), Records.end(i), "rdma", "a device"));
    }
    assertThat(encoded(ranks).length).isLessThan(128 * 20);
  }

  @Test
  void damagedValuesAreRefused() {
    byte[] packed =
        encoded(List.of(new Rank(1, 2, Records.at(1), Records.at(2), Records.at(3), "tcp", "x")));
    RankColumns.Decoder decoder = new RankColumns.Decoder();
    for (int length = 2; length < packed.length; length++) {
      decoder.begin(Arrays.copyOf(packed, length));
      assertThatExceptionOfType(StoreException.class).isThrownBy(decoder::next);
    }
    packed[0] = 2;
    assertThatExceptionOfType(StoreException.class).isThrownBy(() -> decoder.begin(packed));
    assertThatExceptionOfType(StoreException.class).isThrownBy(() -> decoder.begin(new byte[0]));
  }

  private static byte[] encoded(List<Rank> ranks) {
    RankColumns.Encoder encoder = new RankColumns.Encoder();
    RankLine line = new RankLine();
    for (Rank rank : ranks) {
      line.set(rank.rank, rank.local, rank.begin, rank.exec, rank.end, rank.network, rank.evidence);
      encoder.add(line);
    }
    assertThat(encoder.count()).isEqualTo(ranks.size());
    return encoder.packed();
  }

  private static List<Rank> decoded(byte[] packed) {
    RankColumns.Decoder decoder = new RankColumns.Decoder();
    decoder.begin(packed);
    List<Rank> ranks = new ArrayList<>();
    for (RankLine line; (line = decoder.next()) != null; ) {
      ranks.add(Rank.of(line));
    }
    return ranks;
  }
}
