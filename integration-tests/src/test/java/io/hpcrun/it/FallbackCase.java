package io.hpcrun.it;

import static io.hpcrun.it.NodeFault.giveBack;
import static io.hpcrun.it.NodeFault.hide;

import java.util.List;
import java.util.Map;

/**
 * A node, or both, on which something is missing or broken, and what has to come of a launch.
 *
 * @param nodes where it is broken
 * @param breaks bash, as root
 * @param mends bash, as root
 * @param options of hpcrun
 * @param image the image, or nothing for the usual one
 * @param exit the exit code; no rank may have run if it is not 0
 * @param says what hpcrun has to say, each text in one line, and nothing else
 * @param modes for each node how ranks entered and why, as in {@code exec: it was asked for}
 * @param byShell why the shell took ranks of joined containers in; empty if hpcrun-enter did
 */
record FallbackCase(
    String name,
    List<String> nodes,
    String breaks,
    String mends,
    List<String> options,
    String image,
    int exit,
    List<String> says,
    Map<String, String> modes,
    String byShell) {
  /** An image outside of the file system that nodes share. */
  static final String LOCAL = "/opt/local.sif";

  static final String APPTAINER = "/usr/bin/apptainer";
  static final List<String> BOTH = List.of("c1", "c2");
  static final List<String> SECOND = List.of("c2");

  /** Begins what is said of a launch that is refused. */
  static final String REFUSED = "refused before any rank started: on ";

  /** Begins what is said of a node whose ranks do not join. */
  static final String ALONE = "each rank starts a container of its own: ";

  private static final String WRAPPER = "/usr/local/bin/apptainer";

  static FallbackCase of(String name, String... options) {
    return new FallbackCase(
        name, List.of(), "", "", List.of(options), "", 0, List.of(), Map.of(), "");
  }

  FallbackCase broken(List<String> where, String how, String back) {
    return new FallbackCase(name, where, how, back, options, image, exit, says, modes, byShell);
  }

  FallbackCase without(List<String> where, String path) {
    return broken(where, hide(path), giveBack(path));
  }

  /** Apptainer of c2 does something else first. */
  FallbackCase withApptainerThat(String script) {
    String wrapper = "#!/bin/bash\n%s\nexec %s \"$@\"\n".formatted(script, APPTAINER);
    return broken(
        SECOND,
        "cat >%1$s <<'X'\n%2$sX\nchmod 755 %1$s\n".formatted(WRAPPER, wrapper),
        "rm -f " + WRAPPER);
  }

  FallbackCase withVersion(String version) {
    return withApptainerThat("[[ $1 != --version ]] || { echo '" + version + "'; exit; }");
  }

  /** Apptainer is there by SingularityCE's name only. */
  FallbackCase asSingularity() {
    String other = "/usr/local/bin/singularity";
    return broken(
        BOTH,
        hide(APPTAINER) + "ln -sfn " + APPTAINER + ".hidden " + other,
        "rm -f " + other + "\n" + giveBack(APPTAINER));
  }

  /** The image is a file of each node's own, with which something is done on c2. */
  FallbackCase withLocalImage(String then) {
    FallbackCase broken =
        broken(
            List.of("login", "c1", "c2"),
            "install -m 755 /home/alice/tiny.sif %1$s\n[[ $HOSTNAME != c2 ]] || %2$s %1$s\n"
                .formatted(LOCAL, then),
            "rm -f " + LOCAL);
    return new FallbackCase(
        name,
        broken.nodes,
        broken.breaks,
        broken.mends,
        options,
        LOCAL,
        exit,
        says,
        modes,
        byShell);
  }

  FallbackCase refused(int code, String... texts) {
    return new FallbackCase(
        name, nodes, breaks, mends, options, image, code, List.of(texts), Map.of(), "");
  }

  FallbackCase refusedOn(String where, String text) {
    return refused(3, REFUSED + where + " " + text);
  }

  FallbackCase runs(String onFirst, String onSecond, String... texts) {
    return new FallbackCase(
        name,
        nodes,
        breaks,
        mends,
        options,
        image,
        0,
        List.of(texts),
        Map.of("c1", onFirst, "c2", onSecond),
        byShell);
  }

  /** Ranks join, but by the shell, for this reason. */
  FallbackCase joinsByShell(String reason) {
    return new FallbackCase(name, nodes, breaks, mends, options, image, exit, says, modes, reason)
        .runs("join", "join");
  }

  /** Ranks of c2, or of both nodes, start containers of their own for this reason. */
  FallbackCase startsAlone(List<String> where, String reason) {
    String alone = "exec: " + reason;
    boolean both = where.equals(BOTH);
    return runs(
        both ? alone : "join", alone, "on " + (both ? "c[1-2]" : "c2") + " " + ALONE + reason);
  }

  @Override
  public String toString() {
    return name;
  }
}
