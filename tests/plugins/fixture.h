/* A plug-in that runs linear_integer, rightly. The files beside define what they do wrong, and include this. */

#include <stair_plugin.h>
#include <stdlib.h>

#ifndef ABI
#define ABI STAIR_PLUGIN_ABI
#endif
#ifndef LAYOUT
#define LAYOUT STAIR_ANY_LAYOUT
#endif
#ifndef SIZE
#define SIZE sizeof(stair_plugin)
#endif
#ifndef NAME
#define NAME "fixture"
#endif
#ifndef ERROR_AT_LOAD
#define ERROR_AT_LOAD NULL
#endif
#ifndef TABLE
#define TABLE &table
#endif
#ifndef ERROR_AT_PREPARE
#define ERROR_AT_PREPARE NULL
#endif
#ifndef KERNEL
#define KERNEL made
#endif
#ifndef SCRATCH
#define SCRATCH (size_t) kernel->node->operands[1].dims[1]
#endif
#ifndef DESCRIPTION
#define DESCRIPTION "fixture's loops"
#endif
#ifndef RUN
#define RUN run
#endif
#ifndef ERROR_AT_RUN
#define ERROR_AT_RUN NULL
#endif
#ifndef OFFSET
#define OFFSET 0
#endif

struct stair_kernel {
  const stair_node* node;
  const void* weight; /* where it is constant */
};

static const char* supports_op(const char* op) {
  return strcmp(op, "linear_integer") == 0 ? NULL : "only linear_integer";
}

static const char* supports(const stair_node* node) {
  if (strcmp(node->op, "linear_integer") != 0) return "only linear_integer";
  return node->operands[0].element == STAIR_U8 ? NULL : "only u8";
}

static const char* prepare(const stair_node* node, const void* const* constants, stair_kernel** kernel) {
  stair_kernel* made = (stair_kernel*)malloc(sizeof(stair_kernel));
  const char* error = made == NULL ? "out of memory" : ERROR_AT_PREPARE;
  if (error != NULL) {
    free(made);
    return error;
  }
  made->node = node;
  made->weight = constants[1];
  *kernel = KERNEL;
  if (*kernel == NULL) free(made);
  return NULL;
}

static size_t scratch_bytes(const stair_kernel* kernel) {
  return SCRATCH;
}

static const char* description(const stair_kernel* kernel) {
  (void)kernel;
  return DESCRIPTION;
}

static int misaligned(const void* memory) {
  return (uintptr_t)memory % 64 != 0;
}

static inline const char* run(stair_kernel* kernel, const stair_arguments* a) {
  const int64_t outputs = kernel->node->operands[1].dims[0];
  const int64_t inputs = kernel->node->operands[1].dims[1];
  const int64_t rows = stair_count(&kernel->node->operands[0]) / inputs;
  const uint8_t* x = (const uint8_t*)a->operands[0];
  const int8_t* w = (const int8_t*)a->operands[1];
  uint8_t* row = (uint8_t*)a->scratch;
  const int32_t z = *(const int32_t*)a->operands[2];
  int32_t* acc = (int32_t*)a->results[0];
  int64_t r, o, k;
  if (ERROR_AT_RUN != NULL) return ERROR_AT_RUN;
  if (misaligned(x) || misaligned(w) || misaligned(acc) || misaligned(row)) return "memory isn't aligned to 64 bytes";
  if (kernel->weight != NULL && kernel->weight != w) return "the constant weight has moved";
  for (r = 0; r < rows; ++r) {
    memcpy(row, x + r * inputs, (size_t)inputs);
    for (o = 0; o < outputs; ++o) {
      acc[r * outputs + o] = OFFSET;
      for (k = 0; k < inputs; ++k) acc[r * outputs + o] += (row[k] - z) * w[o * inputs + k];
    }
  }
  return NULL;
}

static void destroy(stair_kernel* kernel) {
  free(kernel);
}

static const stair_plugin table = {ABI,           LAYOUT,      SIZE, NAME,   "a plug-in of the tests", supports_op, supports, prepare,
                                   scratch_bytes, description, RUN,  destroy};

const char* stair_plugin_load(uint32_t driver_abi, const stair_plugin** plugin) {
  (void)driver_abi;
  *plugin = TABLE;
  return ERROR_AT_LOAD;
}
