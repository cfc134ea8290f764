/* The free-running process: a made-up board with a real clock, for trying hosts without a simulator. */
#ifndef LN_FREE_H
#define LN_FREE_H

#include "lines.h"
#include "node.h"

/* Run until asked to end by SIGINT or SIGTERM, or until the line ends for good; the process's exit status. */
int free_run(line *opened, uint64_t uid, int16_t *memory, size_t capacity);

#endif
