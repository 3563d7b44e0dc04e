#include "op.h"

/* acc[row, o] = sum over k of (x[row, k] - zero_point) * w[o, k], in int32: that it can't overflow is proven when the graph is made
 * (N-ACC). */

static const char* supports(const stair_node* node) {
  return node->operands[0].element == STAIR_U8 ? NULL : "inputs of unsigned integers only";
}

static int32_t product(const uint8_t* x, int32_t zero_point, const int8_t* w, int64_t count) {
  int32_t sum = 0;
  int64_t k;
  for (k = 0; k < count; ++k) sum += (x[k] - zero_point) * w[k];
  return sum;
}

typedef struct product_of {
  int64_t inputs, outputs;
  const uint8_t* x;
  const int8_t* w;
  int32_t zero_point;
  int32_t* acc;
} product_of;

/* Some of the results, as they lie in memory: row by row. */
static const char* results(void* data, int64_t first, int64_t last, int32_t worker) {
  const product_of* p = data;
  int64_t i;
  (void)worker; /* no scratch memory is needed */
  for (i = first; i < last; ++i) {
    p->acc[i] = product(p->x + i / p->outputs * p->inputs, p->zero_point, p->w + i % p->outputs * p->inputs, p->inputs);
  }
  return NULL;
}

static const char* run(const stair_node* node, const stair_arguments* arguments) {
  const int64_t outputs = node->operands[1].dims[0];
  const int64_t inputs = node->operands[1].dims[1];
  product_of p = {
      inputs, outputs, arguments->operands[0], arguments->operands[1], *(const int32_t*)arguments->operands[2], arguments->results[0]};
  /* Pieces of about 100,000 products: less isn't worth another thread. */
  return arguments->parallel_for(arguments, stair_count(&node->results[0]), 1 + 100000 / inputs, results, &p);
}

const op linear_integer = {"linear_integer", supports, run};
