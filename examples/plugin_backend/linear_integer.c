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

static void run(const stair_node* node, const stair_arguments* arguments) {
  const int64_t outputs = node->operands[1].dims[0];
  const int64_t inputs = node->operands[1].dims[1];
  const int64_t rows = stair_count(&node->operands[0]) / inputs;
  const uint8_t* x = arguments->operands[0];
  const int8_t* w = arguments->operands[1];
  const int32_t zero_point = *(const int32_t*)arguments->operands[2];
  int32_t* acc = arguments->results[0];
  int64_t row, o;
  for (row = 0; row < rows; ++row) {
    for (o = 0; o < outputs; ++o) acc[row * outputs + o] = product(x + row * inputs, zero_point, w + o * inputs, inputs);
  }
}

const op linear_integer = {"linear_integer", supports, run};
