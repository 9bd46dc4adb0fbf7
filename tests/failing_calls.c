/* Makes system calls on the files of Lance's tables fail: FAIL_CALLS names them, FAIL_CODE how. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int failure(const char *call) {
    const char *calls = getenv("FAIL_CALLS"), *code = getenv("FAIL_CODE");
    return calls && code && strstr(calls, call) ? atoi(code) : 0;
}

static int is_table(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, ".lance/") != 0;
}

#define REPLACE(type, name, call, given, passed)                          \
    type name given {                                                     \
        static type(*real) given;                                         \
        if (!real) real = dlsym(RTLD_NEXT, #name);                        \
        int code = failure(call);                                         \
        if (code && is_table(descriptor)) { errno = code; return -1; }    \
        return real passed;                                               \
    }

REPLACE(ssize_t, read, "read", (int descriptor, void *to, size_t n), (descriptor, to, n))
REPLACE(ssize_t, pread64, "read", (int descriptor, void *to, size_t n, off64_t at),
        (descriptor, to, n, at))
REPLACE(ssize_t, write, "write", (int descriptor, const void *from, size_t n),
        (descriptor, from, n))
REPLACE(ssize_t, pwrite64, "write", (int descriptor, const void *from, size_t n, off64_t at),
        (descriptor, from, n, at))
