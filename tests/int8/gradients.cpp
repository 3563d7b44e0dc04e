#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "backends/int8/backend.h"
#include "backends/int8/isa.h"
#include "backends/int8/kernels.h"
#include "passes/plan_memory.h"
#include "runtime/executor.h"
#include "tests/int8/random.h"
#include "tests/support/seeds.h"

// Gradients of convolutions and linear layers by integers: sums of floats, within what such sums round to; the same bits for any number of
// threads.

namespace stair::tests {
namespace {

struct Found {
  std::vector<float> values;
  std::size_t steps;
};

class Gradient {
 public:
  explicit Gradient(Random& random) : random_(random) {
    if (random(0, 3) == 0) {
      add_matrix_product();
    } else {
      add_convolution();
    }
  }

  // A single element of dy stays, of a convolution at the end of a row: each element of the gradient is one product.
  void keep_one() {
    runtime::Tensor& dy = inputs_.front();
    const ir::Shape& shape = dy.view().type.shape;
    const std::int64_t row = random_(0, dy.view().count() / shape.back() - 1);
    float& kept = dy.as<float>()[(row + 1) * shape.back() - 1];
    const float value = kept;
    std::fill_n(dy.as<float>(), dy.view().count(), 0.0F);
    kept = value;
  }

  Found run(const char* backend, int threads) const {
    runtime::Tensors states;
    *states.emplace("zero", runtime::Tensor({ir::DType::i32, {1}})).first->second.as<std::int32_t>() = zero_point_;
    const auto planner = [](const ir::Graph& of, const ir::Schedule& schedule) { return passes::plan_memory(of, schedule); };
    runtime::Executor executor(graph_, planner, states, {{&backends::named(backend)}, threads});
    std::vector<ir::TensorView> inputs;
    for (const runtime::Tensor& tensor : inputs_) inputs.push_back(tensor.view());
    executor.run(inputs);
    const ir::TensorView view = executor.output("gradient");
    return {{view.as<float>(), view.as<float>() + view.count()}, executor.assignments().size()};
  }

 private:
  // Of a linear layer of n images: dy w, or dy transposed times x.
  void add_matrix_product() {
    const std::int64_t n = random_(16, 130);
    const std::int64_t out = random_(16, 200);
    const std::int64_t in = random_(100, 300);
    dy_ = floats("dy", {n, out});
    const bool by_weights = random_.coin();
    const ir::Attributes attributes{{"transpose_a", by_weights}, {"quantize", false}};
    if (by_weights) {
      add("matmul", random_.pick({ir::DType::u8, ir::DType::s8}), {n, in}, 1, attributes);
    } else {
      add("matmul", ir::DType::s8, {out, in}, random_.coin() ? out : 1, attributes);
    }
  }

  void add_convolution() {
    Random& random = random_;
    const ir::Shape kernel{random(1, 5), random(1, 5)};
    const ir::Attributes window{{"stride", std::vector<std::int64_t>{random(1, 3), random(1, 3)}},
                                {"padding", std::vector<std::int64_t>{random(0, 2), random(0, 2), random(0, 2), random(0, 2)}},
                                {"dilation", std::vector<std::int64_t>{random(1, 2), random(1, 2)}}};
    const std::int64_t width = random.coin() ? random(9, 40) : random.pick<std::int64_t>({16, 30, 32});  // rows that are nearly whole lines
    const bool wide = random(0, 5) == 0;  // its channels are worked on in groups
    const ir::Shape x = wide ? ir::Shape{random.pick<std::int64_t>({1, 3, 9}), random(70, 150), random(9, 12), random(9, 12)}
                             : ir::Shape{random(1, 12), random.coin() ? random(8, 50) : random(1, 20), random(9, 40), width};
    const ir::Shape w{wide ? random(150, 300) : random(8, 70), x[1], kernel[0], kernel[1]};
    ir::Graph forward;
    const ir::ValueId y = forward.emit(
        "conv2d", {forward.add_input("x", {ir::DType::f32, x}), forward.add_input("w", {ir::DType::f32, w}), ir::absent}, window);
    dy_ = floats("dy", forward.type(y).shape);
    ir::Attributes attributes = forward.nodes().front().attributes;
    attributes.erase("quantize");
    if (random.coin()) {
      attributes.set("weight_shape", w);
      add("conv2d_grad_weight", random.pick({ir::DType::u8, ir::DType::s8}), x, 1, attributes);
    } else {
      attributes.set("input_shape", x);
      add("conv2d_grad_input", ir::DType::s8, w, random.coin() ? w[0] : 1, attributes);
    }
  }

  void add(const char* op, ir::DType dtype, const ir::Shape& shape, std::int64_t scales, const ir::Attributes& attributes) {
    const ir::ValueId q = input("q", {dtype, shape});
    for (std::int64_t i = 0; i < inputs_.back().view().count(); ++i)
      inputs_.back().as<std::uint8_t>()[i] = static_cast<std::uint8_t>(random_(0, 255));
    const ir::ValueId scale = floats("scale", {scales});
    ir::State constant;
    constant.role = ir::StateRole::constant;
    const ir::ValueId zero = graph_.add_state("zero", {ir::DType::i32, {1}}, constant);
    zero_point_ = static_cast<std::int32_t>(dtype == ir::DType::u8 ? random_(0, 255) : scales > 1 ? 0 : random_(-128, 127));
    const ir::ValueId real = graph_.emit("dequantize", {q, scale, zero});
    graph_.add_output("gradient", graph_.emit(op, {dy_, real}, attributes));
  }
  ir::ValueId input(const char* name, const ir::Type& type) {
    inputs_.emplace_back(type);
    return graph_.add_input(name, type);
  }
  ir::ValueId floats(const char* name, const ir::Shape& shape) {
    const ir::ValueId id = input(name, {ir::DType::f32, shape});
    for (std::int64_t i = 0; i < inputs_.back().view().count(); ++i)
      inputs_.back().as<float>()[i] = random_.real(0.001F, 1) * random_.pick({1.0F, -1.0F, 1e-3F});
    return id;
  }

  Random& random_;
  ir::Graph graph_;
  std::vector<runtime::Tensor> inputs_;
  std::int32_t zero_point_ = 0;
  ir::ValueId dy_ = ir::absent;
};

// Without tiles floats are as fast, and the int8 backend takes no gradient: the reference would be compared with itself.
bool has_gradients() {
  const bool has = backends::int8::kernels_of(backends::int8::chosen_isa()).weight_gradient != nullptr;
  if (!has) MESSAGE("skipped: gradients on integers need AMX, which this machine hasn't");
  return has;
}

}  // namespace

TEST_CASE("gradients by dequantized integers are those by floats") {
  if (!has_gradients()) return;
  for (const std::uint64_t seed : seeds(60)) {
    INFO(replay(seed));
    Random random(seed);
    const Gradient gradient(random);
    const std::vector<float> expected = gradient.run("reference", 2).values;
    const auto magnitude = [](float a, float b) { return std::fabs(a) < std::fabs(b); };
    const float bound = 2e-5F * std::fabs(*std::max_element(expected.begin(), expected.end(), magnitude));
    const Found found = gradient.run("int8", 1);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!(std::fabs(found.values[i] - expected[i]) <= bound))
        FAIL("element " << i << " is " << found.values[i] << ", expected " << expected[i]);
    }
    for (const int threads : {2, 3}) CHECK((gradient.run("int8", threads).values == found.values));
  }
}

TEST_CASE("gradients by dequantized integers lose no bits of a float") {
  if (!has_gradients()) return;
  for (const std::uint64_t seed : seeds(60)) {
    INFO(replay(seed));
    Random random(seed);
    Gradient gradient(random);
    gradient.keep_one();
    const std::vector<float> expected = gradient.run("reference", 1).values;
    const std::vector<float> found = gradient.run("int8", 1).values;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (!(std::fabs(found[i] - expected[i]) <= 1e-6F * std::fabs(expected[i])))
        FAIL("element " << i << " is " << found[i] << ", expected " << expected[i]);
    }
  }
}

TEST_CASE("where the variant has tiles of bfloat16, they run as one kernel") {
  const bool tiles = backends::int8::kernels_of(backends::int8::chosen_isa()).weight_gradient != nullptr;
  std::size_t together = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    together += Gradient(random).run("int8", 1).steps == 1 ? 1 : 0;
  }
  CHECK((together > 25) == tiles);
}

}  // namespace stair::tests
