/* Lines of the free-running process: a pseudo-terminal with a name, a loopback port, stdin and stdout. */
#ifndef LN_LINES_H
#define LN_LINES_H

#include <stdbool.h>

typedef struct {
    int in, out;      /* -1: nobody is there */
    int listener;     /* of a port, else -1 */
    int kept;         /* the terminal's far end stays open here too, so that it survives a host that closes it */
    const char *name; /* the terminal's link, else NULL */
} line;

line line_on_terminal(const char *name);
line line_on_port(const char *port);
line line_on_stdio(void);

/* The host hung up: whether another one may come. */
bool line_again(line *opened);

void line_close(line *opened);

#endif
