package io.hpcrun.manifest;

import io.hpcrun.cluster.ClusterFacts;
import io.hpcrun.plan.Advice;
import io.hpcrun.plan.Decision;
import io.hpcrun.request.Setting;
import io.hpcrun.spec.LaunchSpec.Kind;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that a submitted launch was made from, without its secrets. Words (options' values, the
 * command, the script, variables' values) are Latin-1 views of their bytes; where a secret stood,
 * they hold its keyed digest ({@link Masking}).
 *
 * @param submission who, where and when
 * @param request what was asked for
 * @param image the image as it was
 * @param surroundings the variables of then
 * @param outcome what hpcrun made of it
 * @param key tells the key of the keyed digests from others
 */
public record Manifest(
    Submission submission,
    Request request,
    ImageLock image,
    Surroundings surroundings,
    Outcome outcome,
    String key) {

  /**
   * The moment of submission.
   *
   * @param job the job's number; of an array, the array's
   * @param cluster the cluster, where sbatch names it
   * @param time when
   * @param host the machine that hpcrun ran on
   * @param directory the working directory
   * @param words what the user typed after {@code hpcrun}
   * @param replayOf the job that was run again
   */
  public record Submission(
      String job,
      Optional<String> cluster,
      Instant time,
      String host,
      Path directory,
      List<String> words,
      Optional<String> replayOf) {
    /** Copies the list. */
    public Submission {
      words = List.copyOf(words);
    }

    Submission ofJob(String number, Optional<String> ofCluster, Instant now) {
      return new Submission(number, ofCluster, now, host, directory, words, replayOf);
    }
  }

  /**
   * What was asked for, after site, modules and the rest were put together.
   *
   * @param kind a job or a script
   * @param settings the options that counted, with who said them
   * @param command the application and its arguments; of a script the program that all its launches
   *     start, if that is known
   * @param script the script, if one ran
   */
  public record Request(
      Kind kind, List<Setting> settings, List<String> command, Optional<Script> script) {
    /** Copies the lists. */
    public Request {
      settings = List.copyOf(settings);
      command = List.copyOf(command);
    }
  }

  /**
   * A script that starts launches.
   *
   * @param file the user's file that held it; empty if hpcrun wrote it for a job file
   * @param directives its {@code #SBATCH} lines
   * @param interpreter the program that runs it
   * @param arguments what it got
   * @param text what stood in it
   * @param digest SHA-256 of it, in hexadecimal, keyed if it held secrets
   */
  public record Script(
      Optional<Path> file,
      List<String> directives,
      List<String> interpreter,
      List<String> arguments,
      String text,
      String digest) {
    /** Copies the lists. */
    public Script {
      directives = List.copyOf(directives);
      interpreter = List.copyOf(interpreter);
      arguments = List.copyOf(arguments);
    }
  }

  /**
   * The variables of then.
   *
   * @param variables the user's, but those of the session; values that are not kept are masked
   * @param ofSite hpcrun's own that the site set
   */
  public record Surroundings(Map<String, String> variables, Map<String, String> ofSite) {
    /** Copies the maps. */
    public Surroundings {
      variables = Map.copyOf(variables);
      ofSite = Map.copyOf(ofSite);
    }
  }

  /**
   * What hpcrun made of it.
   *
   * @param hpcrun its version
   * @param cluster what the cluster offered
   * @param decisions every choice
   * @param warnings what might have failed
   * @param head the job script before the node agent, without what else stands here
   * @param script SHA-256 of the whole job script in hexadecimal, keyed if it held secrets
   * @param agent SHA-256 of the node agent in it
   */
  public record Outcome(
      String hpcrun,
      ClusterFacts cluster,
      List<Decision> decisions,
      List<Advice> warnings,
      String head,
      String script,
      String agent) {
    /** Copies the lists. */
    public Outcome {
      decisions = List.copyOf(decisions);
      warnings = List.copyOf(warnings);
    }
  }

  /** The same for a job that was submitted now. */
  public Manifest ofJob(String number, Optional<String> cluster, Instant now) {
    return new Manifest(
        submission.ofJob(number, cluster, now), request, image, surroundings, outcome, key);
  }
}
