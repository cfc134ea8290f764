/* What the files of a node share: node.c (its life), hearing.c (commands), speaking.c (frames). */
#ifndef LN_NODE_PARTS_H
#define LN_NODE_PARTS_H

#include "node.h"

/* What its clock says. */
static inline uint64_t ln_now(const ln_node *node)
{
    return node->hal->now_ns(node->hal->context);
}

/* A constant of the program as a text; at most LN_MAX_TEXT_BYTES. */
ln_text ln_constant_text(const char *words);

/* Send what there is, while the line takes it. */
void ln_node_send(ln_node *node);

/* Play what the siren is to play now, which changes as the host falls silent or is heard again. */
void ln_node_watch(ln_node *node, uint64_t now_ns);

#endif
