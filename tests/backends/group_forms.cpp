#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/pipelines.h"
#include "tests/support/group.h"
#include "tests/support/pipeline_graphs.h"
#include "tests/support/seeds.h"

// Every form of every group that a backend makes: each optional operand absent (left out, or named as absent) and present, each order of
// operands, each clamp, parameters known beforehand or not, small shapes and larger ones. A form must become one kernel, which yields what
// the reference yields node by node; and so must what is left of it where somebody else reads a value in between. The last test says that
// no pipeline's graph makes a group that isn't among them.

namespace stair::tests {
namespace {

using ir::Attributes;
using ir::Shape;
using ir::ValueId;

// Walks through all combinations of choices: each round repeats the picks of the one before up to the last that has another alternative.
class Choices {
 public:
  std::int64_t pick(std::int64_t alternatives) {
    if (at_ == picks_.size()) picks_.emplace_back(0, alternatives);
    return picks_[at_++].first;
  }
  bool next() {
    while (!picks_.empty() && picks_.back().first + 1 == picks_.back().second) picks_.pop_back();
    at_ = 0;
    ++round_;
    if (picks_.empty()) return false;
    ++picks_.back().first;
    return true;
  }
  /// Which combination this is: the seed of what isn't enumerated.
  std::uint64_t round() const { return round_; }
  std::string text() const {
    std::ostringstream all;
    for (const auto& [pick, alternatives] : picks_) all << pick << "/" << alternatives << " ";
    return all.str();
  }

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> picks_;
  std::size_t at_ = 0;
  std::uint64_t round_ = 0;
};

struct Form {
  Group group;
  bool one_kernel = true;  ///< but for a clamp_range at its begin; else only its values are compared
};

// A family's next form; nothing where the choices don't go together.
using Family = std::optional<Form> (*)(Choices& c, bool large);

// No operand, one that is absent, one that is present.
struct Bias {
  enum : std::int64_t { left_out, named_absent, present };
};

ValueId clamped(GroupBuilder& b, ValueId value, std::int64_t clamp) {
  if (clamp == 3) return b.graph().emit("clip", {value}, {{"low", -0.3}, {"high", 0.4}});
  return clamp == 0 ? value : b.graph().emit(clamp == 1 ? "relu" : "relu6", {value});
}

ValueId sum(GroupBuilder& b, ValueId own, ValueId other, bool own_first) {
  return b.graph().emit("add", own_first ? std::vector{own, other} : std::vector{other, own});
}

// An observer of the value, by a first batch or a later one; its bounds are outputs, and returned. 0: none.
std::vector<ValueId> observe(GroupBuilder& b, ValueId value, std::int64_t observer) {
  if (observer == 0) return {};
  const bool first = b.pick(2) == 0;
  const ValueId low = b.number(first ? std::numeric_limits<float>::infinity() : -1.0F);
  const ValueId high = b.number(first ? -std::numeric_limits<float>::infinity() : 2.0F);
  if (observer == 1) {
    b.graph().emit("observe_min_max", {value, low, high});
  } else {
    b.graph().emit("observe_average", {value, low, high, b.count(first ? 0 : b.pick(12))}, {{"momentum", 0.1}});
  }
  for (const ValueId result : b.results()) b.output(result);
  return {b.results()[0], b.results()[1]};
}

ValueId batch_norm(GroupBuilder& b, ValueId x) {
  const Shape channels{b.graph().type(x).shape[1]};
  const ValueId y = b.graph().emit("batch_norm", {x, b.floats(channels), b.floats(channels), b.floats(channels), b.positive(channels)},
                                   {{"eps", 1e-5}, {"momentum", 0.1}});
  const std::vector<ValueId> results = b.results();
  for (std::size_t i = 1; i < results.size(); ++i) b.output(results[i]);
  return y;
}

Shape activations(bool images, bool large) {
  if (images) return large ? Shape{3, 20, 31, 33} : Shape{2, 5, 3, 7};
  return large ? Shape{70, 300} : Shape{5, 19};
}

// conv2d, batch_norm_inference?, add?, a clamp?
std::optional<Form> convolution(Choices& c, bool large) {
  const std::int64_t kind = c.pick(large ? 2 : 5);
  const std::int64_t bias = c.pick(3);
  const bool normalizes = c.pick(2) == 1;
  const std::int64_t adds = c.pick(3);
  const std::int64_t clamp = c.pick(4);
  const bool constants = c.pick(large ? 1 : 2) == 1;
  if (!normalizes && adds == 0 && clamp == 0) return std::nullopt;
  GroupBuilder b(c.round());
  struct Kind {
    std::int64_t out, in, taps, groups, stride;
  };
  const Kind kinds[] = {{6, 4, 3, 1, 1}, {5, 4, 1, 1, 1}, {4, 1, 3, 4, 1}, {6, 2, 3, 2, 2}, {3, 4, 5, 1, 1}};
  Kind k = kinds[kind];
  if (large) k = kind == 0 ? Kind{36, 20, 3, 1, 1} : Kind{40, 20, 1, 1, 1};
  const ValueId x = b.floats(large ? Shape{2, 20, 22, 26} : Shape{2, 4, 9, 7});
  b.make_constants(constants);
  std::vector<ValueId> operands{x, b.floats({k.out, k.in, k.taps, k.taps}, 0.2F)};
  if (bias == Bias::named_absent) operands.push_back(ir::absent);
  if (bias == Bias::present) operands.push_back(b.floats({k.out}));
  ValueId y =
      b.graph().emit("conv2d", operands, {{"padding", Shape(4, k.taps / 2)}, {"groups", k.groups}, {"stride", Shape{k.stride, k.stride}}});
  if (normalizes) {
    const Shape channels{k.out};
    y = b.graph().emit("batch_norm_inference", {y, b.floats(channels), b.floats(channels), b.floats(channels), b.positive(channels)});
  }
  b.make_constants(false);
  if (adds > 0) y = sum(b, y, b.floats(b.graph().type(y).shape), adds == 1);
  b.output(clamped(b, y, clamp));
  return Form{b.take()};
}

// batch_norm?, add?, a clamp?, an observer?
std::optional<Form> forward(Choices& c, bool large) {
  const bool images = c.pick(2) == 1;
  const bool normalizes = c.pick(2) == 1;
  const std::int64_t adds = c.pick(3);
  const std::int64_t clamp = c.pick(3);
  const std::int64_t observer = c.pick(3);
  if ((normalizes ? 1 : 0) + (adds > 0 ? 1 : 0) + (clamp > 0 ? 1 : 0) + (observer > 0 ? 1 : 0) < 2) return std::nullopt;
  GroupBuilder b(c.round());
  const Shape shape = activations(images, large);
  ValueId value = b.floats(shape);
  if (normalizes) value = batch_norm(b, value);
  if (adds > 0) value = sum(b, value, b.floats(shape), adds == 1);
  value = clamped(b, value, clamp);
  b.output(value);
  observe(b, value, observer);
  return Form{b.take()};
}

// add?, what filters gradients?, batch_norm_grad?
std::optional<Form> backward(Choices& c, bool large) {
  const bool images = c.pick(2) == 1;
  const bool adds = c.pick(2) == 1;
  const std::int64_t filter = c.pick(4);
  const bool normalizes = c.pick(2) == 1;
  if ((filter == 0 && adds) || (adds ? 1 : 0) + (filter > 0 ? 1 : 0) + (normalizes ? 1 : 0) < 2) return std::nullopt;
  GroupBuilder b(c.round());
  const Shape shape = activations(images, large);
  ValueId value = b.floats(shape);
  if (adds) value = b.graph().emit("add", {value, b.floats(shape)});
  if (filter == 1) value = b.graph().emit("apply_mask", {value, b.bytes({(ir::element_count(shape) + 7) / 8})});
  if (filter == 2) value = b.graph().emit("relu_grad", {value, b.floats(shape)});
  if (filter == 3) value = b.graph().emit("relu6_grad", {value, b.floats(shape)});
  if (normalizes) {
    const Shape channels{shape[1]};
    b.graph().emit("batch_norm_grad", {value, b.floats(shape), b.floats(channels), b.floats(channels), b.positive(channels)});
  }
  for (const ValueId result : b.results()) b.output(result);
  return Form{b.take()};
}

ir::DType byte_type(std::int64_t is_signed) {
  return is_signed == 1 ? ir::DType::s8 : ir::DType::u8;
}

// Sums of integers on channels that come last, or second where `channels_first`.
struct Sums {
  enum : std::int64_t { convolution_last, convolution_first, linear_layer, product, pool, reduction };
};

ValueId sums(GroupBuilder& b, std::int64_t kind, bool large, bool constants) {
  ir::Graph& graph = b.graph();
  const ir::DType type = byte_type(b.pick(2));
  const std::int64_t in = large ? 24 : 5;
  const std::int64_t out = large ? 34 : 6;
  const std::int64_t side = large ? 9 : 4;
  const auto zero_point = [&] { return b.integer(static_cast<std::int32_t>(b.pick(100))); };
  if (kind == Sums::linear_layer) {
    const ValueId x = b.bytes({large ? 37 : 3, in}, type);
    b.make_constants(constants);
    const ValueId w = b.weights({out, in});
    return graph.emit("linear_integer", {x, w, zero_point()});
  }
  if (kind == Sums::product) {
    const ValueId left = b.bytes({2, side, in}, type);
    const ValueId right = b.bytes({2, in, out}, byte_type(b.pick(2)));
    b.make_constants(constants);
    const ValueId first = zero_point();
    return graph.emit("matmul_integer", {left, right, first, zero_point()});
  }
  const bool first = kind == Sums::convolution_first;
  const ValueId x = b.bytes(first ? Shape{3, in, side, side} : Shape{3, side, side, in}, type);
  b.make_constants(constants);
  const std::string layout = first ? "nchw" : "nhwc";
  if (kind == Sums::pool) return graph.emit("avg_pool_integer", {x, zero_point()}, {{"kernel", Shape{2, 2}}, {"layout", layout}});
  if (kind == Sums::reduction) {
    // Over the rows, or over all pixels.
    return graph.emit("reduce_sum_integer", {x, zero_point()},
                      {{"axes", b.pick(2) == 0 ? Shape{1} : Shape{1, 2}}, {"keep", b.pick(2) == 0}});
  }
  const ValueId w = b.weights({out, in, 3, 3});
  return graph.emit("conv2d_integer", {x, w, zero_point()}, {{"padding", Shape{1, 1, 1, 1}}, {"layout", layout}});
}

// What a join of two tensors of integers reads behind them, `own_first` or the other way round.
ValueId joined(GroupBuilder& b, ValueId own, ValueId other, std::int64_t kind, bool own_first, bool subtracts, bool narrowed) {
  const ValueId first = own_first ? own : other;
  const ValueId second = own_first ? other : own;
  Attributes attributes{{"lo", std::int64_t{-128}}, {"hi", std::int64_t{127}}};
  std::vector<ValueId> operands{first, second};
  const auto zero_point = [&] { return b.integer(static_cast<std::int32_t>(b.pick(100))); };
  if (kind == 0) {
    attributes.set("function", std::string(subtracts ? "sub" : "add"));
    for (int i = 0; i < 2; ++i) {
      operands.push_back(b.numbers(1, 0.01F, 0.1F));
      operands.push_back(zero_point());
    }
    operands.push_back(b.numbers(1, 0.02F, 0.2F));
  } else {
    attributes.set("subtract", subtracts);
    for (int i = 0; i < 2; ++i) operands.push_back(zero_point());
    operands.push_back(b.integers(3, 1 << 30, std::numeric_limits<std::int32_t>::max()));
    operands.push_back(b.integers(3, -19, -1));
  }
  operands.push_back(b.integer(-7));
  if (narrowed) operands.push_back(b.range(-60, 90));
  return b.graph().emit(kind == 0 ? "point_binary" : "add_fixed", operands, attributes);
}

// Integer sums, what rescales them, and the residual addition behind that.
std::optional<Form> contraction(Choices& c, bool large) {
  const std::int64_t kind = c.pick(6);
  const std::int64_t rescale = c.pick(3);  // to floats, by floats, by fixed-point numbers
  const std::int64_t bias = c.pick(4);     // left out or absent, absent, i32, f32
  const std::int64_t join = rescale == 0 || kind == Sums::convolution_first ? 0 : c.pick(5);
  const bool narrowed = rescale > 0 && c.pick(2) == 1;
  const bool narrowed_join = join > 0 && c.pick(2) == 1;
  const bool own_first = join > 0 && c.pick(2) == 1;
  GroupBuilder b(c.round());
  const bool one_channel = b.pick(2) == 0;
  const ValueId acc = sums(b, kind, large, b.pick(2) == 0);
  const Shape shape = b.graph().type(acc).shape;
  const std::int64_t axis = kind == Sums::convolution_first ? 1 : static_cast<std::int64_t>(shape.size()) - 1;
  const std::int64_t channels = shape[static_cast<std::size_t>(axis)];
  const std::int64_t parameters = one_channel ? 1 : channels;
  std::vector<ValueId> operands{acc};
  Attributes attributes{{"axis", axis}};
  if (rescale < 2) operands.push_back(b.numbers(parameters, 0.0005F, 0.02F));
  if (rescale == 2) {
    operands.push_back(b.integers(parameters, 1 << 30, std::numeric_limits<std::int32_t>::max()));
    operands.push_back(b.integers(parameters, -11, -6));
  }
  if (rescale > 0) {
    operands.push_back(b.integer(30));
    attributes.set("lo", std::int64_t{0});
    attributes.set("hi", std::int64_t{255});
  }
  if (bias == 1 || (bias == 0 && narrowed)) operands.push_back(ir::absent);
  if (bias == 2) operands.push_back(b.integers(parameters, -3000, 3000));
  if (bias == 3) operands.push_back(b.numbers(parameters, -20, 20));
  if (narrowed) operands.push_back(b.range(60, 200));
  const char* const names[] = {"dequantize_accumulator", "requantize", "requantize_fixed"};
  ValueId y = b.graph().emit(names[rescale], operands, attributes);
  if (join > 0) {
    b.make_constants(false);
    const ValueId other = b.bytes(shape, byte_type(b.pick(2)));
    y = joined(b, y, other, (join - 1) / 2, own_first, (join - 1) % 2 == 1, narrowed_join);
  }
  b.output(y);
  // Per-channel parameters of sums with two axes behind those that are summed over aren't their kernel's.
  const ir::Node& summing = b.graph().nodes().front();
  const bool two_axes = kind == Sums::reduction && summing.attributes.integers("axes").size() == 1;
  return Form{b.take(), !two_axes || parameters == 1};
}

// What a tensor of integers and its dequantize read.
struct Quantized {
  ValueId q, scale, zero_point;
};

Quantized quantized(GroupBuilder& b, const Shape& shape) {
  const ValueId q = b.bytes(shape, byte_type(b.pick(2)));
  const ValueId scale = b.number(0.01F * static_cast<float>(1 + b.pick(9)));
  return {q, scale, b.integer(static_cast<std::int32_t>(b.pick(100)))};
}

ValueId dequantized(GroupBuilder& b, const Quantized& x) {
  return b.graph().emit("dequantize", {x.q, x.scale, x.zero_point});
}

// The sum of a dequantized tensor with another, or with floats, a clamp?, an observer?
std::optional<Form> residual(Choices& c, bool large) {
  const bool both = c.pick(2) == 1;
  const bool own_first = c.pick(2) == 1;
  const std::int64_t clamp = c.pick(3);
  const std::int64_t observer = c.pick(3);
  GroupBuilder b(c.round());
  const Shape shape = activations(b.pick(2) == 0, large);
  const ValueId own = dequantized(b, quantized(b, shape));
  const ValueId other = both ? dequantized(b, quantized(b, shape)) : b.floats(shape);
  const ValueId value = clamped(b, sum(b, own, other, own_first), clamp);
  b.output(value);
  observe(b, value, observer);
  return Form{b.take()};
}

// The sum of two dequantized tensors, a clamp?, which only an observer? and a mask? read, and its integers.
std::optional<Form> quantized_sum(Choices& c, bool large) {
  const bool in_order = c.pick(2) == 1;
  const bool same_order = c.pick(2) == 1;
  const std::int64_t clamp = c.pick(3);
  const std::int64_t observer = c.pick(3);
  const bool masks = c.pick(2) == 1;
  const bool early = clamp > 0 && observer == 0 && c.pick(2) == 1;  // the range is there before
  if (observer == 0 && !masks) return std::nullopt;
  GroupBuilder b(c.round());
  const Shape shape = activations(b.pick(2) == 0, large);
  Quantized first = quantized(b, shape);
  Quantized second = quantized(b, shape);
  const Attributes range{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}};
  Attributes clipped = range;
  if (clamp > 0) clipped.set("clamp", clamp == 1 ? std::vector<double>{0.0} : std::vector<double>{0.0, 6.0});
  ValueId scale = ir::absent;
  ValueId zero_point = ir::absent;
  ValueId narrowed = ir::absent;
  const auto narrow = [&] { narrowed = b.graph().emit("clamp_range", {scale, zero_point}, clipped); };
  if (observer == 0) {
    scale = b.number(0.05F);
    zero_point = b.integer(static_cast<std::int32_t>(b.pick(100)));
  }
  if (early) narrow();
  const ValueId own = dequantized(b, first);
  const ValueId value = clamped(b, sum(b, own, dequantized(b, second), in_order), clamp);
  if (observer > 0) {
    scale = b.graph().emit("affine_parameters", observe(b, value, observer), range);
    zero_point = b.results()[1];
    b.output(scale);
  }
  if (clamp > 0 && !early) narrow();
  if (masks) b.output(b.graph().emit("range_mask", {value, scale, zero_point}, clipped));
  if (!same_order) std::swap(first, second);
  std::vector<ValueId> operands{first.q, second.q, first.scale, first.zero_point, second.scale, second.zero_point, scale, zero_point};
  if (narrowed != ir::absent) operands.push_back(narrowed);
  Attributes adds = range;
  adds.set("function", std::string("add"));
  b.output(b.graph().emit("point_binary", operands, adds));
  return Form{b.take()};
}

// A convolution by integers, batch_norm, a clamp?, an observer?, the quantizer and a mask?
std::optional<Form> normalized(Choices& c, bool large) {
  const std::int64_t bias = c.pick(4);
  const std::int64_t clamp = c.pick(3);
  const std::int64_t observer = c.pick(3);
  const bool masks = c.pick(2) == 1;
  const bool read = c.pick(2) == 1;  // the sums, by the backward half
  GroupBuilder b(c.round());
  const bool constants = b.pick(2) == 0;
  const ValueId acc = sums(b, Sums::convolution_first, large, constants);
  const std::int64_t channels = b.graph().type(acc).shape[1];
  const std::int64_t parameters = b.pick(2) == 0 ? 1 : channels;
  std::vector<ValueId> operands{acc, b.numbers(parameters, 0.0005F, 0.02F)};
  if (bias == 1) operands.push_back(ir::absent);
  if (bias == 2) operands.push_back(b.integers(parameters, -3000, 3000));
  if (bias == 3) operands.push_back(b.numbers(parameters, -20, 20));
  b.make_constants(false);
  const ValueId x = b.graph().emit("dequantize_accumulator", operands);
  if (read) b.output(x);
  const ValueId y = clamped(b, batch_norm(b, x), clamp);
  const bool symmetric = b.pick(2) == 0;
  const Attributes range{{"lo", std::int64_t{symmetric ? -127 : 0}}, {"hi", std::int64_t{symmetric ? 127 : 255}}};
  std::vector<ValueId> parameters_of{y};
  if (observer > 0) {
    Attributes attributes = range;
    attributes.set("symmetric", symmetric);
    b.graph().emit("affine_parameters", observe(b, y, observer), attributes);
    parameters_of.insert(parameters_of.end(), b.results().begin(), b.results().end());
    for (const ValueId result : b.results()) b.output(result);
  } else {
    parameters_of.push_back(b.number(0.05F));
    parameters_of.push_back(b.integer(symmetric ? 0 : static_cast<std::int32_t>(b.pick(100))));
  }
  b.output(b.graph().emit("quantize", parameters_of, range));
  if (masks) b.output(b.graph().emit("range_mask", parameters_of, range));
  return Form{b.take(), read};
}

// A quantizer with its mask, or with what moves its elements behind it.
std::optional<Form> quantizer(Choices& c, bool large) {
  const std::int64_t behind = c.pick(4);
  const std::int64_t clamp = behind == 0 ? c.pick(3) : 0;
  const bool channels = (behind == 1 || behind == 2) && c.pick(2) == 1;
  GroupBuilder b(c.round());
  const Shape shape = large ? Shape{3, 3, 90, 71} : Shape{2, 3, 5, 7};
  const ValueId x = b.floats(shape);
  const ValueId scale = channels ? b.numbers(3, 0.01F, 0.09F) : b.number(0.04F);
  const std::vector<ValueId> operands{x, scale, b.integer(static_cast<std::int32_t>(b.pick(100)))};
  const Attributes range{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}};
  Attributes attributes = range;
  attributes.set("axis", std::int64_t{1});
  ValueId q = b.graph().emit("quantize", operands, attributes);
  if (behind == 0) {
    b.output(q);
    Attributes clipped = range;
    if (clamp > 0) clipped.set("clamp", clamp == 1 ? std::vector<double>{0.0} : std::vector<double>{0.0, 6.0});
    q = b.graph().emit("range_mask", operands, clipped);
  }
  if (behind == 1) q = b.graph().emit("reshape", {q}, {{"shape", Shape{0, -1}}});
  if (behind == 2) q = b.graph().emit("flatten", {q});
  if (behind == 3) q = b.graph().emit("transpose", {q}, {{"permutation", Shape{0, 2, 3, 1}}});
  b.output(q);
  return Form{b.take()};
}

// Weights with a range for each output channel.
std::optional<Form> weights(Choices& c, bool large) {
  const bool power_of_two = c.pick(2) == 1;
  const bool images = c.pick(2) == 1;
  const bool read = c.pick(2) == 1;
  GroupBuilder b(c.round());
  const std::int64_t channels = large ? 70 : 3;
  const ValueId w = b.floats(images ? Shape{channels, large ? 40 : 2, 3, 3} : Shape{channels, large ? 1100 : 17});
  b.graph().emit("weight_range", {w});
  const std::vector<ValueId> bounds = b.results();
  b.graph().emit("affine_parameters", bounds,
                 {{"lo", std::int64_t{-127}}, {"hi", std::int64_t{127}}, {"symmetric", true}, {"power_of_two", power_of_two}});
  const std::vector<ValueId> parameters = b.results();
  if (read) {
    for (const ValueId parameter : parameters) b.output(parameter);
  }
  const std::int64_t hi = b.pick(2) == 0 ? 127 : 7;
  b.output(b.graph().emit("quantize", {w, parameters[0], parameters[1]}, {{"lo", -hi}, {"hi", hi}}));
  return Form{b.take()};
}

// A gradient that reads a dequantized tensor.
std::optional<Form> product_gradient(Choices& c, bool) {
  const std::int64_t kind = c.pick(4);  // by weights, by inputs, of a linear layer by inputs, by weights
  const bool channels = kind > 0 && c.pick(2) == 1;
  GroupBuilder b(c.round());
  const Attributes window{{"padding", Shape{1, 1, 1, 1}}};
  const Shape images{2, 16, 12, 12};
  const Shape of_weights{16, 16, 3, 3};
  const Shape matrix{128, 128};
  const Shape shape = kind == 0 ? images : kind == 1 ? of_weights : matrix;
  const ValueId q = b.bytes(shape, byte_type(b.pick(2)));
  const ValueId scale = channels ? b.numbers(shape[0], 0.01F, 0.09F) : b.number(0.04F);
  const ValueId x =
      b.graph().emit("dequantize", {q, scale, b.integer(static_cast<std::int32_t>(b.pick(100)))}, {{"axis", std::int64_t{0}}});
  const ValueId dy = b.floats(kind < 2 ? images : matrix);
  Attributes attributes = window;
  if (kind == 0) attributes.set("weight_shape", of_weights);
  if (kind == 1) attributes.set("input_shape", images);
  if (kind > 1) attributes = {{"transpose_a", kind == 3}, {"quantize", false}};
  const char* const names[] = {"conv2d_grad_weight", "conv2d_grad_input", "matmul", "matmul"};
  b.output(b.graph().emit(names[kind], {dy, x}, attributes));
  return Form{b.take()};
}

using Backends = std::vector<const backends::Backend*>;

// openblas, or each variant of int8 before it.
std::vector<Backends> preferences(bool integers) {
  if (!integers) return {{&backends::named("openblas")}};
  std::vector<Backends> all;
  for (const backends::Backend* backend : backends::every()) {
    if (backend->name().starts_with("int8:")) all.push_back({backend, &backends::named("openblas")});
  }
  return all;
}

struct NamedFamily {
  std::string name;
  Family next;
  bool integers;              ///< of the variants of int8
  const char* only = "";      ///< this variant alone has the group
  std::uint64_t readers = 1;  ///< of so many forms one is tried with readers of the values in between
};

const std::vector<NamedFamily>& families() {
  static const std::vector<NamedFamily> all{{"convolution", convolution, false, "", 3},
                                            {"forward", forward, false},
                                            {"backward", backward, false},
                                            {"contraction", contraction, true, "", 23},
                                            {"residual", residual, true},
                                            {"quantized_sum", quantized_sum, true},
                                            {"normalized", normalized, true, "", 3},
                                            {"quantizer", quantizer, true},
                                            {"weights", weights, true},
                                            {"product_gradient", product_gradient, true, "int8:amx"}};
  return all;
}

std::string joined_names(const ir::Graph& graph, const std::vector<ir::NodeId>& nodes) {
  std::string text;
  for (const ir::NodeId node : nodes) text += (text.empty() ? "" : " + ") + graph.node(node).op->name;
  return text;
}

// A form's only kernel, but for a clamp_range before it.
std::string expected_kernel(const ir::Graph& graph) {
  std::vector<ir::NodeId> nodes;
  for (std::size_t n = graph.nodes().front().op->name == "clamp_range" ? 1 : 0; n < graph.nodes().size(); ++n) {
    nodes.push_back(static_cast<ir::NodeId>(n));
  }
  return joined_names(graph, nodes);
}

bool near(const runtime::Tensor& found, const runtime::Tensor& expected) {
  float largest = 0;
  for (std::int64_t i = 0; i < expected.count(); ++i) largest = std::max(largest, std::abs(expected.as<float>()[i]));
  for (std::int64_t i = 0; i < expected.count(); ++i) {
    if (found.as<float>()[i] == expected.as<float>()[i]) continue;
    if (!(std::abs(found.as<float>()[i] - expected.as<float>()[i]) <= 1e-4F * largest)) return false;
  }
  return true;
}

// At most one in so many bytes is another, of integers by no more than one step.
bool nearly(const runtime::Tensor& found, const runtime::Tensor& expected, bool is_mask) {
  constexpr std::int64_t one_in = 50;
  std::int64_t others = 0;
  for (std::int64_t i = 0; i < expected.count(); ++i) {
    const int difference = found.type().dtype == ir::DType::s8 ? found.as<std::int8_t>()[i] - expected.as<std::int8_t>()[i]
                                                               : found.as<std::uint8_t>()[i] - expected.as<std::uint8_t>()[i];
    if (difference == 0) continue;
    if (!is_mask && std::abs(difference) > 1) return false;
    ++others;
  }
  return others * one_in <= expected.count() + one_in;
}

// Integers are those of the reference, floats near its floats. Behind batch statistics, which each backend adds up in an order of its own,
// integers are those of the same backend's nodes one by one, and nearly the reference's.
void check_values(const ir::Graph& graph, const Group& group, const Backends& preferred, const Ran& ran, const Ran& reference) {
  const auto has = [&](const char* op) {
    return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const ir::Node& node) { return node.op->name == op; });
  };
  const bool rounds = has("batch_norm");
  std::optional<Ran> alone;
  if (rounds) alone = run_alone(graph, group, preferred);
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const std::string& output = graph.outputs()[i].name;
    CAPTURE(output);
    const runtime::Tensor& found = ran.outputs[i];
    const runtime::Tensor& expected = reference.outputs[i];
    const auto same = [&](const runtime::Tensor& other) {
      return std::equal(found.as<char>(), found.as<char>() + found.bytes(), other.as<char>());
    };
    if (found.type().dtype == ir::DType::f32) {
      CHECK(near(found, expected));
      if (alone) CHECK(same(alone->outputs[i]));
    } else if (!alone) {
      CHECK(same(expected));
    } else {
      CHECK(same(alone->outputs[i]));
      const ir::Node* producer = graph.producer(graph.outputs()[i].value);
      const bool is_byte = ir::size_of(found.type().dtype) == 1;
      if (is_byte) CHECK(nearly(found, expected, producer != nullptr && producer->op->name != "quantize"));
    }
  }
}

// The graph with one more reader of a value, right behind its node: an output, or a node of its own.
ir::Graph with_reader(const ir::Graph& graph, ir::NodeId producer, ValueId value, bool node_of_its_own) {
  ir::Graph made;
  std::vector<ValueId> map(graph.values().size(), ir::absent);
  const auto at = [&](ValueId old) -> ValueId& { return map[static_cast<std::size_t>(old)]; };
  for (const ValueId input : graph.inputs()) at(input) = made.add_input(graph.value(input).name, graph.type(input));
  for (const ir::State& state : graph.states())
    at(state.value) = made.add_state(graph.value(state.value).name, graph.type(state.value), state);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const ir::Node& node = graph.nodes()[n];
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands) operands.push_back(operand == ir::absent ? ir::absent : at(operand));
    const std::vector<ValueId> results = made.add(node.op->name, operands, node.attributes, node.name).results;
    for (std::size_t i = 0; i < results.size(); ++i) at(node.results[i]) = results[i];
    if (static_cast<ir::NodeId>(n) != producer) continue;
    made.add_output("read", node_of_its_own ? made.emit("reshape", {at(value)}, {{"shape", Shape{-1}}}, "reader") : at(value));
  }
  for (const ir::Output& output : graph.outputs()) made.add_output(output.name, at(output.value));
  return made;
}

void check_with_readers(const Group& group, const std::vector<Backends>& all) {
  const ir::Graph& graph = group.graph;
  const ir::Uses uses(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    for (const ValueId value : graph.nodes()[n].results) {
      if (uses.leaves[static_cast<std::size_t>(value)]) continue;
      for (const bool node_of_its_own : {false, true}) {
        const std::string& read = graph.value(value).name;
        CAPTURE(read);
        CAPTURE(node_of_its_own);
        const ir::Graph more = with_reader(graph, static_cast<ir::NodeId>(n), value, node_of_its_own);
        const Ran reference = run(more, group, {}, 1);
        for (const Backends& preferred : all) {
          CAPTURE(preferred.front()->name());
          check_values(more, group, preferred, run(more, group, preferred, 2), reference);
        }
      }
    }
  }
}

// 1; in slow builds (STAIR_SEEDS) large forms and more readers are tried for one of so many.
std::uint64_t sparse() {
  return 100 / seeds(100).size();
}

void check_form(const NamedFamily& family, const Form& form, bool large, std::uint64_t round) {
  const ir::Graph& graph = form.group.graph;
  const std::string expected = expected_kernel(graph);
  const std::vector<Backends> all = preferences(family.integers);
  const Ran reference = run(graph, form.group, {}, 1);
  for (const Backends& preferred : all) {
    CAPTURE(preferred.front()->name());
    const Ran ran = run(graph, form.group, preferred, large ? 3 : 1);
    if (form.one_kernel && (*family.only == 0 || preferred.front()->name() == family.only)) {
      CHECK(ran.kernels.back() == expected);
      CHECK(ran.backends.back() == preferred.front()->name());
    }
    check_values(graph, form.group, preferred, ran, reference);
  }
  if (!large && round % (family.readers * sparse()) == 0) check_with_readers(form.group, all);
}

void check_family(const NamedFamily& family) {
  for (const bool large : {false, true}) {
    Choices choices;
    do {
      const std::optional<Form> form = family.next(choices, large);
      if (!form || (large && choices.round() % sparse() != 0)) continue;
      const std::string picks = choices.text();
      CAPTURE(family.name);
      CAPTURE(large);
      CAPTURE(picks);
      check_form(family, *form, large, choices.round());
    } while (choices.next());
  }
}

// Ops of a kernel without their order.
std::string sorted(const std::string& kernel) {
  std::istringstream words(kernel);
  std::vector<std::string> ops;
  for (std::string word; words >> word;) {
    if (word != "+") ops.push_back(word);
  }
  std::sort(ops.begin(), ops.end());
  std::string text;
  for (const std::string& op : ops) text += (text.empty() ? "" : " + ") + op;
  return text;
}

// "int8: conv2d_integer + requantize": of the groups that an executor would form.
std::set<std::string> groups_of(const ir::Graph& graph, const Backends& preferred) {
  std::set<std::string> groups;
  const ir::Uses uses(graph);
  std::vector<bool> taken(graph.nodes().size(), false);
  const auto free = [&](ir::NodeId node) { return !taken[static_cast<std::size_t>(node)]; };
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto first = static_cast<ir::NodeId>(n);
    if (!free(first)) continue;
    for (const backends::Backend* backend : preferred) {
      if (!backend->supports(graph, graph.node(first)).yes) continue;
      const std::vector<ir::NodeId> nodes = backend->group(graph, uses, first, free);
      for (const ir::NodeId node : nodes) taken[static_cast<std::size_t>(node)] = true;
      const std::string name(backend->name().substr(0, backend->name().find(':')));
      if (nodes.size() > 1) groups.insert(name + ": " + sorted(joined_names(graph, nodes)));
      break;
    }
  }
  return groups;
}

}  // namespace

TEST_CASE("every form of a group is one kernel that yields what the reference yields node by node: floats") {
  for (const NamedFamily& family : families()) {
    if (!family.integers) check_family(family);
  }
}

TEST_CASE("every form of a group is one kernel that yields what the reference yields node by node: integers") {
  for (const NamedFamily& family : families()) {
    if (family.integers) check_family(family);
  }
}

TEST_CASE("no pipeline's graph makes a group that isn't among the forms that are tested") {
  const Backends floats{&backends::named("openblas")};
  const Backends integers{&backends::named("int8"), &backends::named("openblas")};
  std::set<std::string> known;
  for (const NamedFamily& family : families()) {
    Choices choices;
    do {
      const std::optional<Form> form = family.next(choices, false);
      if (form) known.merge(groups_of(form->group.graph, family.integers ? integers : floats));
    } while (choices.next());
  }
  std::set<std::string> made;
  for_each_pipeline_graph(8, [&](const ir::Graph& graph, const std::string&) {
    const ir::Graph scheduled = passes::run(graph.updates().empty() ? passes::lowering() : passes::scheduling(), graph);
    for (const ir::Graph* one : {&graph, &scheduled}) {
      made.merge(groups_of(*one, floats));
      made.merge(groups_of(*one, integers));
    }
  });
  CHECK(made.size() > 20);
  for (const std::string& group : made) {
    CAPTURE(group);
    CHECK(known.contains(group));
  }
}

}  // namespace stair::tests
