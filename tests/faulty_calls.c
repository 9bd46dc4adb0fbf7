/* Harms the system calls that a process makes on some files, for LD_PRELOAD.

   FAULT_PATHS  part of the paths of the files that are harmed
   FAULT_CALLS  the kinds of calls: read write sync create rename link unlink mkdir truncate
   FAULT_AT     the number of the call at which it begins, from 1; each call where it is not set
   FAULT_DO     log: only write the calls down
                kill: kill -9 before the call
                tear: kill -9 in the middle of it, where it is a write, and before it otherwise
                fail: fail with the code FAULT_CODE; once where FAULT_ONCE is set
                vanish: move the folder FAULT_FOLDER away before the call
                slow: wait so many microseconds as FAULT_CODE before each call
   FAULT_LOG    a file to which the kind and the path of each call is added
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static _Atomic long calls_so_far;

static void note(const char *kind, const char *path) {
    const char *log = getenv("FAULT_LOG");
    char line[4200];
    if (!log) return;
    int to = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int length = snprintf(line, sizeof line, "%s %s\n", kind, path);
    if (to >= 0) {
        if (syscall(SYS_write, to, line, length) < 0) abort();
        close(to);
    }
}

static void vanish(void) {
    const char *folder = getenv("FAULT_FOLDER");
    char away[4200];
    if (!folder) return;
    snprintf(away, sizeof away, "%s.away", folder);
    syscall(SYS_rename, folder, away);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

enum { GO_ON = 0, TEAR = -1 };

/* What becomes of a call: the number of an error, GO_ON or TEAR. */
static int harm(const char *kind, const char *path) {
    const char *what = getenv("FAULT_DO"), *paths = getenv("FAULT_PATHS");
    const char *kinds = getenv("FAULT_CALLS"), *at = getenv("FAULT_AT");
    const char *code = getenv("FAULT_CODE");
    if (!what || !paths || !strstr(path, paths)) return GO_ON;
    if (kinds && !strstr(kinds, kind)) return GO_ON;
    long number = ++calls_so_far, first = at ? atol(at) : 0;
    note(kind, path);
    if (!strcmp(what, "log") || number < first) return GO_ON;
    if (!strcmp(what, "slow")) {
        struct timespec wait = {0, atol(code) * 1000};
        nanosleep(&wait, 0);
        return GO_ON;
    }
    if (!strcmp(what, "fail"))
        return first && number > first && getenv("FAULT_ONCE") ? GO_ON : atoi(code);
    if (first && number > first) return GO_ON;
    if (!strcmp(what, "vanish")) vanish();
    if (!strcmp(what, "kill") || (!strcmp(what, "tear") && strcmp(kind, "write"))) die();
    return !strcmp(what, "tear") ? TEAR : GO_ON;
}

static int harm_descriptor(const char *kind, int descriptor) {
    char link[64], path[4096];
    if (!getenv("FAULT_DO")) return GO_ON;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return GO_ON;
    path[length] = 0;
    return harm(kind, path);
}

static int harm_name(const char *kind, int folder, const char *name) {
    char path[8300], link[64];
    ssize_t length = 0;
    if (!getenv("FAULT_DO") || !name) return GO_ON;
    if (name[0] == '/') return harm(kind, name);
    strcpy(link, "/proc/self/cwd");
    if (folder != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    length = readlink(link, path, 4095);
    if (length < 0) return GO_ON;
    snprintf(path + length, sizeof path - length, "/%s", name);
    return harm(kind, path);
}

#define REAL(type, name, given) \
    static type(*real) given;   \
    if (!real) real = dlsym(RTLD_NEXT, #name)

#define FAIL_OR_GO_ON(code)                         \
    do {                                            \
        int failure = (code);                       \
        if (failure > 0) return errno = failure, -1; \
    } while (0)

#define ON_DESCRIPTOR(type, name, kind, given, passed)  \
    type name given {                                   \
        REAL(type, name, given);                        \
        FAIL_OR_GO_ON(harm_descriptor(kind, descriptor)); \
        return real passed;                             \
    }

#define WRITES(name, given, passed, torn)              \
    ssize_t name given {                               \
        REAL(ssize_t, name, given);                    \
        int code = harm_descriptor("write", descriptor); \
        if (code > 0) return errno = code, -1;         \
        if (code == TEAR) {                            \
            if (real torn < 0) abort();                \
            die();                                     \
        }                                              \
        return real passed;                            \
    }

ON_DESCRIPTOR(ssize_t, read, "read", (int descriptor, void *to, size_t n), (descriptor, to, n))
ON_DESCRIPTOR(ssize_t, pread, "read", (int descriptor, void *to, size_t n, off_t at),
              (descriptor, to, n, at))
ON_DESCRIPTOR(ssize_t, pread64, "read", (int descriptor, void *to, size_t n, off64_t at),
              (descriptor, to, n, at))
WRITES(write, (int descriptor, const void *from, size_t n), (descriptor, from, n),
       (descriptor, from, n / 2))
WRITES(pwrite, (int descriptor, const void *from, size_t n, off_t at), (descriptor, from, n, at),
       (descriptor, from, n / 2, at))
WRITES(pwrite64, (int descriptor, const void *from, size_t n, off64_t at),
       (descriptor, from, n, at), (descriptor, from, n / 2, at))
WRITES(writev, (int descriptor, const struct iovec *from, int n), (descriptor, from, n),
       (descriptor, from, n / 2))
WRITES(sendfile, (int descriptor, int source, off_t *at, size_t n), (descriptor, source, at, n),
       (descriptor, source, at, n / 2))
WRITES(sendfile64, (int descriptor, int source, off64_t *at, size_t n),
       (descriptor, source, at, n), (descriptor, source, at, n / 2))
WRITES(copy_file_range,
       (int source, off64_t *from, int descriptor, off64_t *at, size_t n, unsigned flags),
       (source, from, descriptor, at, n, flags), (source, from, descriptor, at, n / 2, flags))
ON_DESCRIPTOR(int, fsync, "sync", (int descriptor), (descriptor))
ON_DESCRIPTOR(int, fdatasync, "sync", (int descriptor), (descriptor))
ON_DESCRIPTOR(int, ftruncate, "truncate", (int descriptor, off_t n), (descriptor, n))
ON_DESCRIPTOR(int, ftruncate64, "truncate", (int descriptor, off64_t n), (descriptor, n))

#define ON_NAME(name, kind, given, folder, path, passed)  \
    int name given {                                      \
        REAL(int, name, given);                           \
        FAIL_OR_GO_ON(harm_name(kind, folder, path));     \
        return real passed;                               \
    }

ON_NAME(rename, "rename", (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(renameat, "rename", (int folder, const char *from, int other, const char *to), other, to,
        (folder, from, other, to))
ON_NAME(renameat2, "rename",
        (int folder, const char *from, int other, const char *to, unsigned flags), other, to,
        (folder, from, other, to, flags))
ON_NAME(link, "link", (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(linkat, "link", (int folder, const char *from, int other, const char *to, int flags),
        other, to, (folder, from, other, to, flags))
ON_NAME(symlink, "link", (const char *from, const char *to), AT_FDCWD, to, (from, to))
ON_NAME(symlinkat, "link", (const char *from, int folder, const char *to), folder, to,
        (from, folder, to))
ON_NAME(unlink, "unlink", (const char *path), AT_FDCWD, path, (path))
ON_NAME(unlinkat, "unlink", (int folder, const char *path, int flags), folder, path,
        (folder, path, flags))
ON_NAME(rmdir, "unlink", (const char *path), AT_FDCWD, path, (path))
ON_NAME(mkdir, "mkdir", (const char *path, mode_t mode), AT_FDCWD, path, (path, mode))
ON_NAME(mkdirat, "mkdir", (int folder, const char *path, mode_t mode), folder, path,
        (folder, path, mode))

/* A file that is there and opened is no change: only what is made counts as one. */
static int harm_opened(int folder, const char *path, int flags) {
    if (!(flags & O_CREAT) || !getenv("FAULT_DO")) return GO_ON;
    if (faccessat(folder, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return GO_ON;
    return harm_name("create", folder, path);
}

#define MODE                                             \
    mode_t mode = 0;                                     \
    if (flags & (O_CREAT | __O_TMPFILE)) {               \
        va_list rest;                                    \
        va_start(rest, flags);                           \
        mode = va_arg(rest, mode_t);                     \
        va_end(rest);                                    \
    }

#define OPENS(name)                                            \
    int name(const char *path, int flags, ...) {               \
        REAL(int, name, (const char *, int, ...));             \
        MODE FAIL_OR_GO_ON(harm_opened(AT_FDCWD, path, flags)); \
        return real(path, flags, mode);                        \
    }

#define OPENS_AT(name)                                         \
    int name(int folder, const char *path, int flags, ...) {   \
        REAL(int, name, (int, const char *, int, ...));        \
        MODE FAIL_OR_GO_ON(harm_opened(folder, path, flags));  \
        return real(folder, path, flags, mode);                \
    }

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)
