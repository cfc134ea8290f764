/* The node as a process: on the simulator's bench, or free-running with a made-up board on a terminal or socket. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "free.h"
#include "lines.h"

enum { BURST_COUNTS = 1 << 20 }; /* 2 MB: four bursts of 65,536 samples of four channels */

static int16_t burst_memory[BURST_COUNTS];
static int bench_in = -1;
static int bench_out = -1;

static bool read_all(bench_stream stream, uint8_t *data, size_t length)
{
    const int fd = stream == BENCH_WIRE ? STDIN_FILENO : bench_in;
    while (length > 0) {
        const ssize_t got = read(fd, data, length);
        if (got <= 0) {
            if (got < 0 && errno == EINTR) {
                continue;
            }
            return false;
        }
        data += got;
        length -= (size_t)got;
    }
    return true;
}

static bool write_all(bench_stream stream, const uint8_t *data, size_t length)
{
    const int fd = stream == BENCH_WIRE ? STDOUT_FILENO : bench_out;
    while (length > 0) {
        const ssize_t put = write(fd, data, length);
        if (put < 0) {
            if (errno == EINTR) {
                continue;
            }
            return false;
        }
        data += put;
        length -= (size_t)put;
    }
    return true;
}

static int usage(void)
{
    (void)fputs("usage: leaknode --bench IN OUT        step by step with a simulator on these descriptors;\n"
                "                                      the wire is stdin and stdout\n"
                "       leaknode --pty NAME [--uid H]  free-running on a pseudo-terminal, found at NAME\n"
                "       leaknode --tcp PORT [--uid H]  free-running on a loopback port, one host at a time\n"
                "       leaknode --stdio [--uid H]     free-running on stdin and stdout\n"
                "Example: leaknode --pty /tmp/ttyNODE --uid 51a3\n",
                stderr);
    return 2;
}

int main(int arguments, char **argument)
{
    uint64_t uid = 0x51A3;
    if (arguments < 2) {
        return usage();
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (strcmp(argument[1], "--bench") == 0 && arguments == 4) {
        static const bench_port PORT = {read_all, write_all, NULL, burst_memory, BURST_COUNTS};
        bench_in = atoi(argument[2]);
        bench_out = atoi(argument[3]);
        bench_serve(&PORT);
        return 0;
    }
    const int needed = strcmp(argument[1], "--stdio") == 0 ? 2 : 3;
    if (arguments == needed + 2 && strcmp(argument[needed], "--uid") == 0) {
        char *end;
        uid = strtoull(argument[needed + 1], &end, 16);
        if (*end != '\0') {
            return usage();
        }
    } else if (arguments != needed) {
        return usage();
    }
    line opened;
    if (strcmp(argument[1], "--pty") == 0) {
        opened = line_on_terminal(argument[2]);
    } else if (strcmp(argument[1], "--tcp") == 0) {
        opened = line_on_port(argument[2]);
    } else if (needed == 2) {
        opened = line_on_stdio();
    } else {
        return usage();
    }
    if (opened.in < 0) {
        (void)fprintf(stderr, "leaknode: no line at %s: %s\n", argument[needed - 1], strerror(errno));
        return 1;
    }
    const int status = free_run(&opened, uid, burst_memory, BURST_COUNTS);
    line_close(&opened);
    return status;
}
