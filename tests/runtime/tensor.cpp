#include "runtime/tensor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ir/text.h"
#include "tests/runtime/support.h"

using namespace stair;
using tests::error_of;

namespace {

runtime::Tensors states_of(const std::string& states, std::uint64_t seed) {
  runtime::Tensors tensors;
  runtime::initialize_states(ir::parse("sir 1\ngraph \"g\"\n" + states, "text"), seed, tensors);
  return tensors;
}

struct Statistics {
  double mean = 0, deviation = 0, low = INFINITY, high = -INFINITY, within_one_deviation = 0;
};

Statistics statistics(const runtime::Tensor& tensor, double a) {
  Statistics s;
  const auto n = static_cast<double>(tensor.count());
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    const double x = static_cast<double>(tensor.as<float>()[i]);
    s.mean += x / n;
    s.deviation += x * x / n;
    s.low = std::min(s.low, x);
    s.high = std::max(s.high, x);
    s.within_one_deviation += std::abs(x) < a ? 1 / n : 0;
  }
  s.deviation = std::sqrt(s.deviation - s.mean * s.mean);
  return s;
}

}  // namespace

TEST_CASE("first values are a pure function of seed and name") {
  const std::string a = "%a = state parameter uniform(0.5) : f32[4,5]\n";
  const std::string b = "%b = state parameter uniform(0.5) : f32[4,5]\n";
  const std::string c = "%c = state parameter normal(0.5) : f32[7]\n";
  const runtime::Tensors all = states_of(a + b + c, 3);
  CHECK(tests::differing(states_of(c + b + a, 3), all) == "");
  CHECK(tests::same_bytes(states_of(b, 3).find("b")->second.view(), all.find("b")->second.view()));
  CHECK(tests::differing(states_of(a + b + c, 4), all) == "a b c");
  CHECK(!tests::same_bytes(all.find("a")->second.view(), all.find("b")->second.view()));
}

TEST_CASE("uniform values fill (-a, a) evenly") {
  const runtime::Tensors states = states_of("%w = state parameter uniform(0.25) : f32[200,200]\n", 1);
  const Statistics s = statistics(states.find("w")->second, 0.25 / 2);
  CHECK(s.low >= -0.25);
  CHECK(s.high < 0.25);
  CHECK(s.low < -0.2499);
  CHECK(s.high > 0.2499);
  CHECK(std::abs(s.mean) < 0.003);
  CHECK(s.deviation == doctest::Approx(0.25 / std::sqrt(3.0)).epsilon(0.01));
  CHECK(s.within_one_deviation == doctest::Approx(0.5).epsilon(0.02));
}

TEST_CASE("normal values have their deviation and shape") {
  const runtime::Tensors states = states_of("%w = state parameter normal(2.0) : f32[200,200]\n", 1);
  const Statistics s = statistics(states.find("w")->second, 2);
  CHECK(std::abs(s.mean) < 0.04);
  CHECK(s.deviation == doctest::Approx(2).epsilon(0.01));
  CHECK(s.within_one_deviation == doctest::Approx(0.6827).epsilon(0.01));
  CHECK(s.high > 3 * 2);
  CHECK(s.high < 6 * 2);
  CHECK(s.low < -3 * 2);
  CHECK(s.low > -6 * 2);
}

TEST_CASE("constants are written in every type") {
  const runtime::Tensors states = states_of(
      "%a = state counter constant(3.0) : f32[2]\n%b = state counter constant(3.0) : f64[2]\n%c = state counter constant(-3.0) : s8[2]\n"
      "%d = state counter constant(3.0) : u8[2]\n%e = state counter constant(-3.0) : i32[2]\n%f = state counter constant(3.0) : i64[2]\n",
      0);
  CHECK(states.find("a")->second.as<float>()[1] == 3);
  CHECK(states.find("b")->second.as<double>()[1] == 3);
  CHECK(states.find("c")->second.as<std::int8_t>()[1] == -3);
  CHECK(states.find("d")->second.as<std::uint8_t>()[1] == 3);
  CHECK(states.find("e")->second.as<std::int32_t>()[1] == -3);
  CHECK(states.find("f")->second.as<std::int64_t>()[1] == 3);
}

TEST_CASE("what is there stays, if it is of the right type; what must come from a file must be there") {
  const ir::Graph graph =
      ir::parse("sir 1\ngraph \"g\"\n%a = state parameter uniform(0.5) : f32[2]\n%b = state constant external : s8[3]\n", "text");
  runtime::Tensors states;
  states.emplace("a", runtime::Tensor({ir::DType::f32, {2}}));
  states.find("a")->second.as<float>()[0] = 42;
  CHECK(error_of([&] { runtime::initialize_states(graph, 0, states); }) == "tensor 'b' (s8[3]) is missing");
  states.emplace("b", runtime::Tensor({ir::DType::s8, {3}}));
  runtime::initialize_states(graph, 0, states);
  CHECK(states.find("a")->second.as<float>()[0] == 42);
  states.insert_or_assign("a", runtime::Tensor({ir::DType::f32, {2, 1}}));
  CHECK(error_of([&] { runtime::initialize_states(graph, 0, states); }) == "tensor 'a' is f32[2,1], the model expects f32[2]");
}

TEST_CASE("a tensor's memory is aligned and zero, a clone is its own") {
  for (const std::int64_t count : {1, 3, 64, 1000}) {
    runtime::Tensor tensor({ir::DType::u8, {count}});
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.view().data) % 64 == 0);
    CHECK(std::count(tensor.as<char>(), tensor.as<char>() + count, '\0') == count);
    runtime::Tensor clone = tensor.clone();
    *clone.as<char>() = 1;
    CHECK(*tensor.as<char>() == 0);
  }
}
