package io.hpcrun.it;

import static io.hpcrun.it.FallbackCase.ALONE;
import static io.hpcrun.it.FallbackCase.APPTAINER;
import static io.hpcrun.it.FallbackCase.BOTH;
import static io.hpcrun.it.FallbackCase.LOCAL;
import static io.hpcrun.it.FallbackCase.REFUSED;
import static io.hpcrun.it.FallbackCase.SECOND;
import static io.hpcrun.it.FallbackCase.of;
import static io.hpcrun.it.NodeFault.cover;
import static io.hpcrun.it.NodeFault.giveBack;
import static io.hpcrun.it.NodeFault.hide;
import static io.hpcrun.it.NodeFault.unmount;

import java.util.List;
import java.util.stream.Stream;

/** What can be missing or broken on nodes. */
final class FallbackCases {
  private static final String ASKED = "it was asked for";
  private static final String EXEC_ASKED = "exec: " + ASKED;

  private FallbackCases() {}

  static Stream<FallbackCase> all() {
    String utilLinux = "nsenter or setpriv of util-linux is missing";
    String tools =
        "setsid of util-linux, or env and cat of coreutils with their libraries, cannot be used";
    return Stream.of(
            asked(),
            without("nsenter", utilLinux),
            without("setpriv", utilLinux),
            without("setsid", tools),
            List.of(
                of("ldd missing on c2").without(SECOND, "/usr/bin/ldd").startsAlone(SECOND, tools)),
            otherwiseNotJoined(),
            byShell(),
            namespacesAndMemory(),
            runtimes(),
            images(),
            fuse())
        .flatMap(List::stream);
  }

  private static List<FallbackCase> asked() {
    return List.of(
        of("nothing is wrong").runs("join", "join"),
        of("join asked", "--mode=join").runs("join", "join"),
        of("exec asked", "--mode=exec").runs(EXEC_ASKED, EXEC_ASKED));
  }

  private static List<FallbackCase> without(String program, String reason) {
    String path = "/usr/bin/" + program;
    return List.of(
        of(program + " missing on c2").without(SECOND, path).startsAlone(SECOND, reason),
        of(program + " missing on both").without(BOTH, path).startsAlone(BOTH, reason),
        of(program + " missing on c2, join asked", "--mode=join")
            .without(SECOND, path)
            .refusedOn("c2", "--mode=join is not possible: " + reason));
  }

  private static List<FallbackCase> otherwiseNotJoined() {
    String fill =
        "mount -t tmpfs -o size=64k,mode=1777 tmpfs /tmp\n"
            + "! dd if=/dev/zero of=/tmp/fill bs=4k status=none 2>/dev/null\n";
    String empty = "left=$(find /tmp -name 'hpcrun*')\n" + unmount("/tmp") + "[[ -z $left ]]";
    String notTimed = "on c2 ranks are not timed: /tmp/hpcrun.";
    String reason = "the node directory cannot be made";
    return List.of(
        of("nsenter refused on c2")
            .broken(
                SECOND,
                cover("/usr/bin/nsenter", "#!/bin/sh\necho not for you >&2\nexit 1")
                    + "chmod 755 /root/cover\n",
                unmount("/usr/bin/nsenter"))
            .startsAlone(SECOND, "its container cannot be joined: not for you"),
        of("/tmp full on c2")
            .broken(SECOND, fill, empty)
            .runs("join", "exec: " + reason, notTimed, "on c2 " + ALONE + reason),
        of("/tmp full on c2, and PMIx", "--mpi=pmix")
            .broken(SECOND, fill, unmount("/tmp"))
            .refused(3, REFUSED + "c2 there are 0 KiB free in /tmp, and PMIx needs more"),
        of("/tmp full on c2, join asked", "--mode=join")
            .broken(SECOND, fill, empty)
            .refused(3, notTimed, REFUSED + "c2 --mode=join is not possible: " + reason),
        of("/tmp full on c2, sharens asked", "--mode=sharens", "-n", "2")
            .broken(SECOND, fill, empty)
            .runs("sharens: " + ASKED, "exec: " + reason, notTimed, "on c2 " + ALONE + reason));
  }

  private static List<FallbackCase> byShell() {
    String noExec = "mount -t tmpfs -o noexec,mode=1777 tmpfs /tmp\n";
    String noExecHome =
        "mount --bind /home /home && mount -o remount,bind,noexec,nosuid,nodev /home\n";
    String program = "/home/alice/.cache/hpcrun/hpcrun-enter-*";
    return List.of(
        of("no programs in /tmp of c2")
            .broken(SECOND, noExec, unmount("/tmp"))
            .runs("join", "join"),
        of("no programs in /tmp and /home of c2")
            .broken(SECOND, noExec + noExecHome, unmount("/tmp") + unmount("/home"))
            .joinsByShell("on c2: "),
        of("hpcrun-enter is not what it was")
            .broken(
                SECOND,
                "for f in " + program + "; do printf x | dd of=$f conv=notrunc status=none; done",
                "rm -f " + program)
            .joinsByShell(" was changed"));
  }

  private static List<FallbackCase> namespacesAndMemory() {
    String limit = "/proc/sys/user/max_user_namespaces";
    String none = "user namespaces are limited to 0; ask the administrators to raise " + limit;
    String readOnly = "mount -o remount,ro /dev/shm";
    String writable = "mount -o remount,rw /dev/shm";
    return List.of(
        of("no user namespaces on c2")
            .broken(SECOND, cover(limit, "0"), unmount(limit))
            .refusedOn("c2", none),
        of("no user namespaces on both")
            .broken(BOTH, cover(limit, "0"), unmount(limit))
            .refusedOn("c[1-2]", none),
        of("/dev/shm read-only on c2", "--mpi=pmix")
            .broken(SECOND, readOnly, writable)
            .refusedOn(
                "c2",
                "/dev/shm cannot be written, and MPI needs it; ask the administrators to mount"
                    + " it"),
        of("/dev/shm read-only on c2, no MPI")
            .broken(SECOND, readOnly, writable)
            .runs("join", "join"),
        of("InfiniBand on c2, 64 KiB of locked memory")
            .broken(
                SECOND,
                "mkdir -p /dev/infiniband && mknod /dev/infiniband/uverbs0 c 231 192",
                "rm -rf /dev/infiniband")
            .runs(
                "join",
                "join",
                "on c2 locked memory is limited to 64 KiB, which InfiniBand and RoCE seldom"
                    + " stand; ask the administrators for 'ulimit -l unlimited' in slurmd"));
  }

  private static List<FallbackCase> runtimes() {
    String none =
        "neither apptainer nor singularity is on the PATH; ask the administrators to install"
            + " Apptainer";
    String tooOld = " is too old; hpcrun needs Apptainer 1.1 or SingularityCE 3.10";
    return List.of(
        of("no apptainer on c2").without(SECOND, APPTAINER).refusedOn("c2", none),
        of("no apptainer on both").without(BOTH, APPTAINER).refusedOn("c[1-2]", none),
        of("Apptainer 1.0.3 on c2")
            .withVersion("apptainer version 1.0.3")
            .refusedOn("c2", "apptainer version 1.0.3" + tooOld),
        of("Apptainer 1.0.3 on c2, exec asked", "--mode=exec")
            .withVersion("apptainer version 1.0.3")
            .refusedOn("c2", "apptainer version 1.0.3" + tooOld),
        of("SingularityCE 3.9.2 on c2")
            .withVersion("singularity-ce version 3.9.2")
            .refusedOn("c2", "singularity-ce version 3.9.2" + tooOld),
        of("SingularityCE 3.10.0 on c2")
            .withVersion("singularity-ce version 3.10.0")
            .runs("join", "join"),
        of("only the name singularity").asSingularity().runs("join", "join"),
        of("only the name singularity, exec asked", "--mode=exec")
            .asSingularity()
            .runs(EXEC_ASKED, EXEC_ASKED),
        of("a path to bind is not on the nodes", "--bind", "/nonexistent:/mnt")
            .refused(
                3,
                "on c[1-2] skipping mount of /nonexistent: ",
                REFUSED
                    + "c[1-2] no container can be made: container creation failed: mount hook"
                    + " function failure: mount /nonexistent->/mnt error: while mounting"
                    + " /nonexistent: mount source /nonexistent doesn't exist"),
        of("the runtime says nothing on c2")
            .withApptainerThat("[[ $1 == --version ]] || exit 7")
            .refusedOn(
                "c2",
                "no container can be made: the container runtime ended with code 7 and said"
                    + " nothing"));
  }

  private static List<FallbackCase> images() {
    String image = REFUSED + "c2 the image " + LOCAL;
    return List.of(
        of("image on each node").withLocalImage("touch").runs("join", "join"),
        of("image not on c2")
            .withLocalImage("rm")
            .refused(5, image + " is not there; put it on a file system that the nodes share"),
        of("image not readable on c2")
            .withLocalImage("chmod 000")
            .refused(5, image + " may not be read by uid 1001; change its permissions"));
  }

  private static List<FallbackCase> fuse() {
    String squashfuse = "/usr/bin/squashfuse";
    String device = "/dev/fuse";
    String noDevice =
        REFUSED + "c2 no container can be made: container creation failed: image driver";
    String unpacked = "on c2 the image is unpacked, not mounted: no squashfuse or no /dev/fuse";
    return List.of(
        of("no squashfuse on c2")
            .broken(
                SECOND,
                hide(squashfuse) + hide(squashfuse + "_ll"),
                giveBack(squashfuse) + giveBack(squashfuse + "_ll"))
            .runs("join", "join", unpacked),
        of("no /dev/fuse on c2").without(SECOND, device).refused(3, noDevice),
        of("/dev/fuse closed on c2")
            .broken(SECOND, "chmod 000 " + device, "chmod 666 " + device)
            .refused(3, noDevice));
  }
}
