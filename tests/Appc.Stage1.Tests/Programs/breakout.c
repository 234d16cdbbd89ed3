/* Tries what a hostile program would, and prints a line on each attempt: what it tried, and "denied" or "SUCCEEDED".
 * An attempt that succeeds does as little as it can: what would be written is opened and not written, what must be
 * written is what is there already, and what would end something is asked of a process space that is the pod's own.
 *   breakout KEY=VALUE...     all attempts; the keys are what the test knows of the host
 *   breakout bomb             forks until it may not, says how far it came, and ends all of it
 *   breakout swap PATH OTHER  exchanges two names, again and again
 *   breakout overwrite        opens the program of every process that appears, and writes to it when it can
 *   breakout euid             prints the effective user
 *   breakout list             prints the names of the attempts
 *   breakout summary          says how it is confined */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/audit.h>
#include <linux/perf_event.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_kexec_file_load
#define SYS_kexec_file_load -1
#endif
#ifdef __x86_64__
#define NR_IOPL SYS_iopl
#define NR_IOPERM SYS_ioperm
#else
#define NR_IOPL -1
#define NR_IOPERM -1
#endif

#define DENIED 0 /* and nothing more to say */

static char **settings;
static char detail[600];

static const char *setting(const char *name) {
    size_t length = strlen(name);
    for (char **s = settings; *s; s++) {
        if (strncmp(*s, name, length) == 0 && (*s)[length] == '=') return *s + length + 1;
    }
    return "";
}

/* A result of 1 is a success, which the attempt may describe; anything else is the negative of the error. */
static int result(long r) { return r >= 0 ? 1 : -errno; }

static int opened(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return -errno;
    snprintf(detail, sizeof detail, "opened %s", path);
    close(fd);
    return 1;
}

/* The worst of several: any that succeeds is what counts. */
static int any(int (*one)(const char *), const char *const *paths) {
    int worst = -ENOENT;
    for (; *paths; paths++) {
        int r = one(*paths);
        if (r > 0) return r;
        if (r != -ENOENT) worst = r;
    }
    return worst;
}

/* A file that gives a byte, or a directory that holds something. */
static int readable(const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return -errno;
    int found = 0;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        DIR *dir = fdopendir(fd);
        for (struct dirent *e; dir && (e = readdir(dir));) found |= e->d_name[0] != '.';
        if (dir) closedir(dir);
    } else {
        char byte;
        ssize_t n = read(fd, &byte, 1);
        found = n > 0;
        int e = n < 0 ? errno : 0;
        close(fd);
        if (e) return -e;
    }
    if (found) snprintf(detail, sizeof detail, "read %s", path);
    return found;
}

static int writable(const char *path) { return opened(path, O_WRONLY); }
static int usable(const char *path) {
    int r = opened(path, O_RDWR);
    return r > 0 ? r : opened(path, O_RDONLY);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- files of the host ---- */

static int process_1_root(void) { return opened("/proc/1/root/", O_RDONLY | O_DIRECTORY); }
static int process_1_cwd(void) { return opened("/proc/1/cwd/", O_RDONLY | O_DIRECTORY); }
static int process_1_descriptors(void) {
    int worst = -ENOENT;
    for (int fd = 0; fd < 64; fd++) {
        char path[64], link[64];
        snprintf(path, sizeof path, "/proc/1/fd/%d", fd);
        int r = result(readlink(path, link, sizeof link));
        if (r < 0) r = usable(path);
        if (r > 0) return r;
        if (r != -ENOENT) worst = r;
    }
    return worst;
}
static int process_1_environment(void) { return readable("/proc/1/environ"); }
static int process_1_memory(void) { return any(usable, LIST("/proc/1/mem")); }
static int process_1_maps(void) { return readable("/proc/1/maps"); }
static int process_1_program(void) { return any(usable, LIST("/proc/1/exe")); }

static int for_each_process(int (*one)(int pid)) {
    int worst = DENIED;
    DIR *dir = opendir("/proc");
    if (!dir) return -errno;
    for (struct dirent *e; (e = readdir(dir));) {
        int pid = atoi(e->d_name);
        if (pid <= 0 || pid == getpid()) continue;
        int r = one(pid);
        if (r > 0) { worst = r; break; }
        if (r < 0) worst = r;
    }
    closedir(dir);
    return worst;
}

static int other_root_of(int pid) {
    static const char *const links[] = {"root", "cwd", NULL};
    struct stat own, other;
    if (stat("/", &own) < 0) return -errno;
    int worst = DENIED;
    for (const char *const *link = links; *link; link++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/%s/", pid, *link);
        int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) { worst = -errno; continue; }
        /* The top of whatever it is: the same tree as ours, or another one. */
        for (int i = 0; i < 32; i++) {
            int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
            if (up < 0) break;
            close(fd);
            fd = up;
        }
        int r = fstat(fd, &other);
        close(fd);
        if (r == 0 && (own.st_dev != other.st_dev || own.st_ino != other.st_ino)) {
            snprintf(detail, sizeof detail, "%s is another tree", path);
            return 1;
        }
    }
    return worst;
}
static int other_roots(void) { return for_each_process(other_root_of); }

static int secret_files(void) {
    static const char *const before[] = {"", "/proc/1/root", "/proc/1/cwd", "/proc/self/root", "/proc/self/cwd/../../../../../..", "/dev/fd/0/../..", NULL};
    char copy[1024], path[1200];
    int worst = -ENOENT;
    snprintf(copy, sizeof copy, "%s", setting("secrets"));
    for (char *s = strtok(copy, ":"); s; s = strtok(NULL, ":")) {
        for (const char *const *b = before; *b; b++) {
            snprintf(path, sizeof path, "%s%s", *b, s);
            int r = readable(path);
            if (r > 0) return r;
            if (r != -ENOENT) worst = r;
        }
    }
    return worst;
}

static int host_process(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/root/", setting("pid"));
    struct stat own, other;
    if (stat("/", &own) < 0 || stat(path, &other) < 0) return -errno;
    return own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}

static int kernel_memory(void) { return any(readable, LIST("/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port")); }
static int kernel_log(void) { return any(readable, LIST("/proc/kmsg", "/dev/kmsg")); }
static int kernel_log_write(void) { return writable("/dev/kmsg"); }
static int kernel_log_call(void) {
    char buffer[64];
    return result(syscall(SYS_syslog, 3, buffer, sizeof buffer));
}
static int kernel_secrets(void) {
    return any(readable, LIST("/proc/keys", "/proc/timer_list", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi/scsi", "/proc/slabinfo",
        "/proc/vmallocinfo", "/proc/pagetypeinfo", "/proc/acpi", "/proc/asound", "/proc/config.gz"));
}
static int kernel_addresses(void) {
    char line[128];
    FILE *f = fopen("/proc/kallsyms", "re");
    if (!f) return -errno;
    int found = 0;
    while (!found && fgets(line, sizeof line, f)) found = strtoull(line, NULL, 16) != 0;
    fclose(f);
    return found;
}
static int sys_kernel(void) {
    return any(readable, LIST("/sys/kernel/debug", "/sys/kernel/tracing", "/sys/kernel/security", "/sys/kernel/config", "/sys/fs/bpf", "/sys/fs/pstore",
        "/sys/kernel/vmcoreinfo", "/sys/kernel/notes"));
}
static int sys_firmware(void) { return any(readable, LIST("/sys/firmware", "/sys/firmware/efi/efivars", "/sys/firmware/dmi/tables/DMI", "/sys/firmware/acpi/tables/DSDT", 
        "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj")); }

/* ---- settings of the kernel ---- */

static int sysctls(void) {
    return any(writable, LIST("/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname", "/proc/sys/kernel/panic", "/proc/sys/kernel/pid_max",
        "/proc/sys/vm/overcommit_memory", "/proc/sys/vm/drop_caches", "/proc/sys/fs/file-max", "/proc/sys/net/ipv4/ip_forward",
        "/proc/sys/net/ipv4/ping_group_range", "/proc/sys/kernel/ns_last_pid", "/proc/sys/kernel/sem", "/proc/sys/user/max_user_namespaces"));
}
static int core_pattern(void) { return writable("/proc/sys/kernel/core_pattern"); }
static int binfmt(void) { return any(writable, LIST("/proc/sys/fs/binfmt_misc/register", "/proc/sys/fs/binfmt_misc/status")); }
static int sysrq(void) { return any(writable, LIST("/proc/sysrq-trigger", "/proc/sys/kernel/sysrq")); }
static int uevent_helper(void) { return any(writable, LIST("/sys/kernel/uevent_helper", "/proc/sys/kernel/hotplug")); }
static int sys_switches(void) {
    return any(writable, LIST("/sys/power/state", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/mm/ksm/run", "/sys/kernel/profiling",
        "/sys/module/kernel/parameters/panic", "/sys/block/vda/queue/nr_requests", "/sys/block/sda/queue/nr_requests", "/sys/class/net/lo/mtu",
        "/sys/devices/system/cpu/cpu1/online", "/sys/bus/pci/rescan", "/proc/irq/default_smp_affinity", "/proc/mtrr", "/proc/acpi/wakeup"));
}
static int write_map(const char *path) {
    /* A map is written once: there is nothing that this could change if it works as it should. */
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int r = result(write(fd, "0 0 1\n", 6));
    close(fd);
    return r;
}
static int user_maps(void) { return any(write_map, LIST("/proc/1/uid_map", "/proc/1/gid_map", "/proc/self/uid_map", "/proc/self/gid_map")); }

static int found_writable(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st; (void)type; (void)ftw;
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0) {
        snprintf(detail, sizeof detail, "%s is writable", path);
        return 1;
    }
    return 0;
}
static int control_group_files(void) { return nftw("/sys/fs/cgroup", found_writable, 16, FTW_PHYS) > 0; }
static int control_group_above(void) {
    return any(writable, LIST("/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/cgroup.subtree_control",
        "/sys/fs/cgroup/cgroup.kill", "/sys/fs/cgroup/../cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/devices/devices.allow",
        "/sys/fs/cgroup/unified/cgroup.procs"));
}
static int control_group_new(void) {
    int r = result(mkdir("/sys/fs/cgroup/breakout", 0755));
    if (r > 0) rmdir("/sys/fs/cgroup/breakout");
    return r;
}

/* ---- devices ---- */

static int device_nodes(void) {
    static const struct { mode_t type; unsigned major, minor; } devices[] = {
        {S_IFBLK, 254, 0}, {S_IFBLK, 8, 0}, {S_IFBLK, 259, 0}, {S_IFCHR, 1, 1}, {S_IFCHR, 1, 11}, {S_IFCHR, 10, 229}, {S_IFCHR, 10, 232}, {S_IFCHR, 10, 237}, {S_IFCHR, 1, 3},
    };
    int worst = DENIED;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        if (mknod("/tmp/breakout-node", devices[i].type | 0666, makedev(devices[i].major, devices[i].minor)) < 0) { worst = -errno; continue; }
        int r = usable("/tmp/breakout-node");
        unlink("/tmp/breakout-node");
        if (r > 0) { snprintf(detail, sizeof detail, "made and opened %u:%u", devices[i].major, devices[i].minor); return 1; }
        worst = r;
    }
    return worst;
}
static int devices(void) {
    return any(usable, LIST("/dev/mem", "/dev/kmsg", "/dev/loop-control", "/dev/loop0", "/dev/fuse", "/dev/kvm", "/dev/vda", "/dev/sda", "/dev/nvme0n1",
        "/dev/mapper/control", "/dev/btrfs-control", "/dev/vhost-net", "/dev/vhost-vsock", "/dev/vfio/vfio", "/dev/uinput", "/dev/userfaultfd", "/dev/hwrng",
        "/dev/tty0", "/dev/tty1", "/dev/ttyS0", "/dev/snd", "/dev/dri", "/dev/input", "/dev/cuse", "/dev/autofs", "/dev/rtc0", "/dev/watchdog", "/dev/nvram"));
}
static int device_on_a_volume(void) { return usable("/data/null"); }
static int network_device(void) {
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int r = result(ioctl(fd, TUNSETIFF, &request));
    close(fd);
    return r;
}

/* ---- mounts and roots ---- */

static int mount_tmpfs(void) { return result(mount("none", "/tmp", "tmpfs", 0, NULL)); }
static int mount_proc(void) { return result(mount("none", "/tmp", "proc", 0, NULL)); }
static int mount_bind(void) { return result(mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL)); }
static int remount_root(void) { return result(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static int remount_proc(void) { return result(mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static int remount_read_only_volume(void) { return result(mount(NULL, "/fixed", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static int change_propagation(void) { return result(mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL)); }
static int unmount(void) { return result(umount2("/proc/sys", MNT_DETACH)); }
static int unmount_what_hides(void) { return result(umount2("/proc/kallsyms", MNT_DETACH)); }
static int new_file_system(void) { return result(syscall(430 /* fsopen */, "tmpfs", 0)); }
static int clone_tree(void) { return result(syscall(428 /* open_tree */, AT_FDCWD, "/", 1 /* clone */ | AT_RECURSIVE)); }
static int move_tree(void) { return result(syscall(429 /* move_mount */, AT_FDCWD, "/proc", AT_FDCWD, "/tmp", 0)); }
static int mount_attributes(void) {
    uint64_t attributes[4] = {0, 1 /* read-only */, 0, 0};
    return result(syscall(442 /* mount_setattr */, AT_FDCWD, "/proc/sys", 0, attributes, sizeof attributes));
}
static int pick_file_system(void) { return result(syscall(433 /* fspick */, AT_FDCWD, "/", 0)); }
static int change_root(void) { return result(syscall(SYS_pivot_root, "/", "/tmp")); }

static int chroot_escape(void) {
    struct stat own, now;
    mkdir("/tmp/breakout-root", 0755);
    if (stat("/", &own) < 0 || chroot("/tmp/breakout-root") < 0) return -errno;
    /* The working directory is outside of the root now: nothing stops it on the way up but the top of the mounts. */
    for (int i = 0; i < 64; i++) if (chdir("..") < 0) break;
    if (chroot(".") < 0 || stat("/", &now) < 0) return -errno;
    return own.st_dev != now.st_dev || own.st_ino != now.st_ino;
}
static int chroot_escape_by_descriptor(void) {
    struct stat own, now;
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mkdir("/tmp/breakout-root", 0755);
    if (stat("/", &own) < 0 || chroot("/tmp/breakout-root") < 0 || fchdir(fd) < 0) return -errno;
    for (int i = 0; i < 64; i++) if (chdir("..") < 0) break;
    if (chroot(".") < 0 || stat("/", &now) < 0) return -errno;
    return own.st_dev != now.st_dev || own.st_ino != now.st_ino;
}

static int handles(void) {
    struct { struct file_handle head; unsigned char bytes[MAX_HANDLE_SZ]; } handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
    int mount_id;
    int named = name_to_handle_at(AT_FDCWD, "/tmp", &handle.head, &mount_id, 0);
    if (named < 0) {
        /* As for ext4: a number of the file, here that of the root, and a generation to be guessed. */
        handle.head.handle_bytes = 8;
        handle.head.handle_type = 1;
        handle.bytes[0] = 2;
    }
    static const char *const places[] = {"/", "/tmp", "/data", "/fixed", "/proc", "/dev", NULL};
    int worst = DENIED;
    for (const char *const *place = places; *place; place++) {
        int at = open(*place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (at < 0) continue;
        for (int number = 2; number < 64; number++) {
            handle.bytes[0] = (unsigned char)number;
            int fd = open_by_handle_at(at, &handle.head, O_RDONLY);
            if (fd >= 0) { close(fd); close(at); snprintf(detail, sizeof detail, "opened file %d below %s", number, *place); return 1; }
            worst = -errno;
        }
        close(at);
    }
    return worst;
}

/* ---- other processes ---- */

static int trace_process(int pid) {
    char path[64];
    struct stat own, other;
    snprintf(path, sizeof path, "/proc/%d/root/", pid);
    if (stat("/", &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino) return DENIED; /* of our own app */
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0) return -errno;
    ptrace(PTRACE_DETACH, pid, 0, 0);
    snprintf(detail, sizeof detail, "traced %d", pid);
    return 1;
}
static int trace(void) { return for_each_process(trace_process); }
static int trace_process_1(void) {
    int r = result(ptrace(PTRACE_SEIZE, 1, 0, 0));
    if (r > 0) ptrace(PTRACE_DETACH, 1, 0, 0);
    return r;
}
static int read_memory(void) {
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)settings, 1};
    int r = result(process_vm_readv(1, &here, 1, &there, 1, 0));
    return r == -EFAULT ? 1 : r; /* looked at, and nothing there */
}
static int take_descriptor(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    if (pidfd < 0) return -errno;
    int worst = DENIED;
    for (int fd = 0; fd < 32; fd++) {
        int r = result(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
        if (r > 0) return r;
        worst = r;
    }
    return worst;
}
static int compare_processes(void) { return result(syscall(SYS_kcmp, getpid(), 1, 1, 0, 0)); }
static int move_pages_of_process_1(void) { return result(syscall(SYS_migrate_pages, 1, 0, NULL, NULL)); }

static int join_namespaces(void) {
    static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "user", "uts", NULL};
    int worst = DENIED;
    for (int own = 0; own < 2; own++) {
        for (const char *const *kind = kinds; *kind; kind++) {
            char path[64];
            snprintf(path, sizeof path, own ? "/proc/self/ns/%s" : "/proc/1/ns/%s", *kind);
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            if (fd < 0) { worst = -errno; continue; }
            int r = result(setns(fd, 0));
            close(fd);
            if (r > 0) { snprintf(detail, sizeof detail, "joined %s", path); return 1; }
            worst = r;
        }
    }
    return worst;
}
static int join_process_1(void) {
    int fd = (int)syscall(SYS_pidfd_open, 1, 0);
    return fd < 0 ? -errno : result(setns(fd, CLONE_NEWNS));
}
static int parent_namespaces(void) {
    static const char *const kinds[] = {"user", "pid", "net", NULL};
    int worst = DENIED;
    for (const char *const *kind = kinds; *kind; kind++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", *kind);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return -errno;
        for (unsigned call = 1; call <= 2; call++) {
            int r = result(ioctl(fd, call == 1 ? 0xb701 /* NS_GET_USERNS */ : 0xb702 /* NS_GET_PARENT */));
            /* The user namespace that is ours is no secret; one above it would be. */
            if (r > 0 && call == 2) { snprintf(detail, sizeof detail, "opened the parent of %s", path); close(fd); return 1; }
            if (r < 0) worst = r;
        }
        close(fd);
    }
    return worst;
}

static const unsigned long namespaces[] = {CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP, 0x80 /* time */};
#define NAMESPACES (sizeof namespaces / sizeof *namespaces)

static int new_namespaces(void) {
    int worst = DENIED;
    for (size_t i = 0; i < NAMESPACES; i++) {
        int r = result(unshare((int)namespaces[i]));
        if (r > 0) {
            snprintf(detail, sizeof detail, "unshared %lx%s", namespaces[i], mount("none", "/tmp", "tmpfs", 0, NULL) == 0 ? " and mounted in it" : "");
            return 1;
        }
        worst = r;
    }
    return worst;
}
static int new_namespaces_together(void) { return result(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET)); }
static int born_in_a_namespace(void) {
    int worst = DENIED;
    for (size_t i = 0; i < NAMESPACES; i++) {
        if (namespaces[i] == 0x80) continue; /* in the place of the signal */
        long pid = syscall(SYS_clone, namespaces[i] | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) _exit(0);
        if (pid > 0) { waitpid((pid_t)pid, NULL, 0); snprintf(detail, sizeof detail, "clone %lx", namespaces[i]); return 1; }
        worst = -errno;
    }
    return worst;
}
static int born_in_a_namespace_3(void) {
    int worst = DENIED;
    for (size_t i = 0; i < NAMESPACES; i++) {
        uint64_t arguments[11] = {namespaces[i], 0, 0, 0, SIGCHLD};
        long pid = syscall(435 /* clone3 */, arguments, sizeof arguments);
        if (pid == 0) _exit(0);
        if (pid > 0) { waitpid((pid_t)pid, NULL, 0); snprintf(detail, sizeof detail, "clone3 %lx", namespaces[i]); return 1; }
        worst = -errno;
    }
    return worst;
}

/* ---- the kernel's larger doors ---- */

static int add_key_call(void) { return result(syscall(SYS_add_key, "user", "breakout", "x", 1, KEY_SPEC_PROCESS_KEYRING)); }
static int request_key_call(void) { return result(syscall(SYS_request_key, "user", "breakout", NULL, 0)); }
static int session_keyring(void) { return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL)); }
static int read_keyring(void) { return result(syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, NULL, 0)); }
static int module_from_memory(void) { return result(syscall(SYS_init_module, "x", 1, "")); }
static int module_from_file(void) { return result(syscall(SYS_finit_module, 0, "", 0)); }
static int module_removal(void) { return result(syscall(SYS_delete_module, "breakout", O_NONBLOCK)); }
static int bpf_map(void) {
    union bpf_attr attribute = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return result(syscall(SYS_bpf, BPF_MAP_CREATE, &attribute, sizeof attribute));
}
static int bpf_program(void) {
    struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};
    union bpf_attr attribute = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insn_cnt = 2, .insns = (uintptr_t)code, .license = (uintptr_t) "GPL"};
    return result(syscall(SYS_bpf, BPF_PROG_LOAD, &attribute, sizeof attribute));
}
static int performance(void) {
    struct perf_event_attr attribute = {.type = PERF_TYPE_SOFTWARE, .size = sizeof attribute, .config = PERF_COUNT_SW_CPU_CLOCK, .exclude_kernel = 1};
    return result(syscall(SYS_perf_event_open, &attribute, 0, -1, -1, 0));
}
static int page_faults(void) { return result(syscall(SYS_userfaultfd, 0)); }
static int page_faults_in_user_mode(void) { return result(syscall(SYS_userfaultfd, 1)); }
static int io_rings(void) { char parameters[120] = {0}; return result(syscall(SYS_io_uring_setup, 1, parameters)); }
static int watch_file_systems(void) { return result(syscall(SYS_fanotify_init, 4 /* content */, O_RDONLY)); }
static int kexec(void) { return result(syscall(SYS_kexec_load, 0, 0, NULL, 0)); }
static int kexec_file(void) { return result(syscall(SYS_kexec_file_load, -1, -1, 0, "", 0)); }
static int restart(void) {
    /* In the pod's own process space it can end the pod at the most; in the host's it is not tried. */
    char link[64] = {0};
    if (readlink("/proc/self/ns/pid", link, sizeof link - 1) < 0) return -errno;
    if (setting("stay")[0]) return DENIED;
    if (strcmp(link, setting("pidns")) == 0) { snprintf(detail, sizeof detail, "the host's process space"); return 1; }
    return result(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x1234567, NULL));
}
static int swap(void) { return result(syscall(SYS_swapon, "/data/mine", 0)); }
static int swap_off(void) { return result(syscall(SYS_swapoff, "/data/mine")); }
static int quotas(void) { return result(syscall(SYS_quotactl, 0x800003u << 8, "/dev/vda", 0, NULL)); }
static int accounting(void) { return result(syscall(SYS_acct, NULL)); }
static int clock_set(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return result(clock_settime(CLOCK_REALTIME, &now));
}
static int clock_set_old(void) {
    struct timeval now;
    gettimeofday(&now, NULL);
    return result(syscall(SYS_settimeofday, &now, NULL));
}
static int clock_tune(void) {
    struct timex t = {0};
    if (adjtimex(&t) < 0) return -errno;
    t.modes = ADJ_TICK;
    return result(adjtimex(&t));
}
static int io_ports(void) { return result(syscall(NR_IOPL, 3)); }
static int io_port(void) { return result(syscall(NR_IOPERM, 0x80, 1, 1)); }
static int host_name(void) { return result(sethostname("breakout", 8)); }
static int domain_name(void) { return result(setdomainname("breakout", 8)); }
static int hang_up(void) { return result(vhangup()); }
static int real_time(void) { struct sched_param p = {.sched_priority = 1}; return result(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p)); }
static int more_urgent(void) { return result(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) - 1)); }
static int io_real_time(void) { return result(syscall(SYS_ioprio_set, 1, 0, 1 << 13)); }
static int safe_from_memory_killer(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int r = result(write(fd, "-900", 4));
    close(fd);
    return r;
}
static int higher_limit(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_max == RLIM_INFINITY) { snprintf(detail, sizeof detail, "no limit on locked memory"); return 1; }
    limit.rlim_max++;
    return result(setrlimit(RLIMIT_MEMLOCK, &limit));
}
static int foreign_calls(void) {
#ifdef __x86_64__
    long r;
    __asm__ volatile("int $0x80" : "=a"(r) : "0"(20) : "memory"); /* getpid of 32-bit programs */
    return r > 0 ? 1 : (int)r;
#else
    return DENIED;
#endif
}
static int foreign_calls_x32(void) {
#ifdef __x86_64__
    return result(syscall(0x40000000 | SYS_getpid));
#else
    return DENIED;
#endif
}

/* ---- the network ---- */

static int interfaces(void) {
    int found = 0;
    struct if_nameindex *all = if_nameindex();
    if (!all) return -errno;
    for (struct if_nameindex *i = all; i->if_index; i++) {
        if (strcmp(i->if_name, "lo") != 0) { snprintf(detail, sizeof detail, "interface %s", i->if_name); found = 1; }
    }
    if_freenameindex(all);
    return found;
}
static int connect_host(void) {
    char copy[512];
    int worst = DENIED;
    snprintf(copy, sizeof copy, "%s", setting("addresses"));
    for (char *address = strtok(copy, ","); address; address = strtok(NULL, ",")) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(setting("port")))};
        if (inet_pton(AF_INET, address, &to.sin_addr) != 1) continue;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0) return -errno;
        int r = result(connect(fd, (struct sockaddr *)&to, sizeof to));
        close(fd);
        if (r > 0) { snprintf(detail, sizeof detail, "connected to %s", address); return 1; }
        worst = r;
    }
    return worst;
}
static int abstract_socket(void) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *name = setting("abstract");
    size_t length = strlen(name);
    memcpy(to.sun_path + 1, name, length);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    return result(connect(fd, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length)));
}
static int sniff(void) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(3));
    if (fd < 0) return -errno;
    int worst = DENIED;
    for (int i = 2; i < 16; i++) {
        struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(3), .sll_ifindex = i};
        int r = result(bind(fd, (struct sockaddr *)&at, sizeof at));
        if (r > 0) { snprintf(detail, sizeof detail, "listens on interface %d", i); return 1; }
        worst = r;
    }
    return worst;
}
static int raw_send(void) {
    struct sockaddr_in to = {.sin_family = AF_INET};
    char packet[8] = {8, 0, 0xf7, 0xff};
    inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1);
    return fd < 0 ? -errno : result(sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to));
}
static int machine_socket(void) {
    struct sockaddr_vm at = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 4711};
    int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : result(bind(fd, (struct sockaddr *)&at, sizeof at));
}
static int audit(void) {
    struct { struct nlmsghdr head; } request = {{sizeof request, AUDIT_GET, NLM_F_REQUEST, 1, 0}};
    char answer[256];
    struct timeval limit = {.tv_usec = 200000};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (send(fd, &request, sizeof request, 0) < 0) return -errno;
    ssize_t n = recv(fd, answer, sizeof answer, 0);
    if (n < 0) return -errno;
    return ((struct nlmsghdr *)answer)->nlmsg_type == AUDIT_GET;
}

/* Families of sockets besides the usual ones. Which of them there are depends on the kernel; above all AF_ALG and AF_RXRPC are sought. */
static int unusual_socket(long more) {
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW, SOCK_RDM};
    int worst = DENIED;
    const long count = sizeof types / sizeof *types;
    for (long family = 0; family < 64; family++) {
        if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK || family == AF_PACKET) continue;
        for (long i = 0; i < count * 2; i++) {
            /* AF_RXRPC wants the family that it is carried by, AF_KEY its version, others want none. */
            long protocol = i < count ? 0 : family == AF_KEY ? 2 : AF_INET;
            int r = result(syscall(SYS_socket, family + more, types[i % count] | (long)SOCK_CLOEXEC, protocol));
            if (r > 0) { snprintf(detail, sizeof detail, "a socket of family %ld", family); return 1; }
            worst = r;
            if (r == -EAFNOSUPPORT) break;
        }
    }
    return worst;
}
static int unusual_sockets(void) { return unusual_socket(0); }
/* The kernel looks at half of the number. */
static int unusual_sockets_by_other_numbers(void) { return unusual_socket(sizeof(long) > 4 ? 1L << 32 : 0); }

/* Asks a part of the kernel's network something harmless that only its administrator may ask. */
static int ask_network(int protocol, int type, const void *body, size_t length) {
    struct { struct nlmsghdr head; char body[64]; } request = {{(unsigned)(NLMSG_HDRLEN + length), (unsigned short)type, NLM_F_REQUEST | NLM_F_ACK, 1, 0}, {0}};
    char answer[1024];
    struct timeval limit = {.tv_usec = 500000};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0) return -errno;
    memcpy(request.body, body, length);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (send(fd, &request, request.head.nlmsg_len, 0) < 0) return -errno;
    if (recv(fd, answer, sizeof answer, 0) < 0) return -errno;
    struct nlmsghdr *head = (struct nlmsghdr *)answer;
    int error = head->nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)NLMSG_DATA(head))->error : 0;
    return error < 0 ? error : 1;
}
static int packet_filter(void) { return ask_network(NETLINK_NETFILTER, 10 << 8 | 16 /* nf_tables: get generation */, "\0\0\0", 4); }
static int packet_encryption(void) { return ask_network(NETLINK_XFRM, 0x23 /* get information */, "\377\377\377\377", 4); }
static int network_interface(void) { char link[16] = {0, 0, 0, 0, 1}; return ask_network(NETLINK_ROUTE, 16 /* new link */, link, sizeof link); }

/* ---- what comes along, and volumes ---- */

/* Who opens a leased file waits for its holder, for 45 seconds. */
static int lease_of_the_log(void) {
    int worst = DENIED;
    for (int fd = 1; fd <= 2; fd++) {
        int r = result(fcntl(fd, F_SETLEASE, F_WRLCK));
        if (r > 0) { fcntl(fd, F_SETLEASE, F_UNLCK); return 1; }
        worst = r;
    }
    return worst;
}
static int owner_of_the_log(void) {
    struct stat st;
    return fstat(1, &st) < 0 ? -errno : result(fchown(1, geteuid(), getegid()));
}

static int descriptors(void) {
    int found = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) return -errno;
    for (struct dirent *e; (e = readdir(dir));) {
        int fd = atoi(e->d_name);
        if (fd > 2 && fd != dirfd(dir)) {
            char path[64], link[256] = {0};
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            if (readlink(path, link, sizeof link - 1) < 0) continue;
            snprintf(detail, sizeof detail, "%d is %s", fd, link);
            found = 1;
        }
    }
    closedir(dir);
    return found;
}
static int streams_as_directories(void) {
    int worst = DENIED;
    for (int fd = 0; fd < 3; fd++) {
        int r = result(openat(fd, "..", O_PATH));
        if (r > 0) return r;
        worst = r;
    }
    return worst;
}
static int working_directory(void) {
    char path[500];
    struct stat own, top;
    long n = syscall(SYS_getcwd, path, sizeof path);
    if (n < 0) return -errno;
    if (path[0] != '/') { snprintf(detail, sizeof detail, "it is %s", path); return 1; }
    if (stat("/", &own) < 0 || stat("../../../../../../../../../../../../../../..", &top) < 0) return -errno;
    return own.st_dev != top.st_dev || own.st_ino != top.st_ino;
}
static int type_into_the_terminal(void) {
    static const char *const terminals[] = {"/dev/tty", "/dev/console", "/dev/tty0", "/dev/pts/0", NULL};
    int worst = DENIED;
    char byte = '\n';
    for (int fd = 0; fd < 3; fd++) {
        int r = result(ioctl(fd, TIOCSTI, &byte));
        if (r > 0) return r;
        worst = r;
    }
    for (const char *const *t = terminals; *t; t++) {
        int fd = open(*t, O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0) continue;
        int r = result(ioctl(fd, TIOCSTI, &byte));
        close(fd);
        if (r > 0) { snprintf(detail, sizeof detail, "typed into %s", *t); return 1; }
    }
    return worst;
}
static int write_read_only_volume(void) { return result(open("/fixed/new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }
static int chmod_read_only_volume(void) { return result(chmod("/fixed/file", 0777)); }
static int link_out_of_a_volume(void) { return result(link("/fixed/file", "/data/linked")); }
static int link_into_the_root(void) { return result(link("/data/file", "/tmp/linked")); }
static int link_of_another_user(void) {
    char rule = '1';
    int fd = open("/proc/sys/fs/protected_hardlinks", O_RDONLY | O_CLOEXEC);
    if (read(fd, &rule, 1) != 1) rule = '1';
    close(fd);
    if (geteuid() == 0 || rule == '0') { snprintf(detail, sizeof detail, "not tried: %s", rule == '0' ? "fs.protected_hardlinks is off here" : "root may"); return DENIED; }
    return result(link("/data/private", "/data/linked-private"));
}
static int rename_out_of_a_volume(void) { return result(rename("/data/file", "/tmp/renamed")); }
static int links_on_a_volume(void) { return any(readable, LIST("/data/link-absolute", "/data/link-up", "/data/link-proc")); }
static int set_user_id(void) {
    int stream[2];
    if (pipe(stream) < 0) return -errno;
    pid_t child = fork();
    if (child == 0) {
        dup2(stream[1], 1);
        execl("/data/set-user-id", "breakout", "euid", (char *)NULL);
        _exit(127);
    }
    close(stream[1]);
    char text[32] = {0};
    ssize_t n = read(stream[0], text, sizeof text - 1);
    int status;
    waitpid(child, &status, 0);
    if (n <= 0) return -EACCES;
    text[strcspn(text, "\n")] = 0;
    snprintf(detail, sizeof detail, "runs as %s", text);
    return (uid_t)atoi(text) != geteuid();
}

static const struct { const char *name; int (*run)(void); } attempts[] = {
#define A(f) {#f, f}
    A(process_1_root), A(process_1_cwd), A(process_1_descriptors), A(process_1_environment), A(process_1_memory), A(process_1_maps), A(process_1_program),
    A(other_roots), A(secret_files), A(host_process), A(kernel_memory), A(kernel_log), A(kernel_log_write), A(kernel_log_call), A(kernel_secrets),
    A(kernel_addresses), A(sys_kernel), A(sys_firmware), A(sysctls), A(core_pattern), A(binfmt), A(sysrq), A(uevent_helper), A(sys_switches), A(user_maps),
    A(control_group_files), A(control_group_above), A(control_group_new), A(device_nodes), A(devices), A(device_on_a_volume), A(network_device),
    A(mount_tmpfs), A(mount_proc), A(mount_bind), A(remount_root), A(remount_proc), A(remount_read_only_volume), A(change_propagation), A(unmount),
    A(unmount_what_hides), A(new_file_system), A(clone_tree), A(move_tree), A(mount_attributes), A(pick_file_system), A(change_root), A(chroot_escape),
    A(chroot_escape_by_descriptor), A(handles), A(trace), A(trace_process_1), A(read_memory), A(take_descriptor), A(compare_processes),
    A(move_pages_of_process_1), A(join_namespaces), A(join_process_1), A(parent_namespaces), A(new_namespaces),
    A(new_namespaces_together), A(born_in_a_namespace), A(born_in_a_namespace_3), A(add_key_call), A(request_key_call), A(session_keyring), A(read_keyring),
    A(module_from_memory), A(module_from_file), A(module_removal), A(bpf_map), A(bpf_program), A(performance), A(page_faults), A(page_faults_in_user_mode),
    A(io_rings), A(watch_file_systems), A(kexec), A(kexec_file), A(restart), A(swap), A(swap_off), A(quotas), A(accounting), A(clock_set),
    A(clock_set_old), A(clock_tune), A(io_ports), A(io_port), A(host_name), A(domain_name), A(hang_up), A(real_time), A(more_urgent), A(io_real_time),
    A(safe_from_memory_killer), A(higher_limit), A(foreign_calls), A(foreign_calls_x32), A(interfaces), A(connect_host), A(abstract_socket), A(sniff),
    A(raw_send), A(machine_socket), A(unusual_sockets), A(unusual_sockets_by_other_numbers), A(packet_filter), A(packet_encryption), A(network_interface),
    A(audit), A(lease_of_the_log), A(owner_of_the_log), A(descriptors), A(streams_as_directories), A(working_directory), A(type_into_the_terminal),
    A(write_read_only_volume), A(chmod_read_only_volume), A(link_out_of_a_volume), A(link_into_the_root), A(link_of_another_user),
    A(rename_out_of_a_volume), A(links_on_a_volume), A(set_user_id),
};

/* Each in a process of its own, which its attempt may change, or which may be killed for it. */
static void try_all(void) {
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            alarm(20);
            errno = 0;
            int r = attempts[i].run();
            if (r > 0) printf("%s: SUCCEEDED %s\n", attempts[i].name, detail);
            else printf("%s: denied %s%s\n", attempts[i].name, r < 0 ? strerrorname_np(-r) : "", detail[0] && r == 0 ? detail : "");
            fflush(stdout);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        if (WIFSIGNALED(status)) printf("%s: denied SIG%s\n", attempts[i].name, sigabbrev_np(WTERMSIG(status)));
    }
}

static int bomb(void) {
    /* Bounded here too: should nothing hold it, the host must live. */
    enum { MOST = 600 };
    static pid_t children[MOST];
    int count = 0;
    for (; count < MOST; count++) {
        children[count] = fork();
        if (children[count] < 0) break;
        if (children[count] == 0) { alarm(60); pause(); _exit(0); }
    }
    int error = errno;
    for (int i = 0; i < count; i++) kill(children[i], SIGKILL);
    for (int i = 0; i < count; i++) waitpid(children[i], NULL, 0);
    if (count < MOST) printf("held at %d %s\n", count, strerrorname_np(error));
    else printf("not held\n");
    return 0;
}

static void overwrite(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("ready\n");
    for (int self = getpid();;) {
        for (int pid = 2; pid < 300; pid++) {
            char path[64], link[256] = {0};
            if (pid == self) continue;
            snprintf(path, sizeof path, "/proc/%d/exe", pid);
            int fd = open(path, O_PATH | O_CLOEXEC);
            if (fd < 0) continue;
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            if (readlink(path, link, sizeof link - 1) > 0 && strncmp(link, "/bin/", 5) != 0) {
                printf("held %s\n", link);
                int out = open(path, O_WRONLY | O_CLOEXEC);
                if (out >= 0 && write(out, "overwritten", 11) == 11) printf("OVERWROTE %s\n", link);
                if (out >= 0) close(out);
            }
            close(fd);
        }
    }
}

static void print_matching(const char *path, const char *const *words) {
    char line[512];
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        for (const char *const *w = words; *w; w++) if (strncmp(line, *w, strlen(*w)) == 0) printf("  %s", line);
    }
    if (f) fclose(f);
}

static int summary(void) {
    static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts", NULL};
    printf("namespaces:\n");
    for (const char *const *kind = kinds; *kind; kind++) {
        char path[64], link[64] = {0};
        snprintf(path, sizeof path, "/proc/self/ns/%s", *kind);
        if (readlink(path, link, sizeof link - 1) > 0) printf("  %s\n", link);
    }
    printf("user ids (inside, outside, count):\n");
    print_matching("/proc/self/uid_map", LIST(" "));
    printf("rights:\n");
    print_matching("/proc/self/status", LIST("Uid", "Cap", "NoNewPrivs", "Seccomp"));
    printf("capabilities that can be had:");
    for (int c = 0; c < 64; c++) if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1) printf(" %d", c);
    printf("\nlimits:\n");
    print_matching("/proc/self/limits", LIST("Max processes", "Max open files", "Max locked memory"));
    return 0;
}

int main(int count, char **arguments) {
    settings = arguments + 1;
    const char *mode = count > 1 ? arguments[1] : "";
    if (strcmp(mode, "euid") == 0) return printf("%d\n", (int)geteuid()) < 0;
    if (strcmp(mode, "bomb") == 0) return bomb();
    if (strcmp(mode, "list") == 0) {
        for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) printf("%s\n", attempts[i].name);
        return 0;
    }
    if (strcmp(mode, "summary") == 0) return summary();
    if (strcmp(mode, "overwrite") == 0) overwrite();
    if (strcmp(mode, "swap") == 0 && count == 4) {
        printf("ready\n");
        fflush(stdout);
        /* Now fast, and now so that each state lasts for a while. */
        for (unsigned i = 0;; i++) {
            if (renameat2(AT_FDCWD, arguments[2], AT_FDCWD, arguments[3], RENAME_EXCHANGE) < 0) return 1;
            if (i % 512 > 500) usleep(20000);
        }
    }
    try_all();
    printf("done\n");
    return 0;
}
