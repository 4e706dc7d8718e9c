package io.hpcrun.daemon.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class SqliteLaunchStoreTest extends LaunchStoreContract {
  SqliteLaunchStoreTest() {
    super(Database.SQLITE);
  }

  private Path file() {
    return directory.resolve("store.db");
  }

  @Test
  void onlyTheOwnerCanReadTheFiles() throws IOException {
    store.store(List.of(launch("1.0.0", 7, 0, LaunchState.ENDED)));
    for (String name : List.of("store.db", "store.db-wal", "store.db-shm")) {
      assertThat(
              PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(name))))
          .isEqualTo("rw-------");
    }
  }

  @Test
  void aBackupIsAWholeStoreWhileTheStoreIsInUse() throws IOException {
    store.store(
        List.of(launch("1.0.0", 7, 0, LaunchState.ENDED), node("1.0.0", 7, 0, "c1", 0, 100)));
    Path copy = directory.resolve("copy.db");
    Files.writeString(copy, "an older backup");
    store.backUp(copy);
    store.store(List.of(launch("2.0.0", 7, 0, LaunchState.ENDED)));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(copy)))
        .isEqualTo("rw-------");
    try (LaunchStore backup =
        LaunchStore.open("jdbc:sqlite:" + copy, new Properties(), InstantSource.system())) {
      assertThat(backup.size().launches()).containsEntry(LaunchState.ENDED, 1L);
      assertThat(backup.size().nodes()).isEqualTo(1);
    }
    assertThat(store.size().launches()).containsEntry(LaunchState.ENDED, 2L);
  }

  @Test
  void aBackupThatCannotBeWrittenIsAFailure() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> store.backUp(directory.resolve("no/such/copy.db")));
  }

  @Test
  void theFileShrinksWhenLaunchesAreRemoved() throws IOException {
    for (int i = 0; i < 50; i++) {
      store.store(List.of(node("1.0.0", 7, i, "c1", 0, 5_000)));
    }
    store.close();
    long before = Files.size(file());
    store =
        LaunchStore.open(url, new Properties(), () -> Instant.now().plus(Duration.ofDays(10_000)));
    assertThat(store.removeOlderThan(Duration.ofDays(1), () -> true)).isEqualTo(50);
    store.close();
    assertThat(Files.size(file())).isLessThan(before / 4);
    store = null;
  }

  @Test
  void otherDatabasesAreRefused() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(
            () -> LaunchStore.open("jdbc:h2:mem:x", new Properties(), InstantSource.system()));
  }
}
