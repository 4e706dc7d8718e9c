package io.hpcrun.daemon.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RequestBodyTest {
  private static final int MIB = 1 << 20;
  private final RequestMemory memory = new RequestMemory(4 * MIB);

  private RequestBody of(String who, long largest) {
    return new RequestBody(memory, who, largest, Duration.ofMinutes(10));
  }

  private static InputStream bytes(int size) {
    return new ByteArrayInputStream(new byte[size]);
  }

  private void refused(RequestBody body, int size, int status) {
    assertThatExceptionOfType(Problem.Unanswerable.class)
        .isThrownBy(() -> body.read(bytes(size)))
        .matches(told -> told.problem().status() == status);
  }

  @Test
  void itIsWhatWasSent() throws IOException {
    byte[] sent = new byte[MIB + 17];
    new Random(1).nextBytes(sent);
    try (RequestBody body = of("a", 2 * MIB)) {
      body.read(new ByteArrayInputStream(sent));
      assertThat(body.bytes().readAllBytes()).isEqualTo(sent);
    }
  }

  @Test
  void oneUsersLargeRequestsLeaveRoomForOthersAndForSmallOnes() {
    RequestBody first = of("a", 16 * MIB);
    first.read(bytes(3 * MIB / 2));
    refused(of("a", 16 * MIB), MIB, 503);
    of("a", 16 * MIB).read(bytes(RequestBody.FREE));
    RequestBody other = of("b", 16 * MIB);
    other.read(bytes(2 * MIB));
    refused(of("c", 16 * MIB), MIB, 503);
    of("c", 16 * MIB).read(bytes(RequestBody.FREE));
    first.close();
    of("c", 16 * MIB).read(bytes(MIB));
  }

  @Test
  void whatNeverFindsRoomIsTooLarge() {
    refused(of("a", 16 * MIB), 3 * MIB, 413);
    refused(of("a", MIB), MIB + 1, 413);
    of("a", MIB).read(bytes(MIB));
  }

  @Test
  void whatIsRefusedTakesNoRoom() {
    refused(of("a", 16 * MIB), 3 * MIB, 413);
    of("a", 2 * MIB).read(bytes(2 * MIB));
  }

  /** Who sends without end is not read to the end. */
  @Test
  void anEndlessRequestIsTooLarge() {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 'x';
          }
        };
    assertThatExceptionOfType(Problem.Unanswerable.class)
        .isThrownBy(() -> of("a", MIB).read(endless))
        .matches(told -> told.problem().status() == 413);
  }

  @Test
  void whatDoesNotArriveInTimeIsTooSlow() {
    RequestBody hasty = new RequestBody(memory, "a", MIB, Duration.ofNanos(-1));
    refused(hasty, 1, 408);
    refused(new RequestBody(memory, "a", 0, Duration.ofNanos(-1)), 1, 408);
  }
}
