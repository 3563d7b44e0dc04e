#include "ir/integer_rows.h"
#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

OperandSpec norm_steps(const char* name, const char* doc) {
  return {.name = name, .doc = doc, .within = [](const Attributes&) { return Limits{-norm_parameter_most, norm_parameter_most}; }};
}

}  // namespace

void norm_parameters(OpRegistry& registry) {
  std::vector<OperandSpec> results{norm_steps("gamma", "i32: gamma in steps of the result, times 2^k"),
                                   norm_steps("beta", "i32, in the same units"),
                                   {.name = "k", .doc = "i32[1]", .within = [](const Attributes&) {
                                      return Limits{0, norm_parameter_bits};
                                    }}};
  for (OperandSpec& multiplier : multiplier_results("i32[1], of eps in units of the variance")) results.push_back(std::move(multiplier));
  registry.add(on_parameters(
      {.name = "norm_parameters",
       .summary = "N-NORM: gamma and beta as integers, and eps in fixed point",
       .operands = {{"gamma", "f32"}, {"beta", "f32, of the shape of gamma"}, {"x_scale", "s_x, f32[1]"}, {"y_scale", "s_y, f32[1]"}},
       .results = std::move(results),
       .attributes = {{"eps", "added to the variance", 1e-5, true, above(0)},
                      {"count", "elements that a mean is over", std::int64_t{1}, true, within(1, 0x1p23)}},
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_dtype(c, 0, DType::f32);
         expect_type(c, 1, c.operand(0));
         for (const std::size_t scale : {2U, 3U}) expect_type(c, scale, {DType::f32, {1}});
         const Type integers{DType::i32, c.shape(0)};
         const Type one{DType::i32, {1}};
         return {integers, integers, one, one, one};
       }},
      simulated_instead));
}

}  // namespace stair::ir::ops
