#include "passes/accumulators.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "ir/error.h"
#include "ir/numerics.h"
#include "ir/op.h"

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();
// fit_channels keeps an integer bias within ±2^30 (N-BIAS).
constexpr std::int64_t bias_bound = std::int64_t{1} << 30;

// The integers that a quantized value may hold: what its quantizer says, or what its element type can show.
ir::Range range_of(const Graph& graph, ValueId value) {
  const Node* node = graph.producer(value);
  while (node != nullptr && !node->attributes.has("lo") && node->op->integer.kind == ir::IntegerForm::Kind::move) {
    if (node->op->operands.front().variadic) break;
    value = node->operands.front();
    node = graph.producer(value);
  }
  if (node != nullptr && node->attributes.has("lo")) {
    return {static_cast<std::int32_t>(node->attributes.integer("lo")), static_cast<std::int32_t>(node->attributes.integer("hi"))};
  }
  if (node != nullptr && node->op->name == "fit_channels") {
    const ir::Range range = range_of(graph, node->operands[0]);
    const std::int32_t largest = std::max(std::abs(range.lo), std::abs(range.hi));
    return {-largest, largest};
  }
  return graph.type(value).dtype == ir::DType::u8 ? ir::Range{0, 255} : ir::Range{-128, 127};
}

// max |q - z|, for any zero point in the range where the actual one isn't known.
std::int64_t largest_step(const Graph& graph, ValueId value, ValueId zero_point, const ConstantLookup& constants) {
  const ir::Range range = range_of(graph, value);
  const ir::TensorView z = constants(graph.value(zero_point).name);
  if (z.data == nullptr) return range.hi - range.lo;
  const std::int64_t point = z.as<std::int32_t>()[0];
  return std::max(std::abs(range.lo - point), std::abs(range.hi - point));
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
      if (!node.op->name.ends_with("_integer") || graph_.type(node.results.front()).dtype != ir::DType::i32) continue;
      bounds.push_back(prove(node));
    }
    return bounds;
  }

 private:
  AccumulatorBound prove(const Node& node) {
    AccumulatorBound made{node.name, 0, 0, false};
    std::int64_t terms = 1;  // products or summands in one sum
    if (node.op->name == "conv2d_integer" || node.op->name == "linear_integer") {
      const ir::TensorView weight = constants_(graph_.value(node.operands[1]).name);
      const std::int64_t step = largest_step(graph_, node.operands[0], node.operands[2], constants_);
      const ir::Shape& shape = graph_.type(node.operands[1]).shape;
      terms = ir::element_count(shape) / shape[0];
      std::int64_t weight_sum = 0;
      made.from_weights = largest_weight_sum(weight, weight_sum);
      if (!made.from_weights) {
        const ir::Range range = range_of(graph_, node.operands[1]);
        weight_sum = terms * std::max(std::abs(range.lo), std::abs(range.hi));
      }
      made.bound = weight_sum * step;
    } else if (node.op->name == "matmul_integer") {
      const ir::Shape& a = graph_.type(node.operands[0]).shape;
      terms = node.attributes.boolean("transpose_a") ? a[a.size() - 2] : a.back();
      made.bound = terms * largest_step(graph_, node.operands[0], node.operands[2], constants_) *
                   largest_step(graph_, node.operands[1], node.operands[3], constants_);
    } else {  // sums of one operand
      terms = node.op->name == "avg_pool_integer"
                  ? node.attributes.integers("kernel")[0] * node.attributes.integers("kernel")[1]
                  : ir::element_count(graph_.type(node.operands[0]).shape) / ir::element_count(graph_.type(node.results[0]).shape);
      made.bound = terms * largest_step(graph_, node.operands[0], node.operands[1], constants_);
    }
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
