package io.hpcrun.manifest;

import java.util.List;
import java.util.Set;

/**
 * Which variables' values a manifest keeps: those that are known to say how a launch runs, and that
 * a replay sets again. Of all others only a keyed digest is kept, which tells that one changed; of
 * those of the session nothing.
 */
final class KnownVariables {
  /** Names, and beginnings of names that end in {@code *}. */
  private static final List<String> KEPT =
      List.of(
          // where programs and libraries are found, language, time
          "PATH",
          "LD_LIBRARY_PATH",
          "LD_PRELOAD",
          "LD_AUDIT",
          "TMPDIR",
          "HOME",
          "LANG",
          "LANGUAGE",
          "LC_*",
          "TZ",
          "XDG_STATE_HOME",
          "XDG_CACHE_HOME",
          // environment modules, Conda, Python
          "MODULEPATH",
          "LOADEDMODULES",
          "_LMFILES_",
          "CONDA_PREFIX",
          "CONDA_DEFAULT_ENV",
          "VIRTUAL_ENV",
          "PYTHON*",
          // Slurm, the runtime, hpcrun
          "SBATCH_*",
          "SLURM_*",
          "SRUN_*",
          "APPTAINER*",
          "SINGULARITY*",
          "HPCRUN_*",
          // threads
          "OMP_*",
          "GOMP_*",
          "KMP_*",
          "MKL_*",
          "OPENBLAS_*",
          "BLIS_*",
          "MALLOC_*",
          // MPI
          "PMI_*",
          "PMIX_*",
          "OMPI_*",
          "OPAL_*",
          "PRTE_*",
          "MPICH_*",
          "MPIR_*",
          "HYDRA_*",
          "I_MPI_*",
          "MV2_*",
          "MVP_*",
          // networks
          "UCX_*",
          "UCC_*",
          "FI_*",
          "NCCL_*",
          "RCCL_*",
          "GLOO_*",
          "IBV_*",
          "RDMAV_*",
          "MLX5_*",
          "PSM2_*",
          "PSM3_*",
          "HFI_*",
          "SLINGSHOT_*",
          // GPUs and what runs on them
          "CUDA_*",
          "NVIDIA_*",
          "ROCR_*",
          "HIP_*",
          "HSA_*",
          "AMD_*",
          "GPU_*",
          "ZE_*",
          "ONEAPI_*",
          "SYCL_*",
          "TORCH_*",
          "PYTORCH_*",
          "TF_*",
          "XLA_*",
          "JAX_*");

  /** Say nothing of the job, and differ from login to login. */
  private static final List<String> OF_SESSION =
      List.of(
          "_",
          "PWD", // the working directory is kept by itself
          "OLDPWD",
          "SHLVL",
          "COLUMNS",
          "LINES",
          "TERM*",
          "COLORTERM",
          "LS_COLORS",
          "PS1",
          "PS2",
          "PS4",
          "PROMPT*",
          "HIST*",
          "LESS*",
          "PAGER",
          "EDITOR",
          "VISUAL",
          "MAIL",
          "HOST",
          "HOSTNAME", // kept by itself
          "SSH_*",
          "GPG_*",
          "DISPLAY",
          "WAYLAND_DISPLAY",
          "XAUTHORITY",
          "DBUS_*",
          "XDG_SESSION*",
          "XDG_SEAT*",
          "XDG_VTNR",
          "XDG_RUNTIME_DIR",
          "XDG_GREETER*",
          "SESSION_MANAGER",
          "DESKTOP_SESSION",
          "GNOME_*",
          "KDE_*",
          "INVOCATION_ID",
          "JOURNAL_STREAM",
          "SYSTEMD_EXEC_PID",
          "MANAGERPID",
          "NOTIFY_SOCKET",
          "TMUX*",
          "STY",
          "WINDOW",
          "WINDOWID",
          "VTE_*",
          "VSCODE_*",
          "KITTY_*",
          "ALACRITTY_*",
          "ITERM_*",
          "BASH_FUNC_*",
          "KRB5CCNAME");

  /** Of hpcrun's own those that say nothing of a launch. */
  private static final Set<String> OF_COMMAND =
      Set.of(
          "HPCRUN_DAEMON",
          "HPCRUN_DAEMON_WAIT",
          "HPCRUN_DEBUG",
          "HPCRUN_SCRIPT",
          "HPCRUN_SITE",
          "HPCRUN_INSECURE_REGISTRIES");

  private KnownVariables() {}

  /** Whether its value is kept, unless that is a secret. */
  static boolean isKept(String name) {
    return fits(name, KEPT) && isRecorded(name);
  }

  /** Whether anything is kept of it. */
  static boolean isRecorded(String name) {
    return !OF_COMMAND.contains(name)
        && !name.startsWith("HPCRUN_OUTER_")
        && !fits(name, OF_SESSION);
  }

  private static boolean fits(String name, List<String> patterns) {
    for (String pattern : patterns) {
      int length = pattern.length() - 1;
      if (pattern.charAt(length) == '*'
          ? name.regionMatches(0, pattern, 0, length)
          : name.equals(pattern)) {
        return true;
      }
    }
    return false;
  }
}
