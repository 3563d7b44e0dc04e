#include "ir/ops/binary.h"

namespace stair::ir::ops {

void binarize(OpRegistry& registry) {
  registry.add(
      on_integers({.name = "binarize",
                   .summary = "+1 where x >= 0, else -1 (Courbariaux 2015, equation 1); stochastic: by probability (equation 2)",
                   .operands = binarize_operands(),
                   .results = {{.name = "q", .doc = "s8 in {-1, +1}", .packed_bits = [](const Attributes&) { return std::int64_t{1}; }}},
                   .attributes = binarize_attributes(),
                   .infer = [](const InferContext& c) -> std::vector<Type> {
                     check_binarize(c);
                     same_as_first_float(c);
                     return {{DType::s8, c.shape(0)}};
                   }}));
}

}  // namespace stair::ir::ops
