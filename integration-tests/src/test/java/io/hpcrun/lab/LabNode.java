package io.hpcrun.lab;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.StreamType;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * A running node of the lab. Commands go through the node's {@code lab-exec}, which carries words
 * of any bytes and looks like a fresh login; Testcontainers' own exec changes both words and
 * output.
 */
final class LabNode {
  /** The kernel takes 128 KiB for one word, and base64 makes it longer. */
  private static final int PIECE = 60_000;

  private final DockerClient docker;
  private final String container;

  LabNode(DockerClient docker, String container) {
    this.docker = docker;
    this.container = container;
  }

  Outcome exec(String user, List<byte[]> words) {
    List<String> command = new ArrayList<>(List.of("lab-exec"));
    words.forEach(word -> encode(word, command));
    String id =
        docker
            .execCreateCmd(container)
            .withUser(user)
            .withAttachStdout(true)
            .withAttachStderr(true)
            .withCmd(command.toArray(String[]::new))
            .exec()
            .getId();
    try (Streams streams = docker.execStartCmd(id).exec(new Streams())) {
      streams.awaitCompletion();
      Long exitCode = docker.inspectExecCmd(id).exec().getExitCodeLong();
      if (exitCode == null) {
        throw new IllegalStateException("Docker lost the exit code of a command on " + container);
      }
      return new Outcome(exitCode.intValue(), streams.out.toByteArray(), streams.err.toByteArray());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a command ran", interrupted);
    } catch (java.io.IOException cannotHappen) {
      throw new java.io.UncheckedIOException(cannotHappen);
    }
  }

  private static void encode(byte[] word, List<String> to) {
    Base64.Encoder base64 = Base64.getEncoder();
    to.add("%" + base64.encodeToString(Arrays.copyOf(word, Math.min(word.length, PIECE))));
    for (int from = PIECE; from < word.length; from += PIECE) {
      byte[] piece = Arrays.copyOfRange(word, from, Math.min(word.length, from + PIECE));
      to.add("+" + base64.encodeToString(piece));
    }
  }

  private static final class Streams extends ResultCallback.Adapter<Frame> {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Override
    public void onNext(Frame frame) {
      (frame.getStreamType() == StreamType.STDERR ? err : out).writeBytes(frame.getPayload());
    }
  }
}
