#include "ir/check_data.h"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "ir/error.h"

using namespace stair;

namespace {

// x -> quantize with a scale and zero points of the kinds that a test wants.
struct Quantizer {
  ir::Graph graph;
  ir::ValueId x = graph.add_input("x", {ir::DType::f32, {4}});
  ir::ValueId scale = graph.add_state("scale", {ir::DType::f32, {1}}, {ir::absent, ir::StateRole::constant, {}, {}});
  float scale_value = 0.5F;
  std::int32_t zero_value = 3;

  ir::ValueId constant_zero() { return graph.add_state("zero", {ir::DType::i32, {1}}, {ir::absent, ir::StateRole::constant, {}, {}}); }
  void quantize(ir::ValueId zero) { graph.add("quantize", {x, scale, zero}, {{"lo", std::int64_t{0}}, {"hi", std::int64_t{15}}}, "q"); }
  // The error, "" for none.
  std::string check() {
    try {
      ir::check_data(graph, [&](const ir::State& state) -> ir::TensorView {
        const ir::Type& type = graph.type(state.value);
        if (type.dtype == ir::DType::f32) return {type, &scale_value};
        return {type, &zero_value};
      });
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("a zero point that is a constant lies in the range of its quantizer") {
  Quantizer q;
  q.quantize(q.constant_zero());
  CHECK(q.check().empty());
  q.zero_value = 15;
  CHECK(q.check().empty());
  q.zero_value = 16;
  CHECK(q.check() == "quantize 'q': operand 'zero_point' holds 16, expected [0, 15]");
  q.zero_value = 1'000'000;
  CHECK(q.check() == "quantize 'q': operand 'zero_point' holds 1000000, expected [0, 15]");
  q.zero_value = std::numeric_limits<std::int32_t>::min();
  CHECK(q.check() == "quantize 'q': operand 'zero_point' holds -2147483648, expected [0, 15]");
}

TEST_CASE("a scale that is a constant is positive and finite") {
  Quantizer q;
  q.quantize(q.constant_zero());
  for (const float wrong : {0.0F, -1.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    q.scale_value = wrong;
    CHECK(q.check().starts_with("quantize 'q': element 0 of operand 'scale' is "));
  }
}

TEST_CASE("a zero point that is computed passes where the op that computes it keeps it in the range") {
  Quantizer q;
  const ir::ValueId low = q.graph.add_input("low", {ir::DType::f32, {1}});
  const auto parameters = [&](std::int64_t hi) {
    return q.graph.add("affine_parameters", {low, low}, {{"lo", std::int64_t{0}}, {"hi", hi}}, "p").results[1];
  };
  q.quantize(parameters(15));
  CHECK(q.check().empty());
  q.quantize(parameters(255));
  CHECK(q.check().starts_with("quantize 'q_2': operand 'zero_point' is computed or fed, and may be anything, expected [0, 15]"));
}

TEST_CASE("a zero point that is fed doesn't pass, nor one that updates change") {
  Quantizer fed;
  fed.quantize(fed.graph.add_input("zero", {ir::DType::i32, {1}}));
  CHECK(fed.check().starts_with("quantize 'q': operand 'zero_point' is computed or fed"));
  Quantizer updated;
  const ir::ValueId zero = updated.constant_zero();
  CHECK_THROWS_WITH_AS(updated.graph.add_update(zero, zero), "update of 'zero', which is a constant", Error);
}

TEST_CASE("shifts and mantissas of fixed-point multipliers stay where they can be applied") {
  ir::Graph graph;
  const auto integers = [&](const char* name, ir::Shape shape) {
    return graph.add_state(name, {ir::DType::i32, std::move(shape)}, {ir::absent, ir::StateRole::constant, {}, {}});
  };
  const ir::ValueId acc = graph.add_input("acc", {ir::DType::i32, {2, 3}});
  const ir::ValueId mantissa = integers("mantissa", {3});
  const ir::ValueId shift = integers("shift", {3});
  graph.add("requantize_fixed", {acc, mantissa, shift, integers("zero", {1}), ir::absent, integers("range", {2})},
            {{"lo", std::int64_t{-127}}, {"hi", std::int64_t{127}}}, "q");
  std::map<std::string, std::vector<std::int32_t>> values{
      {"mantissa", {1 << 30, 1 << 30, 1 << 30}}, {"shift", {0, -31, 30}}, {"zero", {0}}, {"range", {0, 100}}};
  const auto check = [&] {
    ir::check_data(graph, [&](const ir::State& state) {
      return ir::TensorView{graph.type(state.value), values.at(graph.value(state.value).name).data()};
    });
  };
  CHECK_NOTHROW(check());
  values["shift"][1] = -32;
  CHECK_THROWS_WITH_AS(check(), "requantize_fixed 'q': operand 'shift' holds -32, expected [-31, 30]", Error);
  values["shift"][1] = 0;
  values["mantissa"][2] = -5;
  CHECK_THROWS_WITH_AS(check(), "requantize_fixed 'q': operand 'mantissa' holds -5, expected [0, 2147483647]", Error);
  values["mantissa"][2] = 5;
  values["range"] = {100, 0};
  CHECK_THROWS_WITH_AS(check(), "requantize_fixed 'q': operand 'range' is [100, 0], expected the least integer first", Error);
  values["range"] = {-128, 0};
  CHECK_THROWS_WITH_AS(check(), "requantize_fixed 'q': operand 'range' holds -128, expected [-127, 127]", Error);
}
