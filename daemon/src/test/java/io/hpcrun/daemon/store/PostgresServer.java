package io.hpcrun.daemon.store;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Assumptions;

/**
 * A PostgreSQL server for the tests of this JVM, from the system's package, on a port of the
 * loopback interface and in a temporary directory. As root it runs as user {@code postgres}, since
 * the server refuses to run as root.
 */
public final class PostgresServer {
  private static final AtomicInteger DATABASES = new AtomicInteger();
  private static PostgresServer running;

  private final Path binaries;
  private final Path directory;
  private final int port;

  private PostgresServer(Path binaries) throws IOException, InterruptedException {
    this.binaries = binaries;
    directory = Files.createTempDirectory("hpcrun-postgres");
    if (isRoot()) {
      program("chown", "postgres", directory.toString());
    }
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String data = directory.resolve("data").toString();
    asServer("initdb", "-D", data, "-U", "hpcrun", "-A", "trust", "-E", "UTF8", "--no-sync");
    Runtime.getRuntime().addShutdownHook(new Thread(this::stop));
    asServer(
        "pg_ctl",
        "-D",
        data,
        "-w",
        "-l",
        directory.resolve("log").toString(),
        "-o",
        "-F -c listen_addresses=127.0.0.1 -p " + port + " -k " + directory,
        "start");
  }

  /**
   * The URL of a new, empty database; skips the test where PostgreSQL is not installed.
   *
   * @return a JDBC URL with its user
   */
  public static synchronized String newDatabase() {
    if (running == null) {
      Optional<Path> binaries = binaries();
      Assumptions.assumeTrue(
          binaries.isPresent(),
          "PostgreSQL's server is not installed: apt-get install postgresql (looked for"
              + " /usr/lib/postgresql/*/bin/pg_ctl and on the PATH)");
      try {
        running = new PostgresServer(binaries.get());
      } catch (IOException failed) {
        throw new IllegalStateException(failed);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(interrupted);
      }
    }
    String name = "test" + DATABASES.incrementAndGet();
    try (Connection connection = DriverManager.getConnection(running.url("postgres"));
        Statement statement = connection.createStatement()) {
      statement.execute("create database " + name);
    } catch (SQLException failed) {
      throw new IllegalStateException(failed);
    }
    return running.url(name);
  }

  private String url(String database) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=hpcrun";
  }

  private static Optional<Path> binaries() {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> versions =
        Files.newDirectoryStream(Path.of("/usr/lib/postgresql"))) {
      versions.forEach(version -> found.add(version.resolve("bin")));
    } catch (IOException notDebian) {
      // then perhaps on the PATH
    }
    for (String directory : System.getenv("PATH").split(File.pathSeparator)) {
      found.add(Path.of(directory));
    }
    return found.stream()
        .filter(bin -> Files.isExecutable(bin.resolve("pg_ctl")))
        .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
        .findFirst();
  }

  private static boolean isRoot() {
    return System.getProperty("user.name").equals("root");
  }

  private void asServer(String program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      command.addAll(List.of("runuser", "-u", "postgres", "--"));
    }
    command.add(binaries.resolve(program).toString());
    command.addAll(List.of(arguments));
    program(command.toArray(String[]::new));
  }

  private void program(String... command) throws IOException, InterruptedException {
    Path said = Files.createTempFile("hpcrun-postgres", ".log");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + ": " + Files.readString(said));
    }
    Files.delete(said);
  }

  private void stop() {
    try {
      asServer(
          "pg_ctl", "-D", directory.resolve("data").toString(), "-m", "immediate", "-w", "stop");
      // A database for each test is much to remove, and a JVM that ends has 30 s.
      program("setsid", "-f", "rm", "-rf", "--", directory.toString());
    } catch (IOException failed) {
      System.err.println("the PostgreSQL server of the tests was not stopped: " + failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
