package io.hpcrun.planning;

import static org.assertj.core.api.Assertions.assertThat;

import io.hpcrun.policy.Policy;
import io.hpcrun.policy.SlurmScripts;
import io.hpcrun.script.AgentSource;
import io.hpcrun.spec.ByteString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The exported job_submit.lua, called as slurmctld does, by a Lua of this machine. */
final class Slurmctld {
  static final List<String> LUAS = List.of("lua5.1", "lua5.4");

  private static final int DENIED = 2002;

  private final String lua;
  private final Path submit;
  private final List<String> cases = new ArrayList<>();

  /**
   * What it answers.
   *
   * @param code of Slurm
   * @param microseconds that it took
   * @param messages for the user, joined by bars
   */
  record Answer(int code, long microseconds, String messages) {
    boolean isRefused() {
      return code == DENIED;
    }

    boolean passes() {
      return code == 0 && messages.isEmpty();
    }
  }

  Slurmctld(String lua, Path directory, Policy policy) {
    this.lua = lua;
    try {
      this.submit = Files.write(directory.resolve("job_submit.lua"), export(policy));
    } catch (IOException full) {
      throw new UncheckedIOException(full);
    }
  }

  static byte[] export(Policy policy) {
    return SlurmScripts.jobSubmit(policy, installation());
  }

  static SlurmScripts.Installation installation() {
    return new SlurmScripts.Installation(
        "0.0.0",
        AgentText.all().stream().map(AgentSource::latin1).toList(),
        Set.of(PolicyLaunch.PROGRAM),
        List.of("/var/spool/slurmd"));
  }

  /** A job that is submitted. */
  Slurmctld submit(Map<String, Object> request) {
    cases.add("{ desc = " + literal(request) + " }");
    return this;
  }

  /** A job that is changed. */
  Slurmctld change(Map<String, Object> request, Map<String, Object> job, int uid) {
    cases.add("{ desc = %s, rec = %s, uid = %d }".formatted(literal(request), literal(job), uid));
    return this;
  }

  /** The answers to all, in order. */
  List<Answer> answers() {
    try {
      Path file = submit.resolveSibling("cases.lua");
      Files.write(
          file,
          ("return {\n" + String.join(",\n", cases) + "\n}\n")
              .getBytes(StandardCharsets.ISO_8859_1));
      cases.clear();
      Process process =
          new ProcessBuilder(lua, "src/test/lua/harness.lua", submit.toString(), file.toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(said).isZero();
      return said.lines().map(Slurmctld::answer).toList();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  private static Answer answer(String line) {
    String[] parts = line.split(" ", 3);
    return new Answer(Integer.parseInt(parts[0]), Long.parseLong(parts[1]), parts[2]);
  }

  private static String literal(Object value) {
    return switch (value) {
      case Map<?, ?> map -> {
        StringBuilder text = new StringBuilder("{ ");
        map.forEach(
            (key, each) -> text.append("[%s] = %s, ".formatted(literal(key), literal(each))));
        yield text.append('}').toString();
      }
      case Number number -> number.toString();
      case ByteString bytes -> quoted(bytes.latin1());
      default -> quoted(ByteString.of(value.toString()).latin1());
    };
  }

  private static String quoted(String latin1) {
    StringBuilder text = new StringBuilder("\"");
    for (char c : latin1.toCharArray()) {
      if (c == '"' || c == '\\') {
        text.append('\\').append(c);
      } else if (c < ' ') {
        text.append("\\%03d".formatted((int) c));
      } else {
        text.append(c);
      }
    }
    return text.append('"').toString();
  }
}
