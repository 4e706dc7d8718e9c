package io.hpcrun.it;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A container, and what is around it.
 *
 * @param before bash that runs before the job is submitted, in the same shell
 * @param job options of sbatch
 * @param container options in Apptainer's words
 * @param image image and command
 * @param effect what probe tells under plain Apptainer, which shows that the case is what it says
 */
record EqualityCase(
    String name,
    String before,
    List<String> job,
    List<String> container,
    List<String> image,
    Map<String, String> effect) {
  /** Where the cases have their files. */
  static final String DIRECTORY = "/home/alice/equality/";

  /** What {@link #DIRECTORY} needs; {@code $2} is {@link #ENVIRONMENT_OF_IMAGE}. */
  static final String PREPARE =
      """
      set -e
      rm -rf "$1" && mkdir -p "$1/data" "$1/home" && cd "$1"
      unsquash() { apptainer build --sandbox "$1" /home/alice/probe.sif; }
      unsquash sandbox && unsquash environment && cp sandbox/bin/probe .
      printf %s "$2" >environment/.singularity.d/env/90-environment.sh
      printf 'line 1\\n\\0\\xff the end' >input
      printf 'export SOURCED=$((SOURCED + 1))\\n' >bashenv
      printf '#!/bin/bash\\nsrun --mpi=none apptainer exec "$@"\\n' >plain
      """;

  static final String ENVIRONMENT_OF_IMAGE =
      """
      export OF_IMAGE="set by the image's own file"
      export OVERRIDDEN='by the image'
      export KEPT="${KEPT:-by the image}"
      export LD_LIBRARY_PATH="/opt/image/lib:$LD_LIBRARY_PATH"
      export PATH="/opt/image/bin:$PATH"
      export LANG=C.UTF-8
      unset UNSET_BY_IMAGE
      """;

  private static final String ODD_VARIABLES =
      """
      export ODD_LINES=$'one\\ntwo\\n\\n' ODD_QUOTES=$'it\\'s "quoted" \\\\ back\\\\' ODD_EMPTY=
      export ODD_DOLLAR='$HOME $(id) `id` ${X} %s' ODD_EDGES=' edges ' ODD_EQUALS='=a=b='
      export ODD_TEXT='größe' ODD_CONTROL=$'\\x01\\x1b[1m\\t\\r\\x7f'
      printf -v ODD_LONG %5000s x && export ODD_LONG
      export ODD_BYTES=$'\\xff caf\\xe9 \\x80'
      export LD_LIBRARY_PATH=/opt/host/lib PATH=/opt/host/bin:$PATH LANG=de_DE.UTF-8
      export APPTAINERENV_OF_APPTAINER='by Apptainer' SINGULARITYENV_OF_SINGULARITY='by the old name'
      export OVERRIDDEN='by the host' UNSET_BY_IMAGE='by the host' KEPT='by the host'
      export LD_PRELOAD=libm.so.6 TMPDIR=/tmp/of/job XDG_RUNTIME_DIR=/run/user/1001
      export DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1001/bus XDG_SESSION_ID=3 HOSTNAME=login-of-a-site
      export SSH_CONNECTION='1.2.3.4 5 6.7.8.9 22' DISPLAY=:10.0 TMUX=/tmp/tmux,1,0
      export PMI_RANK=5 PMIX_NAMESPACE=bogus SRUN_CPU_BIND=none code=c state=s name=n directory=d REPLY=r
      odd_function() { echo "$1"; }
      export -f odd_function
      set -- env odd.dot=1 odd-dash=2 9odd=3 "$@"
      """;

  private static EqualityCase of(String name, List<String> image, String... container) {
    return new EqualityCase(name, "", List.of(), List.of(container), image, Map.of());
  }

  private EqualityCase after(String script) {
    return new EqualityCase(name, script, job, container, image, effect);
  }

  private EqualityCase with(String... options) {
    return new EqualityCase(name, before, List.of(options), container, image, effect);
  }

  private EqualityCase tells(String key, String value) {
    Map<String, String> more = new LinkedHashMap<>(effect);
    more.put(key, value);
    return new EqualityCase(name, before, job, container, image, more);
  }

  static List<EqualityCase> all() {
    List<String> bare = List.of("/home/alice/probe.sif", "probe", "two words", "");
    List<String> glibc = List.of("/home/alice/hello-openmpi.sif", DIRECTORY + "probe");
    List<String> busybox = List.of("/home/alice/tiny.sif", DIRECTORY + "probe");
    List<String> sandbox = List.of(DIRECTORY + "sandbox", "probe");
    List<String> environment = List.of(DIRECTORY + "environment", "probe");
    return List.of(
        of("SIF without shell", bare)
            .tells("status.Groups", "1001 65534 ")
            .tells("argument.1", "two words")
            .tells("namespace.user", "the container's")
            .tells("namespace.mnt", "the container's")
            .tells("namespace.pid", "the node's")
            .tells("namespace.net", "the node's")
            .tells("namespace.ipc", "the node's")
            .tells("namespace.uts", "the node's")
            .tells("namespace.cgroup", "the node's"),
        of("SIF with glibc", glibc),
        of("SIF with busybox", busybox),
        of("sandbox", sandbox),
        of(
                "bind, env, pwd",
                bare,
                "--bind",
                DIRECTORY + "data:/data:ro",
                "--env",
                "GIVEN=a b",
                "--env",
                "EMPTY=",
                "--pwd",
                "/data")
            .tells("working directory", "/data")
            .tells("write./data", "EROFS")
            .tells("env.GIVEN", "a b")
            .tells("env.EMPTY", ""),
        of("standard input", bare)
            .with("-i", DIRECTORY + "input")
            .tells("stdin", "line 1\\x0a\\x00\\xff the end"),
        of("writable tmpfs", bare, "--writable-tmpfs")
            .tells("write./", "mode=100644 uid=1001 gid=1001"),
        of("no home", bare, "--no-home").after("cd /tmp").tells("place./home/alice", "ENOENT"),
        of("another home", bare, "--home", DIRECTORY + "home")
            .tells("env.HOME", DIRECTORY + "home"),
        of("no tmp", bare, "--no-mount", "tmp").tells("write./tmp", "EROFS"),
        of("directory of a group", bare, "--bind", DIRECTORY + "shared:/data")
            .tells("place./data", "mode=40770 uid=65534 gid=65534 device=0:0")
            .tells("write./data", "mode=100644 uid=1001 gid=1001"),
        of("no cwd", bare, "--no-mount", "cwd"),
        of("GPUs", glibc, "--nv").with("--gpus-per-task=2").tells("env.SLURM_JOB_GPUS", "0,1,2,3"),
        of("limits and umask", bare)
            .after("umask 027; ulimit -S -n 500; ulimit -c 0; ulimit -s 4096; cd /tmp")
            .tells("umask", "027")
            .tells("working directory", "/tmp"),
        of("odd variables", bare)
            .after(ODD_VARIABLES)
            .tells("env.ODD_LINES", "one\\x0atwo\\x0a\\x0a")
            .tells("env.BASH_FUNC_odd_function%%", "() {  echo \"$1\"\\x0a}"),
        of("odd variables, glibc", glibc).after(ODD_VARIABLES).tells("env.odd.dot", "1"),
        of("variables of the image", environment)
            .tells("env.OF_IMAGE", "set by the image's own file"),
        of("variables of image and host", environment).after(ODD_VARIABLES),
        of(
                "variables of all kinds",
                environment,
                "--env",
                "KEPT=by the option",
                "--env",
                "OVERRIDDEN=by the option",
                "--env",
                "PREPEND_PATH=/opt/option/bin",
                "--env",
                "LD_LIBRARY_PATH=/opt/option/lib")
            .after(ODD_VARIABLES)
            .tells("env.OVERRIDDEN", "by the option"),
        of("BASH_ENV", bare)
            .after("export BASH_ENV=" + DIRECTORY + "bashenv")
            .tells("env.SOURCED", "1"));
  }

  @Override
  public String toString() {
    return name;
  }
}
