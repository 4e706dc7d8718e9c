/*
 * Latency, bandwidth and allreduce between two ranks, measured as the OSU micro-benchmarks do (osu_latency,
 * osu_bw, osu_allreduce: warm-up, then the mean over many iterations), all in one start, since starting
 * takes longer than measuring. Each is done several times and the best is shown: what else the machine does
 * makes times longer, never shorter. Each rank keeps to a CPU of its own and has huge pages for its messages, if
 * it gets them: which CPUs two starts get, and how the pages of 4 MiB lie in the caches, differs by more than what
 * is compared. Rank 0 prints a line for each figure: value, unit, name.
 *
 * It also counts the calls with which one process copies from another's memory (CMA): its own
 * process_vm_readv takes the place of the C library's for all libraries of the process, where the linker
 * was told to show it to them:
 *
 *   mpicc -O2 -rdynamic -o mpi-bench mpi-bench.c
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LARGE = 4 << 20, WINDOW = 16, TAG = 1, REPEAT = 5 };

static long copies; /* successful calls */
static char *out, *in;
static int rank, size;

ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long locals,
                         const struct iovec *remote, unsigned long remotes, unsigned long flags)
{
    ssize_t done = syscall(SYS_process_vm_readv, pid, local, locals, remote, remotes, flags);

    copies += done > 0;
    return done;
}

/* The seconds of one way of a message there and back. */
static double pingpong(int bytes, int warm, int times)
{
    double begin = 0;

    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = -warm; i < times; i++) {
        if (i == 0)
            begin = MPI_Wtime();
        if (rank == 0) {
            MPI_Send(out, bytes, MPI_CHAR, 1, TAG, MPI_COMM_WORLD);
            MPI_Recv(in, bytes, MPI_CHAR, 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else {
            MPI_Recv(in, bytes, MPI_CHAR, 0, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(out, bytes, MPI_CHAR, 0, TAG, MPI_COMM_WORLD);
        }
    }
    return (MPI_Wtime() - begin) / times / 2;
}

/* The seconds of one of a window of messages in flight, answered by a short one. */
static double stream(int bytes, int warm, int times)
{
    MPI_Request requests[WINDOW];
    double begin = 0;

    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = -warm; i < times; i++) {
        if (i == 0)
            begin = MPI_Wtime();
        for (int k = 0; k < WINDOW; k++)
            if (rank == 0)
                MPI_Isend(out, bytes, MPI_CHAR, 1, TAG, MPI_COMM_WORLD, &requests[k]);
            else
                MPI_Irecv(in, bytes, MPI_CHAR, 0, TAG, MPI_COMM_WORLD, &requests[k]);
        MPI_Waitall(WINDOW, requests, MPI_STATUSES_IGNORE);
        if (rank == 0)
            MPI_Recv(in, 4, MPI_CHAR, 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        else
            MPI_Send(out, 4, MPI_CHAR, 0, TAG, MPI_COMM_WORLD);
    }
    return (MPI_Wtime() - begin) / times / WINDOW;
}

/* The seconds of an allreduce, the mean of both ranks. */
static double allreduce(int bytes, int warm, int times)
{
    double begin, mine = 0, all;

    for (int i = -warm; i < times; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        begin = MPI_Wtime();
        MPI_Allreduce(out, in, bytes / (int)sizeof(float), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
        if (i >= 0)
            mine += MPI_Wtime() - begin;
    }
    MPI_Allreduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return all / size / times;
}

static double best(double (*measure)(int, int, int), int bytes, int warm, int times)
{
    double least = measure(bytes, warm, times);

    for (int i = 1; i < REPEAT; i++) {
        double seconds = measure(bytes, warm, times);
        if (seconds < least)
            least = seconds;
    }
    return least;
}

/* Keeps this process to one of the CPUs that it may use: the one with its rank's number, counted round. */
static void pin(void)
{
    cpu_set_t may, one;
    int wanted;

    if (sched_getaffinity(0, sizeof may, &may) || CPU_COUNT(&may) == 0)
        return;
    wanted = rank % CPU_COUNT(&may);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &may) && wanted-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            if (sched_setaffinity(0, sizeof one, &one))
                perror("mpi-bench: sched_setaffinity");
            return;
        }
}

/* A message of the largest size, its pages in memory. */
static char *message(int fill)
{
    char *bytes = aligned_alloc(LARGE, LARGE);

    if (!bytes) {
        fputs("mpi-bench: no memory\n", stderr);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    madvise(bytes, LARGE, MADV_HUGEPAGE); /* advice only: a kernel without them has small ones */
    return memset(bytes, fill, LARGE);
}

static void show(double value, const char *what)
{
    if (rank == 0)
        printf("%.3f %s\n", value, what);
}

int main(int argc, char **argv)
{
    long mine, all;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size != 2) {
        fprintf(stderr, "mpi-bench: needs 2 ranks that form one job, not %d\n", size);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    pin();
    out = message('a');
    in = message('b');

    show(1e6 * best(pingpong, 8, 200, 1000), "us 8 B latency");
    show(LARGE / best(pingpong, LARGE, 2, 10) / 1e6, "MB/s 4 MiB ping-pong");
    show(LARGE / best(stream, LARGE, 1, 3) / 1e6, "MB/s 4 MiB, 16 in flight");
    show(1e6 * best(allreduce, 8, 100, 500), "us 8 B allreduce");
    show(1e6 * best(allreduce, 65536, 20, 200), "us 64 KiB allreduce");
    mine = copies;
    MPI_Reduce(&mine, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
    show(all, "calls that copy by CMA");

    free(out);
    free(in);
    MPI_Finalize();
    return 0;
}
