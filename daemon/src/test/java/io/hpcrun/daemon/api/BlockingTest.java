package io.hpcrun.daemon.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BlockingTest {
  @TempDir private Path directory;

  /** More reads that hang than there are processors. */
  @Test
  void filesThatHangStopNoVirtualThread() throws IOException, InterruptedException {
    Path pipe = directory.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    int readers = 2 * Runtime.getRuntime().availableProcessors() + 2;
    Blocking blocking = new Blocking("a file", readers, Duration.ofSeconds(60));
    try (FileChannel open =
        FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      CountDownLatch begun = new CountDownLatch(readers);
      List<Thread> hanging = new ArrayList<>();
      for (int i = 0; i < readers; i++) {
        hanging.add(
            Thread.ofVirtual()
                .start(
                    () ->
                        blocking.call(
                            () -> {
                              begun.countDown();
                              return read(pipe);
                            })));
      }
      assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
      CountDownLatch other = new CountDownLatch(1);
      Thread.ofVirtual().start(other::countDown);
      assertThat(other.await(30, TimeUnit.SECONDS)).isTrue();
      open.write(ByteBuffer.allocate(readers));
      for (Thread each : hanging) {
        each.join();
      }
    }
  }

  private static int read(Path pipe) throws IOException {
    try (FileChannel channel =
        FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return channel.read(ByteBuffer.allocate(1));
    }
  }

  @Test
  void whoWaitsInVainIsTold() {
    Blocking blocking = new Blocking("the directory", 1, Duration.ofMillis(50));
    CountDownLatch never = new CountDownLatch(1);
    for (int i = 0; i < 2; i++) { // the second one waits for the thread
      assertThatExceptionOfType(Problem.Unanswerable.class)
          .isThrownBy(
              () ->
                  blocking.call(
                      () -> {
                        never.await();
                        return 1;
                      }))
          .matches(told -> told.problem().status() == 503)
          .withMessage("the directory did not answer within 0 s");
    }
    never.countDown();
  }

  @Test
  void whatFailsFailsAsItDoes() {
    Blocking blocking = new Blocking("x", 1, Duration.ofSeconds(10));
    IllegalArgumentException mine = new IllegalArgumentException("mine");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(
            () ->
                blocking.call(
                    () -> {
                      throw mine;
                    }))
        .isSameAs(mine);
    assertThat(blocking.<Integer>call(() -> 7)).isEqualTo(7);
  }
}
