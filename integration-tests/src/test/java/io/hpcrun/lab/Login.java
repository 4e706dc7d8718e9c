package io.hpcrun.lab;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A user on a node, in the home directory that all nodes share, with an environment like that of a
 * fresh login. Immutable; commands start anew each time, without a shell, with empty standard
 * input.
 */
public final class Login {
  /** The kernel takes 128 KiB for one word. */
  private static final int LONGEST_WORD = 100_000;

  private final LabNode node;
  private final String user;
  private final List<String> unset;
  private final List<byte[]> assignments;

  private Login(LabNode node, String user, List<String> unset, List<byte[]> assignments) {
    this.node = node;
    this.user = user;
    this.unset = List.copyOf(unset);
    this.assignments = List.copyOf(assignments);
  }

  Login(LabNode node, String user) {
    this(node, user, List.of(), List.of());
  }

  /** The same with a variable set. */
  public Login with(String name, String value) {
    List<byte[]> more = new ArrayList<>(assignments);
    more.add(bytes(name + "=" + value));
    return new Login(node, user, unset, more);
  }

  /** The same with a variable unset. */
  public Login without(String name) {
    List<String> more = new ArrayList<>(unset);
    more.add(name);
    return new Login(node, user, more, assignments);
  }

  /** Runs a command to its end. */
  public Outcome run(String... words) {
    return runBytes(Arrays.stream(words).map(Login::bytes).toList());
  }

  /** Runs a command, some fixed words and the others given, to its end. */
  public Outcome run(List<String> words) {
    return run(words.toArray(String[]::new));
  }

  /** Runs a command whose words are any bytes to its end. */
  public Outcome runBytes(List<byte[]> words) {
    List<byte[]> command = new ArrayList<>();
    if (!unset.isEmpty() || !assignments.isEmpty()) {
      command.add(bytes("env"));
      unset.forEach(name -> Stream.of("-u", name).map(Login::bytes).forEach(command::add));
      command.addAll(assignments);
    }
    command.addAll(words);
    return node.exec(user, command);
  }

  /** Runs a bash script to its end; {@code words} are its {@code $1} and so on. */
  public Outcome bash(String script, String... words) {
    List<String> command = new ArrayList<>(List.of("bash", "-c", script, "bash"));
    command.addAll(Arrays.asList(words));
    return run(command);
  }

  /** The bytes of a file. */
  public byte[] read(String path) {
    return run("cat", "--", path).succeeded().out();
  }

  /** Writes a file, as this user. */
  public void write(String path, byte[] content) {
    List<byte[]> command =
        new ArrayList<>(
            Stream.of("bash", "-c", "printf %s \"${@:2}\" | base64 -d >\"$1\"", "bash", path)
                .map(Login::bytes)
                .toList());
    byte[] text = java.util.Base64.getEncoder().encode(content);
    for (int from = 0; from < text.length; from += LONGEST_WORD) {
      command.add(Arrays.copyOfRange(text, from, Math.min(text.length, from + LONGEST_WORD)));
    }
    runBytes(command).succeeded();
  }

  private static byte[] bytes(String word) {
    return word.getBytes(StandardCharsets.UTF_8);
  }
}
