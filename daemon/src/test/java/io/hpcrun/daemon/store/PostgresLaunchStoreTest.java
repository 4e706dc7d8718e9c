package io.hpcrun.daemon.store;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.hpcrun.failure.Failure;
import org.junit.jupiter.api.Test;

class PostgresLaunchStoreTest extends LaunchStoreContract {
  PostgresLaunchStoreTest() {
    super(Database.POSTGRESQL);
  }

  @Test
  void backupsAreLeftToPgDump() {
    assertThatExceptionOfType(Failure.class)
        .isThrownBy(() -> store.backUp(directory.resolve("copy")))
        .satisfies(
            refused ->
                org.assertj.core.api.Assertions.assertThat(refused.remedy()).contains("pg_dump"));
  }
}
