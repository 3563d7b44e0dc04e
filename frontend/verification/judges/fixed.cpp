#include "frontend/verification/judge_constants.h"
#include "ir/error.h"

// Scales and zero points that states hold.

namespace stair::verification::judges {
namespace {

void judge_fixed(Constants& all, const ir::Node& node, const std::string& name, const passes::Integers& its) {
  const runtime::Tensor* scale = all.state(node.operands[0]);
  const runtime::Tensor* zero_point = all.state(node.operands[1]);
  if (scale == nullptr || zero_point == nullptr) throw InternalError("'" + node.name + "' isn't of states");
  all.judge_equal(name, "scale", all.number(its.scale), static_cast<double>(*scale->as<float>()));
  all.judge_equal(name, "zero point", static_cast<double>(all.integer(its.zero_point)), *zero_point->as<std::int32_t>());
}

}  // namespace

void fixed(OpJudgeRegistry& registry) {
  registry.add({.name = "fixed_parameters", .scales = judge_fixed});
}

}  // namespace stair::verification::judges
