/*
 * Says hello from every rank and checks that the ranks really form one job: the sum of rank + 1 over
 * all ranks is known. "N times rank 0" gives sum=1 of size 1 on every line.
 */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    int rank, size, length;
    char host[MPI_MAX_PROCESSOR_NAME], library[MPI_MAX_LIBRARY_VERSION_STRING];

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Get_processor_name(host, &length);
    MPI_Get_library_version(library, &length);
    /* Only the beginning names the version; MPICH goes on for many lines. */
    library[strcspn(library, ",\n")] = '\0';
    for (char *tab = library; (tab = strchr(tab, '\t')); )
        *tab = ' ';

    int mine = rank + 1, sum = 0;
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    printf("rank %d of %d on %s sum=%d library=%s\n", rank, size, host, sum, library);
    fflush(stdout);

    MPI_Finalize();
    return sum == size * (size + 1) / 2 ? 0 : 1;
}
