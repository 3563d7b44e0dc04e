#include "passes/accumulators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "ir/error.h"
#include "ir/op.h"

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();
// fit_channels keeps an integer bias within ±2^30 (N-BIAS).
constexpr std::int64_t bias_bound = std::int64_t{1} << 30;

// More than any bound that passes, where the product of hostile shapes, widths and zero points doesn't fit.
std::int64_t bounded_product(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() / 2
                                                : std::min(product, std::numeric_limits<std::int64_t>::max() / 2);
}

// max |q - z|, for any zero point in the range where the actual one isn't known.
std::int64_t largest_step(const Graph& graph, ValueId value, ValueId zero_point, const ConstantLookup& constants) {
  const ir::Limits limits = limits_of(graph, value);
  const ir::TensorView z = constants(graph.value(zero_point).name);
  if (z.data == nullptr) return limits.high - limits.low;
  const std::int64_t point = z.as<std::int32_t>()[0];
  return std::max(std::abs(limits.low - point), std::abs(limits.high - point));
}

// max over the channels (first dimension) of sum |q|; false where the weights aren't known.
bool largest_weight_sum(const ir::TensorView& weight, std::int64_t& sum) {
  if (weight.data == nullptr) return false;
  const std::int64_t channels = weight.dim(0);
  const std::int64_t per_channel = weight.count() / channels;
  sum = 0;
  for (std::int64_t c = 0; c < channels; ++c) {
    std::int64_t total = 0;
    for (std::int64_t k = 0; k < per_channel; ++k) total += std::abs(weight.as<std::int8_t>()[c * per_channel + k]);
    sum = std::max(sum, total);
  }
  return true;
}

int bits_of(std::int64_t bound) {
  int bits = 1;
  while (bits < 63 && (std::int64_t{1} << (bits - 1)) <= bound) ++bits;
  return bits;
}

class Prover {
 public:
  Prover(const Graph& graph, const ConstantLookup& constants) : graph_(graph), uses_(graph), constants_(constants) {}

  std::vector<AccumulatorBound> run() {
    std::vector<AccumulatorBound> bounds;
    for (const Node& node : graph_.nodes()) {
      if (!node.op->integer.factors.empty()) bounds.push_back(prove(node));
    }
    return bounds;
  }

 private:
  AccumulatorBound prove(const Node& node) {
    const ir::IntegerForm& form = node.op->integer;
    const std::int64_t terms = form.terms(graph_, node);
    AccumulatorBound made{node.name, 1, 0, false};
    for (const ir::IntegerForm::Factor& factor : form.factors) {
      const ValueId operand = node.operands[factor.operand];
      std::int64_t largest = 0;
      if (factor.zero_point) {
        largest = largest_step(graph_, operand, node.operands[*factor.zero_point], constants_);
      } else {
        made.from_weights = largest_weight_sum(constants_(graph_.value(operand).name), largest);
        const ir::Limits limits = limits_of(graph_, operand);
        if (!made.from_weights) largest = std::max(std::abs(limits.low), std::abs(limits.high));
      }
      made.bound = bounded_product(made.bound, largest);
    }
    if (!made.from_weights) made.bound = bounded_product(made.bound, terms);
    made.bound += largest_bias(node.results.front());
    made.bits = bits_of(made.bound);
    if (made.bound > int32_max) {
      throw Error(
          fmt::format("{} '{}': an int32 overflow can't be excluded: sums of {} terms and the bias may need {} bits, expected at most 32; "
                      "fewer bits for its weights or inputs would do",
                      node.op->name, node.name, terms, made.bits));
    }
    return made;
  }

  // The largest integer bias that a reader adds to the sum.
  std::int64_t largest_bias(ValueId sum) const {
    std::int64_t largest = 0;
    for (const ir::NodeId id : uses_.nodes[static_cast<std::size_t>(sum)]) {
      const Node& reader = graph_.node(id);
      for (std::size_t i = 0; i < reader.operands.size(); ++i) {
        if (i >= reader.op->operands.size() || reader.op->operands[i].name != "bias" || reader.operands[i] == ir::absent) continue;
        if (graph_.type(reader.operands[i]).dtype != ir::DType::i32) continue;
        const ir::TensorView bias = constants_(graph_.value(reader.operands[i]).name);
        if (bias.data == nullptr) {
          largest = std::max(largest, bias_bound);
          continue;
        }
        for (std::int64_t c = 0; c < bias.count(); ++c)
          largest = std::max<std::int64_t>(largest, std::abs(std::int64_t{bias.as<std::int32_t>()[c]}));
      }
    }
    return largest;
  }

  const Graph& graph_;
  ir::Uses uses_;
  const ConstantLookup& constants_;
};

}  // namespace

std::vector<AccumulatorBound> prove_accumulators(const Graph& graph, const ConstantLookup& constants) {
  return Prover(graph, constants).run();
}

}  // namespace stair::passes
