package io.hpcrun.daemon.store;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * Which launches are meant; what is empty does not matter.
 *
 * @param cluster Slurm's name of the cluster
 * @param uid the owner
 * @param user the owner's name
 * @param image the image's path or its own id
 * @param partition the partition
 * @param node a node that left a record of the launch
 * @param mode how ranks entered; how they were meant to, where no node has told
 * @param state how far it is
 * @param sinceNs it began then or later, in nanoseconds since the epoch
 * @param untilNs it began before
 * @param job the job's id begins with this text
 * @param launch job, restart and number, such as {@code 12_3.0.0}
 */
public record LaunchFilter(
    Optional<String> cluster,
    OptionalLong uid,
    Optional<String> user,
    Optional<String> image,
    Optional<String> partition,
    Optional<String> node,
    Optional<String> mode,
    Optional<LaunchState> state,
    OptionalLong sinceNs,
    OptionalLong untilNs,
    Optional<String> job,
    Optional<String> launch) {
  /** All launches. */
  public static LaunchFilter all() {
    return new Builder().build();
  }

  /** Names what matters; everything else does not. */
  public static Builder builder() {
    return new Builder();
  }

  /** Names what matters of a filter. */
  public static final class Builder {
    private Optional<String> cluster = Optional.empty();
    private OptionalLong uid = OptionalLong.empty();
    private Optional<String> user = Optional.empty();
    private Optional<String> image = Optional.empty();
    private Optional<String> partition = Optional.empty();
    private Optional<String> node = Optional.empty();
    private Optional<String> mode = Optional.empty();
    private Optional<LaunchState> state = Optional.empty();
    private OptionalLong sinceNs = OptionalLong.empty();
    private OptionalLong untilNs = OptionalLong.empty();
    private Optional<String> job = Optional.empty();
    private Optional<String> launch = Optional.empty();

    private Builder() {}

    /** Slurm's name of the cluster. */
    public Builder cluster(String name) {
      cluster = Optional.of(name);
      return this;
    }

    /** The owner. */
    public Builder uid(long number) {
      uid = OptionalLong.of(number);
      return this;
    }

    /** The owner's name. */
    public Builder user(String name) {
      user = Optional.of(name);
      return this;
    }

    /** The image's path or its own id. */
    public Builder image(String pathOrId) {
      image = Optional.of(pathOrId);
      return this;
    }

    /** The partition. */
    public Builder partition(String name) {
      partition = Optional.of(name);
      return this;
    }

    /** A node that left a record of the launch. */
    public Builder node(String name) {
      node = Optional.of(name);
      return this;
    }

    /** How ranks enter. */
    public Builder mode(String name) {
      mode = Optional.of(name);
      return this;
    }

    /** How far it is. */
    public Builder state(LaunchState wanted) {
      state = Optional.of(wanted);
      return this;
    }

    /** It began then or later, in nanoseconds since the epoch. */
    public Builder sinceNs(long nanoseconds) {
      sinceNs = OptionalLong.of(nanoseconds);
      return this;
    }

    /** It began before, in nanoseconds since the epoch. */
    public Builder untilNs(long nanoseconds) {
      untilNs = OptionalLong.of(nanoseconds);
      return this;
    }

    /** The job's id begins with this text. */
    public Builder job(String beginning) {
      job = Optional.of(beginning);
      return this;
    }

    /** Job, restart and number. */
    public Builder launch(String id) {
      launch = Optional.of(id);
      return this;
    }

    /** The filter. */
    public LaunchFilter build() {
      return new LaunchFilter(
          cluster, uid, user, image, partition, node, mode, state, sinceNs, untilNs, job, launch);
    }
  }
}
