#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/verification/judge_constants.h"
#include "frontend/verification/verdict.h"
#include "ir/error.h"

// N-LSQ: the state is the scale.

namespace stair::verification::judges {
namespace {

void judge_learned_scale(Constants& all, const ir::Node& node, const std::string& name, const passes::Integers& its) {
  const runtime::Tensor* steps = all.state(node.operands[0]);
  if (steps == nullptr) throw InternalError("'" + node.name + "' is the scale of no step");
  Judgement of_scale{name, "scale", true};
  for (std::int64_t c = 0; c < all.values(its.scale).count(); ++c) {
    const double step = std::max(std::abs(static_cast<double>(steps->as<float>()[c])), 0x1p-100);
    const double found = all.number(its.scale, c);
    count(of_scale, c, scale_verdict(found, step, 1, 0, node.attributes.boolean("power_of_two")), found);
  }
  all.into.push_back(std::move(of_scale));
  all.judge_equal(name, "zero point", static_cast<double>(all.integer(its.zero_point)), 0);
}

}  // namespace

void lsq(OpJudgeRegistry& registry) {
  registry.add({.name = "learned_scale", .scales = judge_learned_scale});
  registry.add({.name = "fake_quantize_learned", .weights = judge_equal_steps});
}

}  // namespace stair::verification::judges
