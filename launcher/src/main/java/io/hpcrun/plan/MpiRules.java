package io.hpcrun.plan;

import io.hpcrun.image.ImageProfile.Family;
import io.hpcrun.plan.MpiRule.Refuse;
import io.hpcrun.plan.MpiRule.Setting;
import io.hpcrun.plan.MpiRule.Trait;
import io.hpcrun.plan.MpiRule.Warn;
import io.hpcrun.plan.MpiRule.When;
import io.hpcrun.plan.MpiRule.Wire;
import java.util.List;

/** The table: which MPI goes with which plug-in of Slurm, what it needs, and what fails. */
final class MpiRules {
  private static final String PMIX = "pmix";
  private static final String PMI2 = "pmi2";
  private static final String CRAY = "cray_shasta";
  private static final String NONE = "none";
  private static final String ALL_RANKS_ZERO = "every rank would be rank 0 of 1";
  private static final String SINGLETONS = "open-mpi/ompi#13523; apptainer/singularity#5131";
  private static final String MPI_GUIDE = "Slurm, doc/html/mpi_guide.shtml";
  private static final String OPEN_MPI_GUIDE = "Open MPI, docs/launching-apps/slurm.rst";
  private static final String MPIRUN_GUIDE =
      "Open MPI, docs/launching-apps; MPICH, doc/wiki/how_to/Using_the_Hydra_Process_Manager.md";
  private static final String MPIRUN_THREADS = "sylabs/singularity#1695; open-mpi/ompi#8554";
  private static final String OWN_MPI = "use the image's own MPI: --mpi-model=container";
  private static final String MPIRUN_REASON =
      "mpirun starts its ranks itself, in this container, without Slurm";

  /** The rows, in the order in which they are applied. */
  static final List<MpiRule> ROWS =
      List.of(
          // ---- which plug-in wires which MPI
          new MpiRule(
              "mpirun",
              When.that(Trait.LAUNCHER),
              new Wire(List.of(NONE)),
              "{command} wires its ranks itself",
              MPIRUN_GUIDE),
          new MpiRule(
              "open-mpi-5",
              When.mpi(VersionRange.from("5.0"), Family.OPEN_MPI),
              new Wire(List.of(PMIX)),
              "{mpi} speaks PMIx and nothing else",
              OPEN_MPI_GUIDE),
          new MpiRule(
              "open-mpi-3",
              When.mpi(new VersionRange("3.0", "5.0"), Family.OPEN_MPI),
              new Wire(List.of(PMIX, PMI2)),
              "{mpi} is built for {speaks}",
              OPEN_MPI_GUIDE),
          new MpiRule(
              "open-mpi-1",
              When.mpi(VersionRange.below("3.0"), Family.OPEN_MPI),
              new Wire(List.of(PMI2)),
              "the PMIx 1 in {mpi} is older than any server that Slurm's pmix starts",
              "PMIx, docs/versions.rst; " + OPEN_MPI_GUIDE),
          new MpiRule(
              "mpich",
              When.mpi(VersionRange.ANY, Family.MPICH, Family.MVAPICH),
              new Wire(List.of(PMI2, PMIX)),
              "{mpi} is built for {speaks}",
              MPI_GUIDE),
          new MpiRule(
              "intel-mpi",
              When.mpi(VersionRange.ANY, Family.INTEL_MPI),
              new Wire(List.of(PMI2)),
              "{mpi} speaks PMI-1 and PMI-2",
              MPI_GUIDE),
          new MpiRule(
              "cray-mpich",
              When.mpi(VersionRange.ANY, Family.CRAY_MPICH),
              new Wire(List.of(CRAY, PMI2)),
              "{mpi} is wired by PALS, which Slurm's cray_shasta stands for",
              "Slurm, src/plugins/mpi/cray_shasta"),
          // ---- the host's MPI in the image's place
          new MpiRule(
              "host-abi",
              When.that(Trait.HOST_OTHER_ABI),
              new Refuse(OWN_MPI + ", or name a library of its ABI with --host-mpi"),
              "programs that are linked to the image's {image-mpi} cannot use {host}, which is"
                  + " {mpi}: it has another ABI",
              "MPICH ABI Compatibility Initiative; Open MPI, docs/version-numbering.rst; Sarus,"
                  + " doc/user/abi_compatibility.rst"),
          new MpiRule(
              "host-incomplete",
              When.that(Trait.HOST_INCOMPLETE),
              new Refuse("load the module that the host's MPI belongs to, or name another one"),
              "{host-missing}, which is not found on this machine",
              "ld.so(8)"),
          new MpiRule(
              "host-older",
              When.that(Trait.HOST_OLDER),
              new Refuse(OWN_MPI + ", or name a newer library with --host-mpi"),
              "the host's MPI may lack functions that the image's programs use: it is {host-older}",
              "Sarus, doc/config/mpi-hook.rst"),
          new MpiRule(
              "host-functions",
              When.that(Trait.HOST_LACKS_FUNCTIONS),
              new Refuse(OWN_MPI + ", or name a newer library with --host-mpi"),
              "{command} uses {host-functions}, which {host} ({mpi}) does not have",
              "ld.so(8)"),
          new MpiRule(
              "host-mpirun",
              When.that(Trait.HOST, Trait.LAUNCHER),
              new Refuse("leave out {command}: hpcrun starts the ranks; or " + OWN_MPI),
              "{command} is of the image's MPI, and would start ranks with {host}",
              MPIRUN_GUIDE),
          new MpiRule(
              "host-plugins",
              When.that(Trait.HOST_LOST_PLUGIN),
              new Warn("install what is missing on this machine, or submit where it is"),
              "the network may be slower than it could be: left out is {host-lost}",
              "ldd(1)"),
          new MpiRule(
              "host-libc",
              When.that(Trait.HOST_TOO_NEW),
              new Refuse(OWN_MPI + ", or an image of a newer distribution"),
              "{host-too-new}",
              "ld.so(8); Linux Standard Base, symbol versioning"),
          new MpiRule(
              "host-bindings",
              When.that(Trait.HOST_LACKS_BINDINGS),
              new Warn(OWN_MPI + " if the program is written in Fortran or C++"),
              "the host's {mpi} has no counterpart of {host-lacking}, which uses the inside of its"
                  + " own libmpi",
              "Sarus, doc/config/mpi-hook.rst"),
          // ---- what is known to fail
          new MpiRule(
              "deaf",
              When.that(Trait.DEAF, Trait.LINKED, Trait.MANY).withPlugin(PMIX, PMI2, CRAY),
              new Refuse("{instead}"),
              "{command} is linked to {mpi}, which speaks {speaks}; with --mpi={plugin} "
                  + ALL_RANKS_ZERO,
              SINGLETONS),
          new MpiRule(
              "deaf-perhaps",
              When.that(Trait.DEAF, Trait.PERHAPS, Trait.MANY).withPlugin(PMIX, PMI2, CRAY),
              new Warn("{instead}"),
              "the image's {mpi} speaks {speaks}; if {command} uses it, with --mpi={plugin} "
                  + ALL_RANKS_ZERO,
              SINGLETONS),
          new MpiRule(
              "not-wired",
              When.that(Trait.LINKED, Trait.MANY).withPlugin(NONE),
              new Refuse("leave out --mpi=none; if each rank is meant to be alone: --singletons"),
              "{command} is linked to {mpi}; with --mpi=none " + ALL_RANKS_ZERO,
              MPI_GUIDE),
          new MpiRule(
              "not-wired-perhaps",
              When.that(Trait.PERHAPS, Trait.MANY).withPlugin(NONE),
              new Warn("leave out --mpi=none; if each rank is meant to be alone: --singletons"),
              "if {command} uses the image's {mpi}, with --mpi=none " + ALL_RANKS_ZERO,
              MPI_GUIDE),
          new MpiRule(
              "many-mpiruns",
              When.that(Trait.LAUNCHER, Trait.MANY),
              new Refuse(
                  "leave out {command}: hpcrun starts the ranks; or give it one task and its CPUs:"
                      + " -n 1 -c CPUS"),
              "each rank would be one {command}, and start all ranks once more",
              MPIRUN_GUIDE),
          new MpiRule(
              "several-mpis",
              When.that(Trait.MIXED, Trait.MANY),
              new Warn("choose with --mpi, or use an image with one MPI"),
              "the image holds {mpi}, and {command} does not tell which one it uses; with"
                  + " --mpi={plugin} not all of them work",
              MPI_GUIDE),
          new MpiRule(
              "unknown-mpi",
              When.mpi(VersionRange.ANY, Family.UNKNOWN).and(Trait.MANY),
              new Warn("choose with --mpi what its documentation names"),
              "hpcrun does not know the MPI at {mpi}; --mpi={plugin} may be wrong",
              "built-in"),
          new MpiRule(
              "missing-library",
              When.that(Trait.MISSING_LIBRARY),
              new Warn("use the image that {command} was built in, or show them with --bind"),
              "{command} needs {missing}, which is not in the container",
              "ld.so(8)"),
          new MpiRule(
              "pmix-5.0.8-hangs",
              When.plugin(PMIX)
                  .withPmix(new VersionRange("5.0.8", "5.0.10"))
                  .withSlurm(VersionRange.below("25.11.2")),
              new Warn("use an image with another PMIx if the launch hangs in MPI_Init"),
              "clients with PMIx 5.0.8 and 5.0.9 were seen to hang when they connect to Slurm before"
                  + " 25.11.2",
              "Slurm, CHANGELOG/slurm-25.11.md"),
          new MpiRule(
              "slurm-20.11-pmix",
              When.mpi(VersionRange.ANY, Family.OPEN_MPI)
                  .withPlugin(PMIX)
                  .withSlurm(new VersionRange("20.11.0", "20.11.3")),
              new Warn("ask the administrators for Slurm 20.11.3 or newer"),
              "PMIx of Slurm 20.11.0 to 20.11.2 does not work with Open MPI",
              "open-mpi/ompi#8354; open-mpi/ompi#8378"),
          new MpiRule(
              "mpich-ucx-finalize",
              When.mpi(new VersionRange("4.0", "4.2"), Family.MPICH).and(Trait.MANY, Trait.HAS_UCX),
              new Warn("use an image with MPICH 4.2 or newer if it happens"),
              "{mpi} with UCX hangs in MPI_Finalize at times, with and without a container",
              "pmodels/mpich#6596"),
          // ---- what it needs
          new MpiRule(
              "psec-native",
              When.plugin(PMIX).and(Trait.LACKS_MUNGE),
              new Setting("PMIX_MCA_psec", "native"),
              "the image's PMIx cannot use munge, which Slurm's server may ask for",
              MPI_GUIDE + "; open-mpi/ompi#12571; NVIDIA/pyxis#139"),
          new MpiRule(
              "gds-own-tmp",
              When.plugin(PMIX).and(Trait.OWN_TMP),
              new Setting("PMIX_MCA_gds", "hash"),
              "the container does not see the files through which PMIx shares its data",
              "open-mpi/ompi#12146; apptainer/singularity#5195"),
          new MpiRule(
              "gds-private-tmp",
              When.plugin(PMIX).and(Trait.PRIVATE_TMP),
              new Setting("PMIX_MCA_gds", "hash"),
              "the PMIx server's files are in the node's /tmp, and the job has another one",
              "Slurm, src/slurmd/slurmstepd/mgr.c"),
          new MpiRule(
              "intel-pmi2",
              When.mpi(VersionRange.ANY, Family.INTEL_MPI).withPlugin(PMI2).and(Trait.HAS_PMI2),
              new Setting("I_MPI_PMI_LIBRARY", "{pmi2}"),
              "Intel MPI loads the library of this name to talk to Slurm",
              MPI_GUIDE),
          new MpiRule(
              "intel-no-pmi2",
              When.mpi(VersionRange.ANY, Family.INTEL_MPI)
                  .withPlugin(PMI2)
                  .and(Trait.LACKS_PMI2, Trait.MANY),
              new Warn(
                  "install Slurm's libpmi2 in the image, or bind the host's and set"
                      + " I_MPI_PMI_LIBRARY with --env"),
              "{mpi} needs libpmi2 to talk to Slurm, and the image has none",
              MPI_GUIDE),
          ofMpirun("mpirun-hydra", "HYDRA_BOOTSTRAP", "fork", MPIRUN_GUIDE),
          ofMpirun("mpirun-intel", "I_MPI_HYDRA_BOOTSTRAP", "fork", MPIRUN_GUIDE),
          ofMpirun("mpirun-plm", "OMPI_MCA_plm", "isolated", MPIRUN_THREADS),
          ofMpirun("mpirun-ras", "OMPI_MCA_ras", "^slurm", MPIRUN_THREADS),
          ofMpirun("mpirun-prte-plm", "PRTE_MCA_plm", "^slurm", MPIRUN_THREADS),
          ofMpirun("mpirun-prte-ras", "PRTE_MCA_ras", "^slurm", MPIRUN_THREADS),
          new MpiRule(
              "ucx-proc-link",
              When.that(Trait.ALONE).withUcx(VersionRange.from("1.0")),
              new Setting("UCX_POSIX_USE_PROC_LINK", "n"),
              "ranks that do not share a container cannot open each other's /proc files",
              "openucx/ucx#4224; openucx/ucx#4511; openucx/ucx#9213 (from 1.16 on it goes on, after an"
                  + " error for each attempt)"),
          ofVader("vader-cma-3.0", "1.8", "3.0.5"),
          ofVader("vader-cma-3.1", "3.1.0", "3.1.5"),
          ofVader("vader-cma-4.0", "4.0.0", "4.0.2"),
          new MpiRule(
              "mpich-cma",
              When.mpi(VersionRange.from("4.3"), Family.MPICH).and(Trait.ALONE),
              new Setting("MPIR_CVAR_CH4_CMA_ENABLE", "0"),
              "ranks in containers of their own cannot read each other's memory",
              "pmodels/mpich#7639"),
          new MpiRule(
              "mpich-own-shm",
              When.mpi(VersionRange.ANY, Family.MPICH).and(Trait.ALONE, Trait.OWN_SHM),
              new Setting("MPIR_CVAR_NOLOCAL", "1"),
              "ranks with a /dev/shm each cannot share memory, and {mpi} ends where it tries",
              "MPICH, README.envvar; seen with 4.2.1: MPIDU_Init_shm_init"));

  private MpiRules() {}

  /** What keeps mpirun from looking for Slurm. */
  private static MpiRule ofMpirun(String id, String name, String value, String source) {
    return new MpiRule(
        id, When.that(Trait.MAY_LAUNCH), new Setting(name, value), MPIRUN_REASON, source);
  }

  /** Open MPI's shared memory, in the releases of a series that do not see user namespaces. */
  private static MpiRule ofVader(String id, String from, String below) {
    return new MpiRule(
        id,
        When.mpi(new VersionRange(from, below), Family.OPEN_MPI).and(Trait.ALONE),
        new Setting("OMPI_MCA_btl_vader_single_copy_mechanism", NONE),
        "{mpi} does not see that ranks in containers of their own cannot read each other's memory",
        "open-mpi/ompi#6844");
  }
}
