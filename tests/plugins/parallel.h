/* A plug-in whose result tells how the driver cuts parallel work: the float sum of a row, pieces of it first. */

#include <stair_plugin.h>
#include <stdlib.h>

#define GRAIN 1000

#ifndef PIECE
#define PIECE sum_of_piece
#endif
#ifndef PIECE_GRAIN
#define PIECE_GRAIN GRAIN
#endif

struct stair_kernel {
  int64_t count;
};

typedef struct job {
  const float* x;
  float* sums;    /* a piece */
  float* workers; /* GRAIN elements of each worker */
  int32_t threads;
} job;

static const char* supports_op(const char* op) {
  return strcmp(op, "reduce_sum") == 0 ? NULL : "only reduce_sum";
}

static const char* supports(const stair_node* node) {
  if (strcmp(node->op, "reduce_sum") != 0) return "only reduce_sum";
  if (node->operands[0].element != STAIR_F32 || node->operands[0].rank != 2 || node->operands[0].dims[0] != 1) return "only f32[1,N]";
  return stair_count(&node->results[0]) == 1 ? NULL : "only along the row";
}

static const char* prepare(const stair_node* node, const void* const* constants, stair_kernel** kernel) {
  (void)constants;
  *kernel = (stair_kernel*)malloc(sizeof(stair_kernel));
  if (*kernel == NULL) return "out of memory";
  (*kernel)->count = stair_count(&node->operands[0]);
  return NULL;
}

static size_t scratch_bytes(const stair_kernel* kernel) {
  return ((size_t)(kernel->count / GRAIN + 1) + (size_t)STAIR_MAX_WORKERS * GRAIN) * sizeof(float);
}

static const char* description(const stair_kernel* kernel) {
  (void)kernel;
  return "sums of pieces";
}

/* Backwards, by way of the worker's memory, which no other piece may use at the same time. */
static inline const char* sum_of_piece(void* data, int64_t first, int64_t last, int32_t worker) {
  const job* j = (const job*)data;
  float* own = j->workers + (size_t)worker * GRAIN;
  float sum = 0;
  int64_t i;
  if (worker < 0 || worker >= j->threads || worker >= STAIR_MAX_WORKERS) return "no such worker";
  if (first % GRAIN != 0 || last <= first || last - first > GRAIN) return "another piece than was asked for";
  for (i = first; i < last; ++i) own[i - first] = j->x[i];
  for (i = last - first; i > 0; --i) sum += own[i - 1];
  j->sums[first / GRAIN] = sum;
  return NULL;
}

static inline const char* some_fail(void* data, int64_t first, int64_t last, int32_t worker) {
  (void)data, (void)last, (void)worker;
  return first < 3 * GRAIN ? NULL : first == 3 * GRAIN ? "the fourth piece" : "a later piece";
}

static const char* run(stair_kernel* kernel, const stair_arguments* a) {
  const int64_t pieces = (kernel->count + GRAIN - 1) / GRAIN;
  float* sums = (float*)a->scratch;
  job j = {(const float*)a->operands[0], sums, sums + kernel->count / GRAIN + 1, a->threads};
  float* y = (float*)a->results[0];
  int64_t p;
  const char* error = a->parallel_for(a, kernel->count, PIECE_GRAIN, PIECE, &j);
  if (error != NULL) return error;
  *y = 0;
  for (p = 0; p < pieces; ++p) *y += sums[p];
  return a->parallel_for(a, 0, 1, some_fail, NULL); /* of nothing: no piece */
}

static void destroy(stair_kernel* kernel) {
  free(kernel);
}

#ifndef NAME
#define NAME "parallel"
#endif

static const stair_plugin table = {STAIR_PLUGIN_ABI,
                                   STAIR_ANY_LAYOUT,
                                   sizeof(stair_plugin),
                                   NAME,
                                   "sums floats in pieces",
                                   supports_op,
                                   supports,
                                   prepare,
                                   scratch_bytes,
                                   description,
                                   run,
                                   destroy};

const char* stair_plugin_load(uint32_t driver_abi, const stair_plugin** plugin) {
  (void)driver_abi;
  *plugin = &table;
  return NULL;
}
