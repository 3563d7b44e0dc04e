#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "backends/int8/backend.h"
#include "ir/op.h"
#include "runtime/tensor.h"
#include "tests/int8/random.h"
#include "tests/support/seeds.h"

using namespace stair;

namespace {

// A graph whose nodes the backend runs as one kernel, with the memory of all its values.
struct Program {
  ir::Graph graph;
  std::map<ir::ValueId, runtime::Tensor> tensors;

  ir::TensorView view(ir::ValueId id) const { return id == ir::absent ? ir::TensorView{} : tensors.find(id)->second.view(); }

  template <class T>
  ir::ValueId constant(const std::string& name, ir::DType dtype, const ir::Shape& shape, const std::vector<T>& values) {
    ir::State state;
    state.role = ir::StateRole::constant;
    const ir::ValueId id = graph.add_state(name, {dtype, shape}, state);
    tensors.emplace(id, runtime::Tensor({dtype, shape}));
    std::copy(values.begin(), values.end(), tensors.find(id)->second.as<T>());
    return id;
  }
  ir::ValueId input(tests::Random& random, const std::string& name, ir::DType dtype, const ir::Shape& shape) {
    const ir::ValueId id = graph.add_input(name, {dtype, shape});
    tensors.emplace(id, runtime::Tensor({dtype, shape}));
    const auto bytes = random.integers<std::uint8_t>(ir::element_count(shape), 0, 255);
    std::memcpy(tensors.find(id)->second.view().data, bytes.data(), bytes.size());
    return id;
  }
  ir::ValueId integer(const std::string& name, std::int64_t value) {
    return constant<std::int32_t>(name, ir::DType::i32, {1}, {static_cast<std::int32_t>(value)});
  }
  ir::ValueId number(const std::string& name, float value) { return constant<float>(name, ir::DType::f32, {1}, {value}); }
};

// A convolution or linear layer, a rescale and, where that yields integers and channels are last, an addition of either operand order.
Program random_program(tests::Random& random) {
  Program p;
  const std::int64_t in = random(1, 40);
  const std::int64_t out = random(1, 40);
  const std::int64_t size = random(1, 9);
  const bool linear = random.coin();
  const ir::DType x_type = random.coin() ? ir::DType::u8 : ir::DType::s8;
  const ir::ValueId zero = p.integer("x_zero", x_type == ir::DType::u8 ? random(0, 255) : random(-128, 127));
  ir::ValueId acc = ir::absent;
  const bool channels_first = !linear && random.coin();
  if (linear) {
    const ir::ValueId x = p.input(random, "x", x_type, {size, in});
    const ir::ValueId w = p.constant("w", ir::DType::s8, {out, in}, random.integers<std::int8_t>(out * in, -127, 127));
    acc = p.graph.emit("linear_integer", {x, w, zero});
  } else {
    const std::int64_t images = random(1, 4);
    const ir::Shape x_shape = channels_first ? ir::Shape{images, in, size, size} : ir::Shape{images, size, size, in};
    const ir::ValueId x = p.input(random, "x", x_type, x_shape);
    const ir::ValueId w = p.constant("w", ir::DType::s8, {out, in, 3, 3}, random.integers<std::int8_t>(out * in * 9, -127, 127));
    acc = p.graph.emit("conv2d_integer", {x, w, zero},
                       {{"padding", ir::Shape{1, 1, 1, 1}}, {"layout", std::string(channels_first ? "nchw" : "nhwc")}});
  }
  const ir::Shape shape = p.graph.type(acc).shape;
  const auto axis = channels_first ? std::int64_t{1} : static_cast<std::int64_t>(shape.size()) - 1;
  ir::ValueId bias = ir::absent;
  std::vector<float> multipliers;
  std::vector<float> steps;
  for (std::int64_t c = 0; c < out; ++c) {
    multipliers.push_back(random.real(0.0001F, 0.01F));
    steps.push_back(random.real(-20, 20));
  }
  const std::int64_t bias_kind = random(0, 2);
  if (bias_kind == 1) bias = p.constant("bias", ir::DType::i32, {out}, random.integers<std::int32_t>(out, -3000, 3000));
  if (bias_kind == 2) bias = p.constant("bias", ir::DType::f32, {out}, steps);

  const ir::Attributes range{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}, {"axis", axis}};
  const std::int64_t kind = random(0, 2);
  ir::ValueId q = ir::absent;
  if (kind == 0) {
    p.graph.add_output(
        "y", p.graph.emit("dequantize_accumulator", {acc, p.constant("m", ir::DType::f32, {out}, multipliers), bias}, {{"axis", axis}}));
    return p;
  }
  if (kind == 1) {
    q = p.graph.emit("requantize", {acc, p.constant("m", ir::DType::f32, {out}, multipliers), p.integer("q_zero", 30), bias}, range);
  } else {
    const auto mantissa = random.integers<std::int32_t>(out, 1 << 30, INT32_MAX);
    const auto shift = random.integers<std::int32_t>(out, -12, -6);
    q = p.graph.emit("requantize_fixed",
                     {acc, p.constant("mantissa", ir::DType::i32, {out}, mantissa), p.constant("shift", ir::DType::i32, {out}, shift),
                      p.integer("q_zero", 30), bias},
                     range);
  }
  if (!channels_first && random(0, 3) != 0) {
    const ir::ValueId other = p.input(random, "other", random.coin() ? ir::DType::u8 : ir::DType::s8, shape);
    const ir::ValueId other_zero = p.integer("other_zero", random(0, 100));
    const bool first = random.coin();
    const bool subtract = random.coin();
    const ir::ValueId a = first ? q : other;
    const ir::ValueId b = first ? other : q;
    const ir::ValueId a_zero = first ? p.integer("own_zero", 30) : other_zero;
    const ir::ValueId b_zero = first ? other_zero : p.integer("own_zero", 30);
    const ir::Attributes bounds{{"lo", std::int64_t{-128}}, {"hi", std::int64_t{127}}};
    if (random.coin()) {
      ir::Attributes attributes = bounds;
      attributes.set("function", std::string(subtract ? "sub" : "add"));
      q = p.graph.emit("point_binary",
                       {a, b, p.number("a_scale", random.real(0.01F, 0.1F)), a_zero, p.number("b_scale", random.real(0.01F, 0.1F)), b_zero,
                        p.number("y_scale", random.real(0.02F, 0.2F)), p.integer("y_zero", -7)},
                       attributes);
    } else {
      ir::Attributes attributes = bounds;
      attributes.set("subtract", subtract);
      q = p.graph.emit(
          "add_fixed",
          {a, b, a_zero, b_zero, p.constant("three", ir::DType::i32, {3}, random.integers<std::int32_t>(3, 1 << 30, INT32_MAX)),
           p.constant("shifts", ir::DType::i32, {3}, std::vector<std::int32_t>{-1, 0, -19}), p.integer("y_zero", -7)},
          attributes);
    }
  }
  p.graph.add_output("y", q);
  return p;
}

std::vector<std::byte> bytes_of(const runtime::Tensor& tensor) {
  const auto* data = tensor.as<std::byte>();
  return {data, data + tensor.bytes()};
}

// Each node by the reference.
std::vector<std::byte> expected(Program& p) {
  const backends::Backend& reference = backends::named("reference");
  for (std::size_t n = 0; n < p.graph.nodes().size(); ++n) {
    const ir::Node& node = p.graph.nodes()[n];
    std::vector<ir::TensorView> operands;
    for (const ir::ValueId id : node.operands) operands.push_back(p.view(id));
    p.tensors.insert_or_assign(node.results[0], runtime::Tensor(p.graph.type(node.results[0])));
    const std::vector<ir::TensorView> results{p.view(node.results[0])};
    const std::vector<ir::NodeId> alone{static_cast<ir::NodeId>(n)};
    reference.prepare(p.graph, alone, {})->run({operands, results, nullptr, 1});
  }
  return bytes_of(p.tensors.find(p.graph.output("y"))->second);
}

}  // namespace

TEST_CASE("groups: sums, rescale and addition as one kernel yield what the reference yields node by node") {
  for (const backends::Backend* backend : backends::int8::variants()) {
    for (const std::uint64_t seed : tests::seeds(60)) {
      CAPTURE(backend->name());
      INFO(tests::replay(seed));
      tests::Random random(seed);
      Program p = random_program(random);
      const std::vector<std::byte> correct = expected(p);
      const std::vector<ir::NodeId> nodes = backend->group(p.graph, ir::Uses(p.graph), 0, [](ir::NodeId) { return true; });
      REQUIRE(nodes.size() == p.graph.nodes().size());

      std::vector<ir::TensorView> constants(p.graph.values().size());
      for (const ir::State& state : p.graph.states()) constants[static_cast<std::size_t>(state.value)] = p.view(state.value);
      std::vector<ir::TensorView> operands;
      for (const ir::Node& node : p.graph.nodes()) {
        for (const ir::ValueId id : node.operands) {
          const bool internal = id != ir::absent && p.graph.producer(id) != nullptr;
          operands.push_back(internal ? ir::TensorView{p.graph.type(id), nullptr} : p.view(id));
        }
      }
      // Weights that are packed once, and weights that are packed at each run.
      for (const bool constant : {true, false}) {
        CAPTURE(constant);
        const auto kernel = backend->prepare(p.graph, nodes, constant ? backends::Constants(constants) : backends::Constants());
        CHECK(kernel->isa() == backend->name().substr(5));  // the variant that was asked for
        const runtime::Tensor y(p.graph.type(p.graph.output("y")));
        const std::vector<ir::TensorView> results{y.view()};
        for (const int threads : {1, 2, 5}) {
          CAPTURE(threads);
          const runtime::Buffer scratch(kernel->scratch_bytes(threads));
          kernel->run({operands, results, scratch.data(), threads});
          REQUIRE(bytes_of(y) == correct);
        }
      }
    }
  }
}
