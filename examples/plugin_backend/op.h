#ifndef OP_H
#define OP_H

#include <stair_plugin.h>

/* An op of this backend: one file each. */
typedef struct op {
  const char* name;
  /* NULL, or why this node can't be run. */
  const char* (*supports)(const stair_node* node);
  const char* (*run)(const stair_node* node, const stair_arguments* arguments);
} op;

extern const op add, linear_integer, relu;

#endif
