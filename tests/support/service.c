/* A service as systemd knows them, for tests: announces its readiness, or answers on sockets that it was handed.
   service announce [FILE]  says READY=1 when FILE (default /tmp/go) appears
   service child            has a child process do so
   service silent           never does
   service serve            answers on its sockets what it is sent; "quit" ends it, "fail" ends it with 3 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static void say(const char *message) {
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    char *path = getenv("NOTIFY_SOCKET");
    if (!path) { printf("no NOTIFY_SOCKET\n"); exit(9); }
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(fd, message, strlen(message), 0, (struct sockaddr *)&to, sizeof to) < 0) { perror("sendto"); exit(10); }
    close(fd);
}
static void announce(const char *file) {
    while (access(file, F_OK) != 0) usleep(2000);
    say("READY=1");
    printf("announced\n");
}
static int serve(void) {
    char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID"), *names = getenv("LISTEN_FDNAMES");
    if (!count || !pid || !names || atoi(pid) != getpid()) { printf("no sockets\n"); return 8; }
    int n = atoi(count);
    struct pollfd fds[16];
    char *name[16], *rest = strdup(names);
    for (int i = 0; i < n; i++) { fds[i].fd = 3 + i; fds[i].events = POLLIN; name[i] = strsep(&rest, ":"); }
    printf("serving\n");
    for (;;) {
        if (poll(fds, n, -1) < 0) return 7;
        for (int i = 0; i < n; i++) {
            if (!(fds[i].revents & POLLIN)) continue;
            char word[64] = { 0 }, answer[128];
            struct sockaddr_storage from;
            socklen_t size = sizeof from, width = sizeof(int);
            int type = 0;
            getsockopt(fds[i].fd, SOL_SOCKET, SO_TYPE, &type, &width);
            int c = type == SOCK_DGRAM ? fds[i].fd : accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC);
            if (c < 0) continue;
            ssize_t got = type == SOCK_DGRAM ? recvfrom(c, word, sizeof word - 1, 0, (struct sockaddr *)&from, &size) : read(c, word, sizeof word - 1);
            int len = snprintf(answer, sizeof answer, "%s got %s", name[i], word);
            if (got < 0 || (type == SOCK_DGRAM ? sendto(c, answer, len, 0, (struct sockaddr *)&from, size) : write(c, answer, len)) < 0) return 6;
            if (type != SOCK_DGRAM) close(c);
            if (!strncmp(word, "quit", 4)) return 0;
            if (!strncmp(word, "fail", 4)) return 3;
        }
    }
}
static void stop(int signal) { (void)signal; _exit(0); }
int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    signal(SIGTERM, stop);
    char *mode = argc > 1 ? argv[1] : "";
    printf("up\n");
    if (!strcmp(mode, "serve")) return serve();
    char *file = argc > 2 ? argv[2] : "/tmp/go";
    if (!strcmp(mode, "announce")) announce(file);
    if (!strcmp(mode, "child") && fork() == 0) announce(file);
    for (;;) pause();
}
