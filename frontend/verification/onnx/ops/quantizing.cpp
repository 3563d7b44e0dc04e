#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "frontend/verification/onnx/summing.h"

namespace stair::verification::onnx::ops {
namespace {

// One scale and zero point, or one an index of the axis.
std::size_t axis_of_scales(NodeRun& run, const Value& x, std::size_t scales, std::size_t zeros) {
  run.expect(run.integer("block_size", 0) == 0, "its scales are of blocks");
  const std::int64_t given = run.integer("axis", 1);
  run.expect(zeros == 1 || zeros == scales, fmt::format("it has {} scales and {} zero points", scales, zeros));
  if (scales == 1) return 0;
  const std::size_t axis = run.axis(given, x.shape.size());
  run.expect(static_cast<std::int64_t>(scales) == x.shape[axis],
             fmt::format("it has {} scales along dimension {} of {}", scales, axis, ir::to_string(x.shape)));
  return axis;
}

bool run_quantize(NodeRun& run) {
  const Value& x = run.in(0);
  run.expect(x.is_real(), "its input isn't of real numbers");
  const std::vector<float> scale = scales_at(run, 1);
  const std::vector<std::int64_t> zeros = zeros_at(run, 2);
  const auto output = static_cast<ElementType>(run.integer("output_dtype", 0));
  const ElementType type = run.has(2) ? run.in(2).type : output == ElementType::none ? ElementType::u8 : output;
  run.integer("saturate", 1);
  const std::size_t axis = axis_of_scales(run, x, scale.size(), zeros.size());
  if (x.is_dequantized() && !x.sum.empty()) {
    run.yield(requantized(run, x, scale, zeros, axis, type));
    return true;
  }
  Value y = made(type, x.shape);
  const Limits limits = limits_of(type);
  std::int64_t inner = 1;
  for (std::size_t d = axis + 1; d < x.shape.size(); ++d) inner *= x.shape[d];
  const auto at = [&](std::int64_t i, std::size_t count) { return count == 1 ? 0 : static_cast<std::size_t>(i / inner) % count; };
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const float t = static_cast<float>(x.number(i)) / scale[at(i, scale.size())];
    y.integers[static_cast<std::size_t>(i)] = placed(t, zeros[at(i, zeros.size())], limits);
  }
  run.yield(std::move(y));
  return true;
}

bool run_dequantize(NodeRun& run) {
  const Value& x = run.in(0);
  run.expect(!x.is_real() && limits_of(x.type).hi <= limits_of(ElementType::i32).hi, "its input isn't of integers of up to 32 bits");
  const std::vector<float> scale = scales_at(run, 1);
  const std::vector<std::int64_t> zeros = zeros_at(run, 2);
  Value y = x;
  y.axis = axis_of_scales(run, x, scale.size(), zeros.size());
  y.type = ElementType::f32;
  y.scale = scale;
  std::int64_t inner = 1;
  for (std::size_t d = y.axis + 1; d < x.shape.size(); ++d) inner *= x.shape[d];
  for (std::size_t i = 0; i < y.integers.size(); ++i) {
    y.integers[i] -= zeros[zeros.size() == 1 ? 0 : static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner) % zeros.size()];
  }
  run.yield(std::move(y));
  return true;
}

}  // namespace

void quantizing(OperatorRegistry& registry) {
  registry.add({"QuantizeLinear", run_quantize});
  registry.add({"DequantizeLinear", run_dequantize});
}

}  // namespace stair::verification::onnx::ops
