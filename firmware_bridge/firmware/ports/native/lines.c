#define _GNU_SOURCE
#include "lines.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static const line NONE = {-1, -1, -1, -1, NULL};

static void never_wait(int fd)
{
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

line line_on_terminal(const char *name)
{
    line opened = NONE;
    char path[128];
    struct termios raw;
    const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, path, sizeof path) != 0) {
        return NONE;
    }
    opened.kept = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (opened.kept < 0 || tcgetattr(opened.kept, &raw) != 0) {
        return NONE;
    }
    cfmakeraw(&raw);
    (void)tcsetattr(opened.kept, TCSANOW, &raw);
    struct stat there;
    if (lstat(name, &there) == 0 && S_ISLNK(there.st_mode)) {
        (void)unlink(name); /* of a run that was killed; anything else is in the way, and stays */
    }
    if (symlink(path, name) != 0) {
        return NONE;
    }
    never_wait(fd);
    opened.in = opened.out = fd;
    opened.name = name;
    return opened;
}

line line_on_port(const char *port)
{
    line opened = NONE;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    const int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)atoi(port));
    opened.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(opened.listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(opened.listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(opened.listener, 1) != 0 ||
        getsockname(opened.listener, (struct sockaddr *)&address, &length) != 0) {
        return NONE;
    }
    (void)fprintf(stderr, "leaknode: listening on port %u\n", (unsigned)ntohs(address.sin_port));
    (void)line_again(&opened);
    return opened;
}

line line_on_stdio(void)
{
    line opened = NONE;
    never_wait(STDIN_FILENO);
    never_wait(STDOUT_FILENO);
    opened.in = STDIN_FILENO;
    opened.out = STDOUT_FILENO;
    return opened;
}

bool line_again(line *opened)
{
    const int yes = 1;
    if (opened->listener < 0) {
        return false;
    }
    if (opened->in >= 0) {
        (void)close(opened->in);
    }
    opened->in = opened->out = accept(opened->listener, NULL, NULL);
    if (opened->in < 0) {
        return false;
    }
    (void)setsockopt(opened->in, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    never_wait(opened->in);
    return true;
}

void line_close(line *opened)
{
    if (opened->name != NULL) {
        (void)unlink(opened->name);
    }
}
