package io.hpcrun.daemon.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.daemon.Records;
import io.hpcrun.daemon.store.Arrival;
import io.hpcrun.daemon.store.LaunchState;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecordParserTest {
  private static final FileOwner OWNER = new FileOwner(1000, Optional.of("mia"));
  private final RecordParser parser = new RecordParser();

  @Test
  void readsALaunch() throws UnfitException {
    String text =
        Records.launch(
            "12_3.0.1", 1000, 5, "ended", 2, 8, ",\"image\":\"/i/ä.sif\",\"command\":\"app\"");
    Arrival.OfLaunch launch = (Arrival.OfLaunch) parse(text);
    assertThat(launch.key().job()).isEqualTo("12_3");
    assertThat(launch.key().begunNs()).isEqualTo(5);
    assertThat(launch.user()).contains("mia");
    assertThat(launch.state()).isEqualTo(LaunchState.ENDED);
    assertThat(launch.image()).isEqualTo("/i/ä.sif");
    assertThat(launch.command()).isEqualTo("app");
    assertThat(launch.exitCode()).isZero();
    assertThat(launch.ranks()).isEqualTo(8);
    assertThat(launch.times().submit()).isEqualTo(Records.START_S - 5);
    assertThat(launch.record()).isEqualTo(text.strip());
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16BE", "UTF-16LE", "UTF-16", "UTF-32BE", "UTF-32LE"})
  void refusesOtherEncodings(String charset) {
    byte[] file =
        Records.launch("12.0.0", 1000, 5, "ended", 1, 1, "").getBytes(Charset.forName(charset));
    assertThatExceptionOfType(UnfitException.class)
        .isThrownBy(() -> parser.parse(file, OWNER))
        .withMessage("it is not in UTF-8");
  }

  @Test
  void readsANodeWithItsRanks() throws UnfitException {
    String text = Records.node("12.0.0", 1000, 5, "c1", 0, 100);
    Arrival.OfNode node = (Arrival.OfNode) parse(text);
    assertThat(node.node()).isEqualTo("c1");
    assertThat(node.ranks()).isEqualTo(100);
    assertThat(node.record()).isEqualTo(text.lines().findFirst().orElseThrow());
    assertThat(node.ranksData().length).isLessThan(text.length() / 10);
  }

  @Test
  void membersOfARankMayBeAbsent() throws UnfitException {
    String text = Records.node("12.0.0", 1000, 5, "c1", 0, 0).replace("\"ranks\":0", "\"ranks\":1");
    Arrival.OfNode node = (Arrival.OfNode) parse(text + "{\"type\":\"rank\",\"rank\":3}\n");
    assertThat(node.ranks()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''                                    | it is empty
          '{'                                   | it is broken
          'no JSON'                             | it is broken
          '[]'                                  | a line is not a JSON object
          '{"type":"rank","rank":1}'            | its first line is no launch's and no node's
          '{"type":"node"}'                     | its schema is ''
          '{"type":"node","schema":"hpcrun.record/2"}' | its schema is 'hpcrun.record/2'
          '{"type":"node","schema":"hpcrun.record/1"}' | its 'cluster' is ''
          """)
  void refusesWhatIsNoRecord(String text, String reason) {
    refuses(text, reason);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "uid":1000         | "uid":1001            | it speaks for uid 1001 and belongs to uid 1000
          "uid":1000,        | ''                    | it has no 'uid'
          "begun_ns":5,      | ''                    | it has no 'begun_ns'
          "begun_ns":5,      | "begun_ns":"5",       | it has no 'begun_ns'
          "begun_ns":5,      | "begun_ns":99999999999999999999999, | it is broken
          "cluster":"lab"    | "cluster":"../x"      | its 'cluster' is '../x'
          "cluster":"lab"    | "cluster":"a\\u0000"  | its 'cluster' is 'a?'
          "launch":"12.0.0"  | "launch":"12"         | its 'launch' is '12'
          "launch":"12.0.0"  | "launch":"12345678901.0.0" | its 'launch' is '12345678901.0.0'
          "state":"ended"    | "state":"unknown"     | its state is 'unknown'
          "state":"ended"    | "state":"x"           | its state is 'x'
          "state":"ended"    | "state":"ended","image":"a\\u0000b" | its 'image' is no text
          "state":"ended"    | "state":"ended","image":"a\\ud800b" | its 'image' is no text
          "node":"n0"        | "node":"<b>"          | its 'node' is '<b>'
          """)
  void refusesALaunchWith(String wanted, String instead, String reason) {
    String text = Records.launch("12.0.0", 1000, 5, "ended", 2, 8, "");
    assertThat(text).contains(wanted);
    refuses(text.replace(wanted, instead), reason);
  }

  @Test
  void acceptsAnyText() throws UnfitException {
    String text =
        Records.launch(
            "12.0.0", 1000, 5, "ended", 2, 8, ",\"image\":\"/\uD83D\uDE00 \\n\\ud83d\\ude00\"");
    assertThat(((Arrival.OfLaunch) parse(text)).image()).isEqualTo("/\uD83D\uDE00 \n\uD83D\uDE00");
  }

  @Test
  void refusesTextsAndNestingBeyondReason() {
    String launch = Records.launch("12.0.0", 1000, 5, "ended", 2, 8, ",\"x\":@");
    refuses(launch.replace("@", "\"" + "x".repeat(20_000) + "\""), "it is broken");
    refuses(launch.replace("@", "[".repeat(100) + "]".repeat(100)), "it is broken");
    refuses(launch.replace("\"x\":@", "\"image\":\"" + "x".repeat(5_000) + "\""), "its 'image'");
    String many = "\"y\",".repeat(20_000);
    refuses(launch.replace("@", "[" + many + "\"\"]"), "its first line has");
    StringBuilder ranks = new StringBuilder();
    for (int i = 0; i < 600; i++) {
      ranks.append("{\"type\":\"rank\",\"rank\":" + i + ",\"evidence\":\"" + i);
      ranks.append("x".repeat(1_000)).append("\"}\n");
    }
    String node =
        Records.node("12.0.0", 1000, 5, "c1", 0, 0).replace("\"ranks\":0", "\"ranks\":600");
    refuses(node + ranks, "its ranks have");
  }

  @Test
  void refusesAFileOfSeveralRecords() {
    String launch = Records.launch("12.0.0", 1000, 5, "ended", 2, 8, "");
    refuses(launch + launch, "it holds more than one record");
    refuses(launch + "{\"type\":\"rank\",\"rank\":1}", "its first line is no");
  }

  @Test
  void refusesAFileThatWasCutOffAnywhere() {
    String text = Records.node("12.0.0", 1000, 5, "c1", 0, 20);
    for (int length = 0; length < text.length() - 1; length++) {
      refuses(text.substring(0, length), "it ");
    }
  }

  @Test
  void noBytesMakeItFailInAnotherWay() {
    byte[] text = Records.node("12.0.0", 1000, 5, "c1", 0, 3).getBytes(StandardCharsets.UTF_8);
    Random random = new Random(11);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] changed = text.clone();
      for (int change = random.nextInt(4); change >= 0; change--) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
      }
      try {
        parser.parse(changed, OWNER);
      } catch (UnfitException expected) {
        refused++;
      }
    }
    assertThat(refused).isBetween(10_000, 20_000);
  }

  private Arrival parse(String text) throws UnfitException {
    return parser.parse(text.getBytes(StandardCharsets.UTF_8), OWNER);
  }

  private void refuses(String text, String reason) {
    assertThatExceptionOfType(UnfitException.class)
        .isThrownBy(() -> parse(text))
        .withMessageContaining(reason);
  }
}
