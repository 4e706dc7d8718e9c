package io.hpcrun.daemon.store;

import java.nio.file.Path;

/** The databases that tests run on. */
public enum Database {
  /** A file in the test's directory. */
  SQLITE {
    @Override
    public String newUrl(Path directory) {
      return "jdbc:sqlite:" + directory.resolve("store.db");
    }
  },
  /** A database of the tests' own server. */
  POSTGRESQL {
    @Override
    public String newUrl(Path directory) {
      return PostgresServer.newDatabase();
    }
  };

  /** The URL of a store that is not there yet. */
  public abstract String newUrl(Path directory);
}
