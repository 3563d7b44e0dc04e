#include "frontend/verification/op_judge.h"

// Averages whose terms aren't as many as IntegerForm::count: (n + 4) u |x| averaged alike + e(x) averaged alike, of n terms.

namespace stair::verification::judges {
namespace {

ir::ValueId bound_of(BoundedNode& n, double terms) {
  const ir::ValueId own = n.times(n.again({n.most()}), (terms + 4) * float_unit);
  return n.sum(own, n.e() == ir::absent ? n.e() : n.again({n.e()}));
}

}  // namespace

void weighted_averages(OpJudgeRegistry& registry) {
  registry.add({.name = "resize_bilinear", .bound = [](BoundedNode& n) { return bound_of(n, 8); }});
  registry.add({.name = "avg_pool_inside", .bound = [](BoundedNode& n) {
                  const std::vector<std::int64_t>& kernel = n.node().attributes.integers("kernel");
                  return bound_of(n, static_cast<double>(kernel[0]) * static_cast<double>(kernel[1]));
                }});
}

}  // namespace stair::verification::judges
