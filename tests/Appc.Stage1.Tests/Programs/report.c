/* Says how it was started: a line on each fact, "KEY VALUE". Bytes that text could not tell are written as hexadecimal digits.
 *   report ARGUMENT...     prints the report; the arguments are a part of it */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

static void bytes(const char *key, const char *text) {
    printf("%s ", key);
    for (; *text; text++) printf("%02x", (unsigned char)*text);
    printf("\n");
}

/* Lines of a file of /proc that begin with one of these words, as they are but for white space. */
static void lines(const char *path, const char *key, const char *const *words) {
    FILE *file = fopen(path, "re");
    if (!file) { printf("%s cannot read %s: %s\n", key, path, strerror(errno)); return; }
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        for (const char *const *word = words; *word; word++) {
            size_t length = strlen(*word);
            if (strncmp(line, *word, length) || (length && line[length] != ':')) continue;
            printf("%s%s%s", key, *key ? " " : "", length ? *word : "");
            for (char *part = strtok(length ? line + length + 1 : line, " \t\n"); part; part = strtok(NULL, " \t\n")) printf(" %s", part);
            printf("\n");
            break;
        }
    }
    free(line);
    fclose(file);
}

static void identity(void) {
    uid_t r, e, s;
    gid_t gr, ge, gs;
    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    printf("uid %u %u %u %u\n", r, e, s, (unsigned)setfsuid(-1));
    printf("gid %u %u %u %u\n", gr, ge, gs, (unsigned)setfsgid(-1));
    gid_t groups[64];
    int count = getgroups(64, groups);
    printf("groups");
    for (int i = 0; i < count; i++) printf(" %u", groups[i]);
    printf("\n");
}

static void namespaces(void) {
    const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[64], target[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = 0;
        printf("namespace %s %s\n", kinds[i], target);
    }
}

static void limits(void) {
    const struct { const char *name; int number; } all[] = {
        {"as", RLIMIT_AS}, {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA}, {"fsize", RLIMIT_FSIZE},
        {"locks", RLIMIT_LOCKS}, {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE}, {"nofile", RLIMIT_NOFILE},
        {"nproc", RLIMIT_NPROC}, {"rss", RLIMIT_RSS}, {"rtprio", RLIMIT_RTPRIO}, {"rttime", RLIMIT_RTTIME}, {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct rlimit limit;
        getrlimit(all[i].number, &limit);
        printf("limit %s %lld %lld\n", all[i].name, (long long)limit.rlim_cur, (long long)limit.rlim_max);
    }
}

static void descriptors(void) {
    /* Each is tried: a list of /proc/self/fd would have the one that reads it. */
    for (int fd = 0; fd < 4096; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0) continue;
        char path[64], target[PATH_MAX];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = 0;
        printf("fd %d %s%s %s\n", fd, (flags & O_ACCMODE) == O_RDONLY ? "read" : (flags & O_ACCMODE) == O_WRONLY ? "write" : "both", flags & O_APPEND ? " append" : "", target);
    }
}

static void devices(const char *directory) {
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX], target[PATH_MAX] = "";
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", directory, name);
        struct stat st;
        if (!strcmp(name, ".") || !strcmp(name, "..") || lstat(path, &st)) continue;
        if (S_ISLNK(st.st_mode)) {
            ssize_t length = readlink(path, target, sizeof target - 1);
            target[length < 0 ? 0 : length] = 0;
            printf("dev %s -> %s\n", path, target);
        } else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
            int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
            int why = errno;
            printf("dev %s %c %u:%u %o %s\n", path, S_ISCHR(st.st_mode) ? 'c' : 'b', major(st.st_rdev), minor(st.st_rdev), st.st_mode & 07777, fd >= 0 ? "opens" : strerrorname_np(why));
            if (fd >= 0) close(fd);
        } else {
            printf("dev %s %s %o\n", path, S_ISDIR(st.st_mode) ? "directory" : S_ISSOCK(st.st_mode) ? "socket" : S_ISFIFO(st.st_mode) ? "fifo" : "file", st.st_mode & 07777);
            if (S_ISDIR(st.st_mode)) devices(path);
        }
    }
}

int main(int count, char **arguments) {
    for (int i = 0; i < count; i++) bytes("argument", arguments[i]);
    for (char **variable = environ; *variable; variable++) bytes("variable", *variable);
    identity();
    lines("/proc/self/status", "status", (const char *const[]){"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "SigBlk", "SigIgn", "SigCgt", NULL});
    namespaces();
    lines("/proc/self/cgroup", "cgroup", (const char *const[]){"", NULL});
    lines("/proc/self/mountinfo", "mount", (const char *const[]){"", NULL});
    limits();
    lines("/proc/self/oom_score_adj", "oom-score", (const char *const[]){"", NULL});
    descriptors();
    mode_t mask = umask(0);
    printf("umask %03o\n", mask);
    umask(mask);
    char directory[PATH_MAX];
    printf("directory %s\n", getcwd(directory, sizeof directory) ? directory : strerror(errno));
    struct utsname system;
    uname(&system);
    printf("host-name %s\n", system.nodename);
    printf("securebits %d\n", prctl(PR_GET_SECUREBITS));
    printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
    int death = 0;
    prctl(PR_GET_PDEATHSIG, &death);
    printf("death-signal %d\n", death);
    printf("priority %d\n", getpriority(PRIO_PROCESS, 0));
    printf("scheduler %d\n", sched_getscheduler(0));
    printf("leader %s %s\n", getsid(0) == getpid() ? "session" : "-", getpgrp() == getpid() ? "group" : "-");
    devices("/dev");
    return 0;
}
