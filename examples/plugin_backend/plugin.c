/* The backend "simple": plain loops in C for three ops. */

#include <stdlib.h>

#include "op.h"

static const op* const ops[] = {&add, &linear_integer, &relu};

struct stair_kernel {
  const op* op;
  const stair_node* node;
};

static const op* find(const char* name) {
  size_t i;
  for (i = 0; i < sizeof ops / sizeof *ops; ++i) {
    if (strcmp(ops[i]->name, name) == 0) return ops[i];
  }
  return NULL;
}

static const char* supports_op(const char* name) {
  return find(name) == NULL ? "no kernel of its own" : NULL;
}

static const char* supports(const stair_node* node) {
  const op* found = find(node->op);
  return found == NULL ? "no kernel of its own" : found->supports(node);
}

static const char* prepare(const stair_node* node, const void* const* constants, stair_kernel** kernel) {
  stair_kernel* made = malloc(sizeof *made);
  (void)constants; /* plain loops have nothing to pack */
  if (made == NULL) return "out of memory";
  made->op = find(node->op);
  made->node = node;
  *kernel = made;
  return NULL;
}

static size_t scratch_bytes(const stair_kernel* kernel) {
  (void)kernel;
  return 0;
}

static const char* description(const stair_kernel* kernel) {
  (void)kernel;
  return "loops";
}

static const char* run(stair_kernel* kernel, const stair_arguments* arguments) {
  return kernel->op->run(kernel->node, arguments);
}

static void destroy(stair_kernel* kernel) {
  free(kernel);
}

static const stair_plugin table = {
    .abi_version = STAIR_PLUGIN_ABI,
    .layout = STAIR_ANY_LAYOUT,
    .struct_size = sizeof(stair_plugin),
    .name = "simple",
    .summary = "plain loops in C for three ops: an example of a plug-in",
    .supports_op = supports_op,
    .supports = supports,
    .prepare = prepare,
    .scratch_bytes = scratch_bytes,
    .description = description,
    .run = run,
    .destroy = destroy,
};

const char* stair_plugin_load(uint32_t driver_abi, const stair_plugin** plugin) {
  (void)driver_abi; /* the driver knows this version, or refuses the table */
  *plugin = &table;
  return NULL;
}
