/* fuzz_file.h: the one file that a fuzzer writes its input to, in memory where there is such a folder. */
#ifndef NST_FUZZ_FILE_H
#define NST_FUZZ_FILE_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The file's name; NULL when it cannot be written now. */
static inline const char *fuzz_file(const uint8_t *data, size_t bytes)
{
    static char path[64];
    static int fd = -1;

    if (fd < 0) {
        snprintf(path, sizeof path, "%s/nst-fuzz-%ld", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (fd < 0)
            abort();
    }
    return ftruncate(fd, 0) || pwrite(fd, data, bytes, 0) != (ssize_t)bytes ? NULL : path;
}

#endif
