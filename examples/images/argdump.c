/*
 * Shows what really arrived, byte for byte, each item followed by a NUL. What it shows depends on the
 * name it is called by:
 *   argdump ARG...           the arguments, on stdout
 *   envdump                  the environment, on stdout
 *   writeargs FILE ARG...    the arguments, into FILE
 */
#include <stdio.h>
#include <string.h>

extern char **environ;

static int dump(char **items, FILE *out)
{
    for (; *items; items++)
        if (fwrite(*items, 1, strlen(*items) + 1, out) != strlen(*items) + 1)
            return 1;
    return fclose(out) ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];

    if (strcmp(name, "envdump") == 0)
        return dump(environ, stdout);
    if (strcmp(name, "writeargs") != 0)
        return dump(argv + 1, stdout);
    if (argc < 2) {
        fputs("usage: writeargs FILE ARG...\n", stderr);
        return 2;
    }
    FILE *out = fopen(argv[1], "wb");
    if (!out) {
        perror(argv[1]);
        return 1;
    }
    return dump(argv + 2, out);
}
