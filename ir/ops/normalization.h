#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

inline IntegerForm folds(IntegerForm::Kind kind, decltype(IntegerForm::affine) affine = {}) {
  return {.kind = kind, .note = "folds into the layer before it (N-BN-SCALE, N-BN-WEIGHT)", .affine = std::move(affine)};
}

/// Operands of batch_norm and batch_norm_inference.
enum NormOperand : std::size_t { norm_x, norm_gamma, norm_beta, norm_mean, norm_variance };

/// gamma / deviation
inline ValueId norm_factor(const RewriteContext& c, ValueId deviation, std::string_view suffix) {
  return c.emit("div", {c.operands[norm_gamma], deviation}, suffix);
}

/// sqrt(variance + eps)
inline ValueId norm_deviation(const RewriteContext& c, ValueId variance, std::string_view suffix) {
  return c.emit("standard_deviation", {variance}, suffix, {{"eps", c.node.attributes.at("eps")}});
}

/// beta - (mean - bias) * factor
inline ValueId norm_shift(const RewriteContext& c, ValueId mean, ValueId bias, ValueId factor) {
  if (bias != absent) mean = c.emit("sub", {mean, bias}, "centre");
  return c.emit("sub", {c.operands[norm_beta], c.emit("mul", {mean, factor}, "moved")}, "shift");
}

inline Type channel_type(const InferContext& c) {
  return {c.operand(0).dtype, {c.shape(0)[1]}};
}

/// x is [N, C] or [N, C, H, W]; operands `first`… are [C], those between them like x.
inline void expect_channels(const InferContext& c, std::size_t first) {
  same_as_first_float(c);
  expect_operand(c, 0, c.shape(0).size() == 2 || c.shape(0).size() == 4, "[N,C] or [N,C,H,W]");
  for (std::size_t i = 1; i < c.operands.size(); ++i) expect_type(c, i, i < first ? c.operand(0) : channel_type(c));
}

}  // namespace stair::ir::ops
