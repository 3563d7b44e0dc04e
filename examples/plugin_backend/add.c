#include "op.h"

/* y = a + b */

static const char* supports(const stair_node* node) {
  if (node->operands[0].element != STAIR_F32) return "floats of 32 bits only";
  if (!stair_same_shape(&node->operands[0], &node->operands[1])) return "operands of one shape only: no broadcasting";
  return NULL;
}

static const char* run(const stair_node* node, const stair_arguments* arguments) {
  const int64_t count = stair_count(&node->results[0]);
  const float* a = arguments->operands[0];
  const float* b = arguments->operands[1];
  float* y = arguments->results[0];
  int64_t i;
  for (i = 0; i < count; ++i) y[i] = a[i] + b[i];
  return NULL;
}

const op add = {"add", supports, run};
