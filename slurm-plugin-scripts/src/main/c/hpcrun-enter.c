/*
 * A rank enters the container of its node and becomes the application.
 *
 *   hpcrun-enter =NODE_DIRECTORY =LAUNCH =COMMAND [=ARGUMENT...]
 *
 * It does what hpcrun_enter in container.bash does for a node whose container is joined, in one
 * static program instead of four programs one after the other: with many ranks on a node that is most of
 * what a launch costs. Where it cannot be executed, the shell does it.
 *
 * Each word has an = before it, because srun would take a word that is just a colon for the next
 * part of a heterogeneous job. NODE_DIRECTORY/enter says what to do, as words that end in NUL: "join",
 * the image, then
 *   user=FILE mount=FILE   the namespaces to join
 *   root=DIRECTORY         the root, wd=DIRECTORY the working directory, both opened before joining
 *   chdir=DIRECTORY        the working directory, gone to after joining
 *   set=NAME=VALUE take=NAME   what changes in the environment, which Slurm made
 *   tool=WORD              for the shell only
 *   gpus=WHO near=GPU PORT gid=INDEX hca=PORTS net=PORTS   GPUs and network ports, see binding.bash
 * Variables of the user's come as HPCRUN_ENV_NAME. LAUNCH is the launch's number in the job; with a -
 * instead, no line is written to NODE_DIRECTORY/ranks.
 *
 * It has no privilege, asks for none and gives up the way to any (no_new_privs), as the container
 * runtime does. Exit codes: 127 if there is no such command, 126 if it cannot be run, 1 if the
 * container cannot be entered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *variable(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value != NULL ? value : otherwise;
}

/* Says what failed and why, in one write, and ends. */
static _Noreturn void fail(int code, const char *what, const char *which) {
  const char *why = strerror(errno);
  char host[256] = "?", line[4096];
  gethostname(host, sizeof host - 1);
  int length = snprintf(line, sizeof line, "hpcrun: rank %s on %s %s%.3000s: %s\n", variable("SLURM_PROCID", "?"),
                        variable("SLURMD_NODENAME", host), what, which, why);
  if (write(STDERR_FILENO, line, length < (int)sizeof line ? length : (int)sizeof line - 1) < 0) {
    exit(code); /* nobody can be told */
  }
  exit(code);
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* What stands after the key, if the word begins with it. */
static const char *after(const char *word, const char *key) {
  size_t length = strlen(key);
  return strncmp(word, key, length) == 0 ? word + length : NULL;
}

static int open_path(const char *path, int flags) {
  int descriptor = open(path, flags | O_CLOEXEC);
  if (descriptor < 0) {
    fail(1, "cannot enter, its container is gone: ", path);
  }
  return descriptor;
}

/* The whole file, with a NUL behind it; NULL if it cannot be read. */
static char *read_file(const char *path, size_t *size) {
  struct stat status;
  char *text = NULL;
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0 && fstat(descriptor, &status) == 0 && (text = malloc(status.st_size + 1)) != NULL) {
    ssize_t got;
    *size = 0;
    while (*size < (size_t)status.st_size &&
           (got = read(descriptor, text + *size, status.st_size - *size)) > 0) {
      *size += got;
    }
    text[*size] = '\0';
  }
  if (descriptor >= 0) {
    close(descriptor);
  }
  return text;
}

/* These the runtime combines with what it sets itself, and the holder has the result. */
static int is_combined(const char *name) {
  size_t length = strcspn(name, "=");
  static const char *const ends[] = {"PEND_PATH", "PEND_LD_LIBRARY_PATH"};
  if ((length == 4 && strncmp(name, "PATH", 4) == 0) ||
      (length == 15 && strncmp(name, "LD_LIBRARY_PATH", 15) == 0)) {
    return 1;
  }
  for (int i = 0; i < 2; i++) {
    size_t end = strlen(ends[i]);
    if (length >= end && strncmp(name + length - end, ends[i], end) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Sets the user's own variables under their names, and takes hpcrun's away. */
static void pass_environment(void) {
  char **kept = environ;
  size_t count = 0;
  char **own;
  for (char **entry = environ; *entry != NULL; entry++) {
    count++;
  }
  own = calloc(count + 1, sizeof *own);
  count = 0;
  if (own == NULL) {
    fail(1, "cannot enter", "");
  }
  for (char **entry = environ; *entry != NULL; entry++) {
    const char *name = after(*entry, "HPCRUN_ENV_");
    if (name != NULL) {
      if (!is_combined(name)) {
        own[count++] = (char *)name;
      }
    } else if (after(*entry, "HPCRUN_ALONE_") == NULL) {
      *kept++ = *entry;
    }
  }
  *kept = NULL;
  for (char **entry = own; *entry != NULL; entry++) {
    putenv(*entry);
  }
  free(own);
}

/* The tasks on a node of a step, from COUNTS such as 2(x3),1. */
static long count_local(const char *counts, long node) {
  while (*counts != '\0') {
    char *end;
    long count = strtol(counts, &end, 10), times = 1;
    if (strncmp(end, "(x", 2) == 0) {
      times = strtol(end + 2, &end, 10);
    }
    if (node < times) {
      return count > 0 ? count : 1;
    }
    node -= times;
    counts = strchr(end, ',');
    if (counts++ == NULL) {
      break;
    }
  }
  return 1;
}

/* The item of a list with commas. */
static const char *item(const char *list, long number) {
  while (number-- > 0) {
    list = strchr(list, ',') + 1;
  }
  return list;
}

/* Cuts a list with commas to a rank's part of it: as equal as can be and in order; ranks share where there are fewer. */
static char *share(const char *list, long rank, long ranks) {
  long items = 1;
  for (const char *comma = list; (comma = strchr(comma, ',')) != NULL; comma++) {
    items++;
  }
  long first = rank * items / ranks, last = (rank + 1) * items / ranks - 1;
  if (last < first) {
    last = first;
  }
  const char *from = item(list, first), *to = item(list, last);
  return strndup(from, to - from + strcspn(to, ","));
}

/* Whether an item is in a list with commas. */
static int has(const char *list, const char *item, size_t length) {
  while (*list != '\0') {
    size_t own = strcspn(list, ",");
    if (own == length && strncmp(list, item, length) == 0) {
      return 1;
    }
    list += own + (list[own] == ',');
  }
  return 0;
}

/* As hpcrun_bind_devices of binding.bash does: this rank's GPUs and their ports, from what stands in the words. */
static void bind_devices(const char *words, size_t size) {
  static const char *const lists[] = {"ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES", "ZE_AFFINITY_MASK",
                                      "GPU_DEVICE_ORDINAL"};
  const char *bind = NULL, *gid = NULL, *hca = NULL, *net = NULL, *value, *gpus = variable("SLURM_STEP_GPUS", "");
  char *own, *ports;
  long ranks = count_local(variable("SLURM_STEP_TASKS_PER_NODE", variable("SLURM_TASKS_PER_NODE", "1")),
                           atol(variable("SLURM_NODEID", "0")));
  long rank = atol(variable("SLURM_LOCALID", "0"));
  size_t count = sizeof lists / sizeof *lists;
  int slurm = strcmp(variable("HPCRUN_GPUS", ""), "slurm") == 0;
  unsetenv("HPCRUN_GPUS");
  for (const char *word = words; word < words + size; word += strlen(word) + 1) {
    if ((value = after(word, "gpus="))) {
      bind = value;
    } else if ((value = after(word, "gid="))) {
      gid = value;
    } else if ((value = after(word, "hca="))) {
      hca = value;
    } else if ((value = after(word, "net="))) {
      net = value;
    }
  }
  if (bind == NULL) {
    return;
  }
  if (rank < 0 || rank >= ranks) {
    rank = 0; /* a command may have set something else */
  }
  if (after(bind, "hpcrun") != NULL && !slurm) {
    /* ROCr shows what is left, from 0 on, to HIP and OpenCL, which choose once more by their own variables. */
    if (strcmp(bind, "hpcrun-amd") == 0 && *variable(lists[0], "") != '\0') {
      count = 1;
    }
    for (size_t i = 0; i < count; i++) {
      value = getenv(lists[i]);
      if (value != NULL && strchr(value, ',') != NULL && (own = share(value, rank, ranks)) != NULL) {
        setenv(lists[i], own, 1);
        free(own);
        if (count == 1) {
          unsetenv("CUDA_VISIBLE_DEVICES");
          unsetenv("HIP_VISIBLE_DEVICES");
          unsetenv("GPU_DEVICE_ORDINAL");
        }
      }
    }
    if (strchr(gpus, ',') != NULL && (own = share(gpus, rank, ranks)) != NULL) {
      gpus = own;
    }
  }
  if (*variable("CUDA_VISIBLE_DEVICES", "") != '\0') {
    setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID", 0); /* Slurm's numbers are in this order (gres.conf) */
  }
  if (getenv("UCX_NET_DEVICES") != NULL) {
    gid = NULL;
  } else if ((ports = calloc(1, size + 1)) != NULL) {
    for (const char *word = words; word < words + size; word += strlen(word) + 1) {
      if ((value = after(word, "near=")) && strchr(value, ' ') != NULL) {
        const char *port = strchr(value, ' ') + 1;
        if (has(gpus, value, port - 1 - value) && !has(ports, port, strlen(port))) {
          if (*ports != '\0') {
            strcat(ports, ",");
          }
          strcat(ports, port);
        }
      }
    }
    if (*ports != '\0' || net != NULL) {
      setenv("UCX_NET_DEVICES", *ports != '\0' ? ports : net, 0);
    }
    free(ports);
  }
  if (gid != NULL) { /* the same for all ports of the fabric */
    setenv("UCX_IB_GID_INDEX", gid, 0);
    if (getenv("NCCL_IB_HCA") == NULL) {
      setenv("NCCL_IB_GID_INDEX", gid, 0);
    }
  }
  if (hca != NULL) {
    setenv("NCCL_IB_HCA", hca, 0);
  }
}

/* Becomes the program at a path; a script without a #! line is for the shell, as with execvp. */
static void become_program(const char *path, char **command) {
  execv(path, command);
  if (errno == ENOEXEC) {
    size_t count = 1;
    while (command[count] != NULL) {
      count++;
    }
    char **words = calloc(count + 2, sizeof *words);
    if (words != NULL) {
      words[0] = "/bin/sh";
      words[1] = (char *)path;
      memcpy(words + 2, command + 1, count * sizeof *words);
      execv(words[0], words);
      free(words);
    }
    errno = ENOEXEC;
  }
}

/* Becomes the command, searched along the container's PATH. Not execvp: musl's knows no shell. */
static _Noreturn void become(char **command) {
  const char *search = variable("PATH", "/usr/local/bin:/usr/bin:/bin");
  char path[4096];
  int denied = 0;
  if (strchr(command[0], '/') != NULL) {
    become_program(command[0], command);
    fail(errno == ENOENT ? 127 : 126, "cannot run ", command[0]);
  }
  errno = ENOENT;
  for (size_t length; command[0][0] != '\0'; search += length + 1) {
    length = strcspn(search, ":");
    int written = snprintf(path, sizeof path, "%.*s%s%s", (int)length, search, length > 0 ? "/" : "", command[0]);
    if (written < (int)sizeof path) {
      become_program(path, command);
      denied = denied || errno == EACCES;
      if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) {
        fail(126, "cannot run ", path);
      }
    }
    if (search[length] == '\0') {
      break;
    }
  }
  errno = denied ? EACCES : ENOENT;
  fail(denied ? 126 : 127, "cannot run ", command[0]);
}

int main(int argc, char **argv) {
  long long began = now();
  int user = -1, mount = -1, root = -1, wd = -1, ranks = -1;
  const char *chdir_to = NULL, *value;
  char path[4096];
  size_t size = 0;
  if (argc < 4) {
    dprintf(STDERR_FILENO, "usage: hpcrun-enter =NODE_DIRECTORY =LAUNCH =COMMAND [=ARGUMENT...]\n");
    return 2;
  }
  for (int i = 1; i < argc; i++) {
    argv[i] += argv[i][0] == '=';
  }
  const char *launch = argv[2];
  /* A command may set its own. */
  const char *step = variable("SLURM_STEP_ID", "0"), *rank = variable("SLURM_PROCID", "0"),
             *local = variable("SLURM_LOCALID", "0");

  snprintf(path, sizeof path, "%s/enter", argv[1]);
  char *words = read_file(path, &size);
  if (words == NULL || strcmp(words, "join") != 0) {
    fail(1, "cannot enter, the agent of this node and its container are gone: ", path);
  }
  if (strcmp(launch, "-") != 0) {
    snprintf(path, sizeof path, "%s/ranks", argv[1]);
    ranks = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  }
  for (char *word = words; word < words + size; word += strlen(word) + 1) {
    if ((value = after(word, "set="))) {
      putenv((char *)value);
    } else if ((value = after(word, "take="))) {
      unsetenv(value);
    } else if ((value = after(word, "user="))) {
      user = open_path(value, O_RDONLY);
    } else if ((value = after(word, "mount="))) {
      mount = open_path(value, O_RDONLY);
    } else if ((value = after(word, "root="))) {
      root = open_path(value, O_PATH | O_DIRECTORY);
    } else if ((value = after(word, "wd="))) {
      wd = open_path(value, O_PATH | O_DIRECTORY);
    } else if ((value = after(word, "chdir="))) {
      chdir_to = value;
    }
  }
  pass_environment();
  bind_devices(words, size);

  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      (user >= 0 && setns(user, CLONE_NEWUSER) != 0) || setns(mount, CLONE_NEWNS) != 0 ||
      (root >= 0 && (fchdir(root) != 0 || chroot(".") != 0))) {
    fail(1, "cannot join the container", "");
  }
  if ((wd >= 0 && fchdir(wd) != 0) || (chdir_to != NULL && chdir(chdir_to) != 0)) {
    fail(1, "cannot go to the working directory ", chdir_to != NULL ? chdir_to : "");
  }
  /* In one write, so that lines of several ranks do not mix; what cannot be recorded is left out. */
  if (ranks >= 0) {
    int length = snprintf(path, sizeof path, "%s %s %s %s %d %lld %lld\n", launch, step, rank, local,
                          (int)getpid(), began, now());
    if (write(ranks, path, length) != length) {
      ranks = -1;
    }
  }
  become(argv + 3);
}
