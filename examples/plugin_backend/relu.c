#include "op.h"

/* y = max(x, 0) */

static const char* supports(const stair_node* node) {
  return node->operands[0].element == STAIR_F32 ? NULL : "floats of 32 bits only";
}

static const char* run(const stair_node* node, const stair_arguments* arguments) {
  const int64_t count = stair_count(&node->results[0]);
  const float* x = arguments->operands[0];
  float* y = arguments->results[0]; /* may be x */
  int64_t i;
  for (i = 0; i < count; ++i) y[i] = x[i] > 0 ? x[i] : 0;
  return NULL;
}

const op relu = {"relu", supports, run};
