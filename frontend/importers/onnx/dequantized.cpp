#include "frontend/importers/onnx/dequantized.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "frontend/importers/onnx/constant.h"
#include "ir/error.h"

namespace stair::frontend::onnx {
namespace {

// Of operators on integers: where a value, its scale and its zero point stand.
struct Triple {
  std::size_t value, scale, zero_point;
};
struct IntegerOperator {
  const char* name;
  const char* domain;
  const char* becomes;
  std::vector<Triple> inputs;
  std::optional<std::size_t> bias;  // int32, in steps of the first two inputs
  std::size_t y_scale, y_zero_point;
  bool otherwise;                            // ONNX Runtime computes it by another rule than the floats between two quantizers
  std::map<std::string, std::int64_t> adds;  // attributes
};

const std::vector<IntegerOperator>& integer_operators() {
  const char* const microsoft = "com.microsoft";
  static const std::vector<IntegerOperator> all{
      {"QLinearConv", "", "Conv", {{0, 1, 2}, {3, 4, 5}}, 8, 6, 7, false, {}},
      {"QLinearMatMul", "", "MatMul", {{0, 1, 2}, {3, 4, 5}}, {}, 6, 7, false, {}},
      {"QLinearMatMul", microsoft, "MatMul", {{0, 1, 2}, {3, 4, 5}}, {}, 6, 7, false, {}},
      {"QGemm", microsoft, "Gemm", {{0, 1, 2}, {3, 4, 5}}, 6, 7, 8, false, {}},
      {"QLinearAdd", microsoft, "Add", {{0, 1, 2}, {3, 4, 5}}, {}, 6, 7, true, {}},
      {"QLinearMul", microsoft, "Mul", {{0, 1, 2}, {3, 4, 5}}, {}, 6, 7, true, {}},
      {"QLinearSigmoid", microsoft, "Sigmoid", {{0, 1, 2}}, {}, 3, 4, false, {}},
      {"QLinearLeakyRelu", microsoft, "LeakyRelu", {{0, 1, 2}}, {}, 3, 4, false, {}},
      {"QLinearSoftmax", microsoft, "Softmax", {{0, 1, 2}}, {}, 3, 4, true, {}},
      {"QLinearGlobalAveragePool", microsoft, "GlobalAveragePool", {{0, 1, 2}}, {}, 3, 4, true, {}},
      {"QLinearAveragePool", microsoft, "AveragePool", {{0, 1, 2}}, {}, 3, 4, true, {}}};
  return all;
}

constexpr std::array<std::string_view, 12> moving{"Concat",  "Flatten", "Gather", "Identity", "MaxPool",   "Pad",
                                                  "Reshape", "Slice",   "Split",  "Squeeze",  "Transpose", "Unsqueeze"};

class Reading {
 public:
  /// `symmetric`: integers from a zero point on are those of an activation that clamps, in a model whose quantizers are symmetric.
  Reading(const Model& model, bool symmetric) : model_(model), symmetric_(symmetric) {
    made_.model.path = model.path;
    made_.model.opsets = model.opsets;
    made_.model.name = model.name;
    made_.model.inputs = model.inputs;
    made_.model.outputs = model.outputs;
    made_.model.initializers = model.initializers;
    made_.model.metadata = model.metadata;
    for (const Node& node : model.nodes) {
      for (const std::string& input : node.inputs) ++uses_[input];
      if (node.op == "Constant" && node.domain.empty() && node.outputs.size() == 1) {
        const auto value = node.attributes.find("value");
        if (value != node.attributes.end()) tensors_[node.outputs.front()] = &value->second.tensor;
      }
    }
    for (const auto& [name, tensor] : model.initializers) tensors_[name] = &tensor;
    for (const ValueInfo& output : model.outputs) ++uses_[output.name];
  }

  Dequantized run() {
    for (const Node& node : model_.nodes) {
      node_ = &node;
      try {
        read();
      } catch (const Error& error) {
        made_.problems.push_back(fmt::format("{}: {}", place(), error.what()));
        for (const std::string& output : node.outputs) failed_.insert(output);
      }
    }
    finish();
    return std::move(made_);
  }

 private:
  [[noreturn]] static void fail(const std::string& message) { throw Error(message); }

  std::string place() const {
    std::string name = node_->name;
    for (const std::string& output : node_->outputs) name = name.empty() ? output : name;
    const auto opset = model_.opsets.find(node_->domain);
    return fmt::format("node '{}' ({}, {}opset {})", name, node_->op, node_->domain.empty() ? "" : "domain '" + node_->domain + "', ",
                       opset == model_.opsets.end() ? 0 : opset->second);
  }

  bool has(std::size_t i) const { return i < node_->inputs.size() && !node_->inputs[i].empty(); }
  const std::string& input(std::size_t i) const {
    if (!has(i)) fail(fmt::format("its input {} is missing", i));
    return node_->inputs[i];
  }
  const std::string& output() const {
    if (node_->outputs.empty() || node_->outputs.front().empty()) fail("it yields nothing");
    return node_->outputs.front();
  }

  const Tensor* tensor(const std::string& name) const {
    const auto it = tensors_.find(name);
    return it == tensors_.end() ? nullptr : it->second;
  }
  Constant constant(std::size_t i, const char* what) const {
    const Tensor* found = tensor(input(i));
    if (found == nullptr) fail(fmt::format("its {} '{}' is computed, expected a constant", what, input(i)));
    return decode(*found);
  }

  std::vector<float> scales(std::size_t i) const {
    const Constant its = constant(i, "scale");
    if (!its.is_real() || its.count() == 0 || its.shape.size() > 1) fail("its scale is no real number, and no list of them");
    for (const float scale : its.reals) {
      if (!(scale >= 0x1p-100F) || !std::isfinite(scale)) fail(fmt::format("it has the scale {}, expected one from 2^-100 on", scale));
    }
    return its.reals;
  }
  // Type and zero points; of a missing one u8 and 0.
  Constant zero_points(std::size_t i) const {
    if (!has(i)) return zeros(ElementType::u8, {});
    const Constant its = constant(i, "zero point");
    if (its.is_real() || its.count() == 0) fail("its zero point is no integer");
    return its;
  }

  // Of an activation, as unsigned integers of 8 bits.
  QuantizedValue parameters(std::size_t scale, std::size_t zero_point) const {
    const std::vector<float> its_scale = scales(scale);
    const Constant zero = zero_points(zero_point);
    if (its_scale.size() != 1 || zero.count() != 1) fail("its scale is one a channel, expected one for all of an activation");
    std::int64_t z = zero.integers.front();
    if (zero.type == ElementType::s8) {
      z += 128;
    } else if (zero.type != ElementType::u8) {
      fail(fmt::format("it makes {}, expected uint8 or int8", to_string(zero.type)));
    }
    return {its_scale.front(), static_cast<std::int32_t>(z), 8, false, place()};
  }

  static std::string said(const QuantizedValue& its) {
    return fmt::format("scale {}, zero point {}, {} bits", its.scale, its.zero_point, its.bits);
  }

  void expect_same(const std::string& q, const QuantizedValue& found) {
    const QuantizedValue& expected = integers_.at(q).its;
    if (expected.scale != found.scale || (expected.zero_point + integers_.at(q).offset) != found.zero_point)
      fail(fmt::format("it takes '{}' with {}, which has {}", q, said(found), said(expected)));
  }

  void quantize(const std::string& value, const std::string& q, const QuantizedValue& its) {
    const auto [it, is_new] = made_.values.emplace(value, its);
    if (!is_new && !(it->second == its))
      fail(fmt::format("'{}' is quantized by {} already, here by {}", value, said(it->second), said(its)));
    integers_[q] = {value, its, 0};
  }

  // What a node reads that takes floats: what integers stand for, or the value itself.
  std::string float_of(const std::string& name) const {
    const auto it = floats_.find(name);
    return it == floats_.end() ? name : it->second;
  }

  void add(Node node) { made_.model.nodes.push_back(std::move(node)); }

  Node like(const std::string& op, std::vector<std::string> inputs) const {
    Node node = *node_;
    node.op = op;
    node.domain = "";
    node.inputs = std::move(inputs);
    return node;
  }

  void read() {
    for (const std::string& name : node_->inputs) {
      if (!failed_.contains(name)) continue;
      for (const std::string& output : node_->outputs) failed_.insert(output);  // what it reads is listed already
      return;
    }
    if (node_->domain.empty() && node_->op == "QuantizeLinear") return read_quantize();
    if (node_->domain.empty() && node_->op == "DequantizeLinear") return read_dequantize();
    if (node_->domain.empty() && node_->op == "Clip" && has(0) && integers_.contains(input(0))) return read_clip();
    for (const IntegerOperator& known : integer_operators()) {
      if (node_->op == known.name && node_->domain == known.domain) return read_integer_operator(known);
    }
    const auto is_integer = [&](const std::string& name) { return integers_.contains(name); };
    if (std::any_of(node_->inputs.begin(), node_->inputs.end(), is_integer)) return read_moving();
    Node node = *node_;
    bool from_integers = !node.inputs.empty();
    for (std::string& name : node.inputs) {
      from_integers = from_integers && floats_.contains(name);
      name = float_of(name);
    }
    constexpr std::array<std::string_view, 5> fused{"Add", "AveragePool", "GlobalAveragePool", "Mul", "Softmax"};
    if (from_integers && std::find(fused.begin(), fused.end(), node.op) != fused.end()) between_.emplace_back(output(), place());
    add(std::move(node));
  }

  void read_quantize() {
    if (tensor(input(0)) != nullptr) {
      fail("it quantizes a constant, expected its integers in the file");
    }
    const auto block = node_->attributes.find("block_size");
    if (block != node_->attributes.end() && block->second.integer != 0) fail("its scales are of blocks");
    quantize(float_of(input(0)), output(), parameters(1, 2));
  }

  void read_dequantize() {
    const std::string& q = input(0);
    if (tensor(q) != nullptr) return read_constant(q, 0, 1, 2, output());
    if (!integers_.contains(q)) {
      take_input(q);
    }
    expect_same(q, parameters(1, 2));
    floats_[output()] = integers_.at(q).value;
  }

  // An input of integers becomes one of what they stand for.
  void take_input(const std::string& q) {
    for (ValueInfo& input : made_.model.inputs) {
      if (input.name != q) continue;
      input.type = ElementType::f32;
      return quantize(q, q, parameters(1, 2));
    }
    fail(fmt::format("'{}' isn't what a quantizer makes", q));
  }

  // Weights, a bias or an operand: the floats that they stand for, under another name.
  void read_constant(const std::string& q, std::size_t value, std::size_t scale, std::size_t zero_point, const std::string& name) {
    const Constant its = constant(value, "weights");
    if (its.is_real()) fail(fmt::format("'{}' is of real numbers, expected integers", q));
    const std::vector<float> all_scales = scales(scale);
    const Constant zero = zero_points(zero_point);
    std::int64_t axis = 1;
    if (const auto found = node_->attributes.find("axis"); found != node_->attributes.end() && node_->op == "DequantizeLinear")
      axis = found->second.integer;
    if (node_->op == "QLinearConv") axis = 0;
    if (node_->op == "QGemm") {
      const auto turned = node_->attributes.find("transB");
      axis = turned != node_->attributes.end() && turned->second.integer != 0 ? 0 : 1;
    }
    if (axis < 0) axis += static_cast<std::int64_t>(its.shape.size());
    if (its.shape.size() == 1) axis = 0;
    const bool by_channel = all_scales.size() > 1 || zero.count() > 1;
    if (by_channel && (axis < 0 || axis >= static_cast<std::int64_t>(its.shape.size()))) fail("its scales have no such axis");
    const std::int64_t channels = by_channel ? its.shape[static_cast<std::size_t>(axis)] : 1;
    const auto fits = [&](std::int64_t count) { return count == 1 || count == channels; };
    if (!fits(static_cast<std::int64_t>(all_scales.size())) || !fits(zero.count()))
      fail(fmt::format("it has {} scales and {} zero points of {} channels", all_scales.size(), zero.count(), channels));
    std::int64_t inner = 1;
    for (auto d = static_cast<std::size_t>(axis) + 1; by_channel && d < its.shape.size(); ++d) inner *= its.shape[d];
    QuantizedConstant kept{all_scales, axis};
    kept.bits = its.type == ElementType::i32 ? 32 : its.type == ElementType::u4 || its.type == ElementType::s4 ? 4 : 8;
    if (kept.bits == 8 && its.type != ElementType::u8 && its.type != ElementType::s8)
      fail(fmt::format("'{}' is of {}, expected integers of 4 or 8 bits", q, to_string(its.type)));
    if (has(zero_point) && zero.type != its.type)
      fail(fmt::format("its zero point is {}, expected {}, as '{}' is", to_string(zero.type), to_string(its.type), q));
    const std::int64_t most = kept.bits == 32 ? std::int64_t{1} << 30 : (std::int64_t{1} << (kept.bits - 1)) - 1;
    std::string raw(static_cast<std::size_t>(its.count()) * sizeof(float), '\0');
    for (std::int64_t i = 0; i < its.count(); ++i) {
      const std::int64_t c = by_channel ? i / inner % channels : 0;
      const std::int64_t steps =
          its.integers[static_cast<std::size_t>(i)] - zero.integers[zero.count() == 1 ? 0 : static_cast<std::size_t>(c)];
      if (steps > most || steps < -most - 1)
        fail(fmt::format("'{}' holds {} steps from its zero point, expected {} to {}", q, steps, -most - 1, most));
      kept.full = kept.full || steps == -most - 1;
      const float number = static_cast<float>(steps) * all_scales[all_scales.size() == 1 ? 0 : static_cast<std::size_t>(c)];
      std::memcpy(raw.data() + static_cast<std::size_t>(i) * sizeof(float), &number, sizeof(float));
    }
    add_floats(name, its.shape, std::move(raw));
    made_.constants[name] = std::move(kept);
  }

  // An initializer of these bytes.
  void add_floats(const std::string& name, const ir::Shape& shape, std::string bytes) {
    Tensor made;
    made.name = name;
    made.type = ElementType::f32;
    made.shape = shape;
    made.raw = made_.model.bytes.emplace_back(std::move(bytes));
    made_.model.initializers[name] = std::move(made);
  }

  // Fewer bits, or an activation that is a clamp.
  void read_clip() {
    const std::string q = input(0);
    const Integers before = integers_.at(q);
    const auto end = [&](std::size_t i, std::int64_t otherwise) -> std::int64_t {
      if (!has(i)) return otherwise + before.offset;
      const Constant its = constant(i, "bound");
      if (its.is_real() || its.count() != 1) fail("its bound isn't one integer");
      return its.integers.front() + (its.type == ElementType::s8 ? 128 : 0);
    };
    const std::int64_t lo = std::max<std::int64_t>(0, end(1, 0));
    const std::int64_t hi = std::min<std::int64_t>(255, end(2, 255));
    if (uses_[q] != 1) fail(fmt::format("others read '{}' without it", q));
    if (lo >= hi) fail(fmt::format("it leaves {} to {} of the integers", lo, hi));
    if (before.offset != 0 || before.its.bits != 8) fail("it limits integers a second time");
    const auto values = static_cast<std::uint64_t>(hi - lo + 1);
    const std::int64_t z = before.its.zero_point;
    const bool all = lo == 0 && hi == 255;
    QuantizedValue fewer = before.its;
    if (!all && symmetric_ && lo == z && std::has_single_bit(static_cast<std::uint64_t>(hi - z + 1)) && hi > z) {
      fewer.bits = std::countr_zero(static_cast<std::uint64_t>(hi - z + 1)) + 1;
      fewer.zero_point = 0;
      fewer.symmetric = true;
      Node node;
      node.name = node_->name.empty() ? output() : node_->name;
      node.op = "Relu";
      node.inputs = {before.value};
      node.outputs = {output()};
      add(std::move(node));
      made_.values.erase(before.value);
      made_.values.emplace(output(), fewer);
      return narrow(output(), fewer, z);
    }
    if (!all && std::has_single_bit(values) && values >= 4 && z >= lo && z <= hi) {
      fewer.bits = std::countr_zero(values);
      fewer.zero_point = static_cast<std::int32_t>(z - lo);
      return narrow(before.value, fewer, lo);
    }
    if (!all && hi - z == z - lo && std::has_single_bit(static_cast<std::uint64_t>(hi - z + 1)) && hi - z >= 1) {
      fewer.bits = std::countr_zero(static_cast<std::uint64_t>(hi - z + 1)) + 1;
      fewer.zero_point = 0;
      fewer.symmetric = true;
      return narrow(before.value, fewer, z);
    }
    if (all) {
      integers_[output()] = before;
      return;
    }
    // The quantizer stands behind the clamp.
    const auto bound = [&](std::int64_t of) { return static_cast<float>(of - z) * before.its.scale; };
    const std::string clamped = output();
    Node node;
    node.name = node_->name.empty() ? clamped : node_->name;
    node.outputs = {clamped};
    if (lo == z && hi == 255) {
      node.op = "Relu";
      node.inputs = {before.value};
    } else {
      node.op = "Clip";
      node.inputs = {before.value, number(clamped + ".low", lo == 0 ? std::numeric_limits<float>::lowest() : bound(lo)),
                     number(clamped + ".high", hi == 255 ? std::numeric_limits<float>::max() : bound(hi))};
    }
    add(std::move(node));
    made_.values.erase(before.value);
    quantize(clamped, clamped, before.its);
  }

  void narrow(const std::string& value, const QuantizedValue& its, std::int64_t offset) {
    made_.values.at(value) = its;
    integers_[output()] = {value, its, offset};
  }

  std::string number(const std::string& name, float value) {
    add_floats(name, {}, std::string(reinterpret_cast<const char*>(&value), sizeof(float)));
    return name;
  }

  void read_integer_operator(const IntegerOperator& known) {
    std::vector<std::string> inputs;
    for (const Triple& triple : known.inputs) {
      const std::string& q = input(triple.value);
      if (tensor(q) != nullptr) {
        const std::string name = output() + fmt::format(".input{}", inputs.size());
        read_constant(q, triple.value, triple.scale, triple.zero_point, name);
        inputs.push_back(name);
        continue;
      }
      const QuantizedValue its = parameters(triple.scale, triple.zero_point);
      if (!integers_.contains(q)) fail(fmt::format("'{}' isn't what a quantizer makes", q));
      expect_same(q, its);
      inputs.push_back(integers_.at(q).value);
    }
    if (known.bias && has(*known.bias)) {
      inputs.push_back(output() + ".bias");
      read_bias(*known.bias, inputs.back(), known);
    }
    Node node = like(known.becomes, inputs);
    if (node.name.empty()) node.name = output();
    if (node_->domain == "com.microsoft") node.attributes.erase("channels_last");
    add(std::move(node));
    if (known.otherwise) made_.otherwise.push_back(place());
    if (!has(known.y_scale)) {  // floats
      floats_[output()] = output();
      return;
    }
    quantize(output(), output(), parameters(known.y_scale, known.y_zero_point));
  }

  void read_bias(std::size_t i, const std::string& name, const IntegerOperator& known) {
    const Constant bias = constant(i, "bias");
    const float x_scale = scales(known.inputs[0].scale).front();
    const std::vector<float> w_scale = scales(known.inputs[1].scale);
    if (bias.type != ElementType::i32 || bias.shape.size() != 1) fail("its bias isn't a list of int32");
    QuantizedConstant kept{{}, 0, 32};
    std::string raw;
    for (std::int64_t c = 0; c < bias.count(); ++c) {
      const float step = x_scale * w_scale[w_scale.size() == 1 ? 0 : static_cast<std::size_t>(c) % w_scale.size()];
      kept.scale.push_back(step);
      const float value = static_cast<float>(bias.integers[static_cast<std::size_t>(c)]) * step;
      raw.append(reinterpret_cast<const char*>(&value), sizeof(float));
    }
    add_floats(name, bias.shape, std::move(raw));
    made_.constants[name] = std::move(kept);
  }

  // Integers that only move.
  void read_moving() {
    if (!node_->domain.empty() || std::find(moving.begin(), moving.end(), node_->op) == moving.end())
      fail("reads integers, expected an operator that only moves them");
    std::vector<std::string> inputs;
    std::optional<Integers> moved;
    for (const std::string& name : node_->inputs) {
      const auto it = integers_.find(name);
      if (it == integers_.end()) {
        inputs.push_back(name);
        continue;
      }
      if (moved && (!(moved->its == it->second.its) || moved->offset != it->second.offset)) fail("it joins integers of different scales");
      moved = it->second;
      inputs.push_back(it->second.value);
    }
    if (node_->op == "Pad" && inputs.size() > 2) inputs.resize(2);  // with the zero point, which is 0.0
    Node node = like(node_->op, inputs);
    for (const std::string& name : node.outputs) {
      integers_[name] = {name, moved->its, moved->offset};
    }
    add(std::move(node));
  }

  // Outputs that were integers, or what these stand for, have their names.
  void finish() {
    std::set<std::string, std::less<>> yielded;
    for (const Node& node : made_.model.nodes) yielded.insert(node.outputs.begin(), node.outputs.end());
    for (const ValueInfo& output : model_.outputs) {
      const auto q = integers_.find(output.name);
      const std::string from = q != integers_.end() ? q->second.value : float_of(output.name);
      if (from == output.name || failed_.contains(output.name)) continue;
      Node node;
      node.op = "Identity";
      node.name = output.name;
      node.inputs = {from};
      node.outputs = {output.name};
      if (!yielded.contains(output.name)) add(std::move(node));
    }
    for (ValueInfo& output : made_.model.outputs) output.type = ElementType::f32;
    for (const auto& [value, node] : between_) {
      if (made_.values.contains(value)) made_.otherwise.push_back(node);
    }
    check_float_readers();
  }

  // All readers of a quantized value read its integers, here.
  void check_float_readers() {
    std::map<std::string, std::string, std::less<>> in_float;
    for (const Node& node : model_.nodes) {
      if (node.op == "QuantizeLinear") continue;
      for (const std::string& name : node.inputs) in_float.emplace(name, node.name.empty() ? node.op : node.name);
    }
    for (const ValueInfo& output : model_.outputs) in_float.emplace(output.name, "the model's output");
    for (const auto& [name, its] : made_.values) {
      const auto reader = in_float.find(name);
      if (reader == in_float.end() || integers_.contains(name)) continue;
      made_.problems.push_back(
          fmt::format("{}: quantizes '{}', which '{}' reads in float, expected one way for all readers", its.node, name, reader->second));
    }
  }

  struct Integers {
    std::string value;  // of the float model
    QuantizedValue its;
    std::int64_t offset = 0;  // by which the file's integers are larger
  };

  const Model& model_;
  const bool symmetric_;
  Dequantized made_;
  const Node* node_ = nullptr;
  std::map<std::string, std::size_t, std::less<>> uses_;
  std::map<std::string, const Tensor*, std::less<>> tensors_;
  std::map<std::string, Integers, std::less<>> integers_;     // values of the file that are integers
  std::map<std::string, std::string, std::less<>> floats_;    // what DequantizeLinear yields, by the float model's value
  std::vector<std::pair<std::string, std::string>> between_;  // results of nodes between DequantizeLinear that runtimes fuse, and the nodes
  std::set<std::string, std::less<>> failed_;
};

}  // namespace

bool is_quantized(const Model& model) {
  return std::any_of(model.nodes.begin(), model.nodes.end(), [](const Node& node) {
    if (node.op == "QuantizeLinear" && node.domain.empty()) return true;
    return std::any_of(integer_operators().begin(), integer_operators().end(),
                       [&](const IntegerOperator& known) { return node.op == known.name && node.domain == known.domain; });
  });
}

Dequantized dequantized(const Model& model) {
  Dequantized made = Reading(model, false).run();
  const auto is_symmetric = [](const auto& each) { return each.second.symmetric; };
  const bool some = std::any_of(made.values.begin(), made.values.end(), is_symmetric);
  return some && !std::all_of(made.values.begin(), made.values.end(), is_symmetric) ? Reading(model, true).run() : std::move(made);
}

}  // namespace stair::frontend::onnx
