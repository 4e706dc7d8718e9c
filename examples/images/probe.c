/*
 * Shows what a process sees of its surroundings: one line for each thing, KEY, tab, value, on stdout.
 * Bytes that are not printable ASCII, and backslashes, are written as \xHH. Numbers that are new each
 * time (process ids, device and mount ids) are left out or replaced by what they stand for, so that
 * the outputs of two runs can be compared line by line.
 *   probe [ARG...]
 * It needs no library, no shell and no other file.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern char **environ;

static void escaped(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = text[i];
        if (c < 0x20 || c >= 0x7f || c == '\\')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void line(const char *kind, const char *key, const char *value)
{
    printf("%s", kind);
    escaped(key, strlen(key));
    putchar('\t');
    escaped(value, strlen(value));
    putchar('\n');
}

static void number(const char *kind, const char *key, long value)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    line(kind, key, text);
}

/* A system call's result, or its error. */
static void result(const char *kind, const char *key, long value)
{
    if (value < 0)
        line(kind, key, strerrorname_np(errno));
    else
        number(kind, key, value);
}

/* What a number stands for that is new each time. */
static const char *process(long pid)
{
    const char *task = getenv("SLURM_TASK_PID");
    if (pid == getpid())
        return "this process";
    if (task && pid == atol(task))
        return "the Slurm task";
    return pid == 0 ? "none" : "another process";
}

static void target(const char *kind, const char *key, const char *path)
{
    char text[4096];
    ssize_t length = readlink(path, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = 0;
    line(kind, key, length < 0 ? strerrorname_np(errno) : text);
}

static char *contents(const char *path)
{
    static char text[1 << 16];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;
    if (file < 0)
        return NULL;
    while ((got = read(file, text + length, sizeof text - 1 - length)) > 0)
        length += got;
    close(file);
    text[length] = 0;
    return text;
}

static void whole_file(const char *path)
{
    char *text = contents(path);
    line("file.", path, text ? text : strerrorname_np(errno));
}

/* Open descriptors, before this program opens any. */
static void descriptors(void)
{
    for (int fd = 0; fd < 1024; fd++) {
        char path[64], text[4096], key[16];
        int flags = fcntl(fd, F_GETFL), close_on_exec = fcntl(fd, F_GETFD);
        ssize_t length;
        char *id;
        if (flags < 0)
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        length = readlink(path, text, sizeof text - 64);
        text[length < 0 ? 0 : length] = 0;
        if ((id = strstr(text, ":["))) /* pipe:[1234] */
            *id = 0;
        snprintf(text + strlen(text), 64, " flags=%o close-on-exec=%d tty=%d", flags,
                 close_on_exec, isatty(fd));
        snprintf(key, sizeof key, "%d", fd);
        line("fd.", key, text);
    }
}

static void standard_input(void)
{
    static char text[1 << 16];
    size_t length = 0;
    ssize_t got;
    while ((got = read(0, text + length, sizeof text - length)) > 0)
        length += got;
    printf("stdin\t");
    escaped(text, length);
    putchar('\n');
}

static void environment(void)
{
    for (char **item = environ; *item; item++) {
        char key[4096];
        const char *equals = strchr(*item, '=');
        int before = 0;
        size_t length = equals ? (size_t)(equals - *item) : strlen(*item);
        if (length > sizeof key - 16)
            length = sizeof key - 16;
        for (char **other = environ; other < item; other++)
            before += strncmp(*other, *item, length + 1) == 0;
        memcpy(key, *item, length);
        key[length] = 0;
        if (before)
            snprintf(key + length, 16, "#%d", before + 1);
        line("env.", key, equals ? equals + 1 : "");
    }
}

/* Lines of NAME:VALUE, without what changes while a process runs. */
static void status(void)
{
    static const char *const changing[] = {"Pid", "PPid", "Tgid", "Ngid", "NStgid", "NSpid", "NSpgid",
        "NSsid", "FDSize", "Vm", "Rss", "Hugetlb", "SigQ", "voluntary", "nonvoluntary", NULL};
    char *text = contents("/proc/self/status");
    for (char *name = text ? strtok(text, "\n") : NULL; name; name = strtok(NULL, "\n")) {
        char *value = strchr(name, ':');
        int skip = 0;
        if (!value)
            continue;
        *value++ = 0;
        for (int i = 0; changing[i]; i++)
            skip |= strncmp(name, changing[i], strlen(changing[i])) == 0;
        while (isspace((unsigned char)*value))
            value++;
        if (!skip)
            line("status.", name, value);
    }
}

static void limits(void)
{
    char *text = contents("/proc/self/limits");
    for (char *name = text ? strtok(text, "\n") : NULL; name; name = strtok(NULL, "\n")) {
        if (strlen(name) < 27 || strncmp(name, "Limit", 5) == 0)
            continue;
        name[25] = 0;
        for (int end = 24; end > 0 && name[end] == ' '; end--)
            name[end] = 0;
        line("limit.", name, name + 26);
    }
}

/* 36 35 98:0 /root /point options shared:1 master:2 - type source super-options */
static void mounts(void)
{
    static char order[1 << 16];
    static char points[512][512];
    int count = 0;
    char *save, *text = contents("/proc/self/mountinfo");
    for (char *mount = text ? strtok_r(text, "\n", &save) : NULL; mount && count < 512;
         mount = strtok_r(NULL, "\n", &save)) {
        char value[8192] = "", key[600];
        char *field, *fields;
        int number = 0, same = 0;
        for (field = strtok_r(mount, " ", &fields); field; field = strtok_r(NULL, " ", &fields)) {
            number++;
            if (number == 5)
                snprintf(points[count], sizeof points[count], "%s", field);
            if (number <= 3 || number == 5)
                continue;
            if (strncmp(field, "shared:", 7) == 0 || strncmp(field, "master:", 7) == 0 ||
                strncmp(field, "propagate_from:", 15) == 0)
                *strchr(field, ':') = 0;
            strcat(strcat(value, *value ? " " : ""), field);
        }
        for (int i = 0; i < count; i++)
            same += strcmp(points[i], points[count]) == 0;
        snprintf(key, sizeof key, "%.511s%.*s", points[count], same, "++++++++");
        line("mount.", key, value);
        strcat(strcat(order, " "), points[count++]);
    }
    line("", "mounts in their order", order);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void describe(const char *kind, const char *path)
{
    struct stat is;
    char value[128], to[4096] = "";
    if (lstat(path, &is) < 0) {
        line(kind, path, strerrorname_np(errno));
        return;
    }
    if (S_ISLNK(is.st_mode) && readlink(path, to, sizeof to - 1) > 0) {
        line(kind, path, to);
        return;
    }
    snprintf(value, sizeof value, "mode=%o uid=%d gid=%d device=%u:%u", is.st_mode, is.st_uid, is.st_gid,
             major(is.st_rdev), minor(is.st_rdev));
    line(kind, path, value);
}

static void directory(const char *kind, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        char full[4096];
        if (strcmp(entries[i]->d_name, ".") == 0 || strcmp(entries[i]->d_name, "..") == 0)
            continue;
        snprintf(full, sizeof full, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entries[i]->d_name);
        describe(kind, full);
    }
}

/* Whether files can be made there, and what file system it is. */
static void place(const char *path)
{
    char file[4096], value[128];
    struct statvfs is;
    int made;
    describe("place.", path);
    if (statvfs(path, &is) == 0) {
        snprintf(value, sizeof value, "flags=%lx name=%lu", is.f_flag, is.f_namemax);
        line("filesystem.", path, value);
    }
    snprintf(file, sizeof file, "%s/.probe.%d.%ld", path, getpid(), random());
    made = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (made < 0) {
        line("write.", path, strerrorname_np(errno));
        return;
    }
    struct stat of;
    fstat(made, &of);
    snprintf(value, sizeof value, "mode=%o uid=%d gid=%d", of.st_mode, of.st_uid, of.st_gid);
    line("write.", path, value);
    close(made);
    unlink(file);
}

/* The names of the processes above this one, up to Slurm's. */
static void ancestors(void)
{
    char names[1024] = "", path[64];
    long pid = getppid();
    while (pid > 1 && strlen(names) < 900) {
        char *text, *parent;
        snprintf(path, sizeof path, "/proc/%ld/status", pid);
        text = contents(path);
        if (!text || !(parent = strstr(text, "PPid:")))
            break;
        pid = atol(parent + 5);
        text[strcspn(text, "\n")] = 0;
        strcat(strcat(names, " "), text + 6);
        if (strncmp(text + 6, "slurmstepd", 10) == 0)
            break;
    }
    line("", "ancestors", names);
}

static void process_state(void)
{
    char text[4096];
    const char *task = getenv("SLURM_TASK_PID");
    struct sched_param parameters;
    int settings[] = {PR_GET_PDEATHSIG, PR_GET_CHILD_SUBREAPER};
    const char *names[] = {"parent-death signal", "child subreaper"};
    line("", "pid", process(getpid()));
    line("", "is the Slurm task", task && atol(task) == getpid() ? "yes" : "no");
    line("", "session", process(getsid(0)));
    line("", "process group", process(getpgrp()));
    result("", "terminal", open("/dev/tty", O_RDWR | O_CLOEXEC));
    ssize_t length = readlink("/proc/self", text, sizeof text - 1);
    text[length < 0 ? 0 : length] = 0;
    line("", "/proc/self", process(atol(text)));
    for (int i = 0; i < 2; i++) {
        int value = -1;
        prctl(settings[i], &value);
        number("prctl.", names[i], value);
    }
    result("prctl.", "dumpable", prctl(PR_GET_DUMPABLE));
    result("prctl.", "keep capabilities", prctl(PR_GET_KEEPCAPS));
    result("prctl.", "securebits", prctl(PR_GET_SECUREBITS));
    result("prctl.", "timer slack", prctl(PR_GET_TIMERSLACK));
    result("prctl.", "no transparent huge pages", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    result("prctl.", "no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    result("", "personality", syscall(SYS_personality, 0xffffffff));
    result("", "nice", getpriority(PRIO_PROCESS, 0));
    result("", "scheduling policy", sched_getscheduler(0));
    result("", "scheduling priority", sched_getparam(0, &parameters) ? -1 : parameters.sched_priority);
    result("", "input/output priority", syscall(SYS_ioprio_get, 1, 0));
    result("", "secure execution", getauxval(AT_SECURE));
    memset(text, 0, sizeof text);
    if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1) < 0)
        snprintf(text, sizeof text, "%s", strerrorname_np(errno));
    line("", "session keyring", text);
}

int main(int argc, char **argv)
{
    static const char *const namespaces[] = {"user", "mnt", "pid", "pid_for_children", "net", "ipc", "uts",
        "cgroup", "time", "time_for_children", NULL};
    static const char *const files[] = {"/proc/self/oom_score_adj", "/proc/self/uid_map", "/proc/self/gid_map",
        "/proc/self/setgroups", "/proc/self/cgroup", "/proc/self/coredump_filter", "/proc/self/loginuid",
        "/proc/self/attr/current", "/proc/self/comm", "/proc/self/timens_offsets", "/proc/sys/kernel/hostname",
        "/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/localtime", NULL};
    static const char *const places[] = {"/", "/tmp", "/var/tmp", "/dev/shm", "/data", "/home", "/etc", NULL};
    static char output[1 << 16], cwd[4096];
    mode_t mask = umask(0);
    umask(mask);
    descriptors();
    setvbuf(stdout, output, _IOFBF, sizeof output);
    srandom(getpid());
    for (int i = 0; i < argc; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        line("argument.", key, argv[i]);
    }
    line("", "AT_EXECFN", (const char *)getauxval(AT_EXECFN));
    target("", "/proc/self/exe", "/proc/self/exe");
    target("", "/proc/self/root", "/proc/self/root");
    target("", "/proc/self/cwd", "/proc/self/cwd");
    line("", "working directory", getcwd(cwd, sizeof cwd) ? cwd : strerrorname_np(errno));
    printf("umask\t%03o\n", mask);
    environment();
    status();
    limits();
    mounts();
    for (int i = 0; namespaces[i]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", namespaces[i]);
        target("namespace.", namespaces[i], path);
    }
    process_state();
    ancestors();
    for (int i = 0; files[i]; i++)
        whole_file(files[i]);
    directory("dev.", "/dev");
    directory("root.", "/");
    for (int i = 0; places[i]; i++)
        place(places[i]);
    place(*cwd ? cwd : ".");
    if (getenv("HOME"))
        place(getenv("HOME"));
    standard_input();
    return fclose(stdout) ? 1 : 0;
}
