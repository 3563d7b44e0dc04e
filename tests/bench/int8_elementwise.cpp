#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "backends/int8/backend.h"
#include "backends/int8/isa.h"
#include "ir/error.h"
#include "runtime/tensor.h"

// Times what stands around the products of the int8 backend (quantizers, tables, pools, moves) on tensors of the size of images, as nodes:
// microseconds and the bytes of operands and results a second.
// usage: bench_int8_elementwise [ISA] [THREADS]

namespace {

using namespace stair;
using ir::DType;
using ir::Shape;
using ir::ValueId;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A graph of a few nodes that run as one kernel.
class Bench {
 public:
  explicit Bench(std::string name) : name_(std::move(name)) {}

  ValueId input(ir::Type type, double lo, double hi) {
    const ValueId id = graph_.add_input(fmt::format("x{}", inputs_.size()), type);
    inputs_.emplace_back(type);
    fill(inputs_.back().view(), lo, hi);
    return id;
  }
  ValueId scale(double value) { return input({DType::f32, {1}}, value, value); }
  ValueId integer(double value) { return input({DType::i32, {1}}, value, value); }
  ValueId emit(const std::string& op, std::vector<ValueId> operands, ir::Attributes attributes) {
    return graph_.emit(op, std::move(operands), std::move(attributes));
  }

  void time(const backends::Backend& backend, int threads) {
    const ir::Uses uses(graph_);
    const std::vector<ir::NodeId> nodes = backend.group(graph_, uses, 0, [](ir::NodeId) { return true; });
    if (nodes.size() != graph_.nodes().size()) throw InternalError(name_ + " is no group");
    const auto kernel = backend.prepare(graph_, nodes, {});
    std::vector<ir::TensorView> operands;
    for (const ir::NodeId node : nodes) {
      for (const ValueId id : graph_.node(node).operands) {
        const auto at = std::find(graph_.inputs().begin(), graph_.inputs().end(), id) - graph_.inputs().begin();
        operands.push_back(graph_.is_input(id) ? inputs_[static_cast<std::size_t>(at)].view() : ir::TensorView{});
      }
    }
    runtime::Tensor result(graph_.type(graph_.node(nodes.back()).results[0]));
    const std::vector<ir::TensorView> results{result.view()};
    const runtime::Buffer scratch(kernel->scratch_bytes(threads));
    std::vector<double> times;
    for (int i = 0; i < 201; ++i) {
      const double begin = seconds();
      kernel->run({operands, results, scratch.data(), threads});
      times.push_back(seconds() - begin);
    }
    std::sort(times.begin(), times.end());
    const double median = times[times.size() / 2];
    std::size_t bytes = result.bytes();
    for (const runtime::Tensor& tensor : inputs_) bytes += tensor.bytes();
    fmt::print("{:<42} {:9.1f} us {:6.1f} GB/s  {}\n", name_, median * 1e6, static_cast<double>(bytes) / median * 1e-9,
               kernel->description());
  }

 private:
  static void fill(const ir::TensorView& tensor, double lo, double hi) {
    std::uint32_t state = 1;
    for (std::int64_t i = 0; i < tensor.count(); ++i) {
      state = state * 1664525 + 1013904223;
      const double x = lo + (hi - lo) * static_cast<double>(state >> 8) / static_cast<double>(1 << 24);
      switch (tensor.type.dtype) {
        case DType::f32:
          tensor.as<float>()[i] = static_cast<float>(x);
          break;
        case DType::i32:
          tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(x);
          break;
        default:
          tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(static_cast<int>(x));
      }
    }
  }

  std::string name_;
  ir::Graph graph_;
  std::vector<runtime::Tensor> inputs_;
};

const ir::Attributes bytes{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}};
const ir::Attributes to_last{{"permutation", Shape{0, 2, 3, 1}}};
const ir::Attributes to_first{{"permutation", Shape{0, 3, 1, 2}}};

ir::Attributes pooling(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  return {{"kernel", Shape{kernel, kernel}},
          {"stride", Shape{stride, stride}},
          {"padding", Shape{padding, padding, padding, padding}},
          {"layout", std::string("nhwc")}};
}

std::vector<Bench> benches() {
  std::vector<Bench> all;
  const auto add = [&](const char* name, const std::function<void(Bench&)>& build) {
    all.emplace_back(name);
    build(all.back());
  };
  const auto u8 = [](Bench& b, Shape shape) { return b.input({DType::u8, std::move(shape)}, 0, 256); };
  add("quantize 3x224x224", [&](Bench& b) {
    b.emit("quantize", {b.input({DType::f32, {1, 3, 224, 224}}, -2.1, 2.6), b.scale(0.0187), b.integer(113)}, bytes);
  });
  add("quantize 3x224x224 + transpose", [&](Bench& b) {
    const ValueId q = b.emit("quantize", {b.input({DType::f32, {1, 3, 224, 224}}, -2.1, 2.6), b.scale(0.0187), b.integer(113)}, bytes);
    b.emit("transpose", {q}, to_last);
  });
  add("dequantize 56x56x64", [&](Bench& b) { b.emit("dequantize", {u8(b, {1, 56, 56, 64}), b.scale(0.02), b.integer(3)}, {}); });
  for (const char* function : {"add", "mul"}) {
    add(function, [&](Bench& b) {
      ir::Attributes attributes = bytes;
      attributes.set("function", std::string(function));
      b.emit("point_binary",
             {u8(b, {1, 56, 56, 64}), u8(b, {1, 56, 56, 64}), b.scale(0.0213), b.integer(3), b.scale(0.0331), b.integer(9), b.scale(0.0447),
              b.integer(5)},
             attributes);
    });
  }
  add("lookup 112x112x64", [&](Bench& b) { b.emit("lookup", {u8(b, {1, 112, 112, 64}), u8(b, {256})}, {}); });
  add("max pooling 3x3/2 of 112x112x64", [&](Bench& b) { b.emit("max_pool_integer", {u8(b, {1, 112, 112, 64})}, pooling(3, 2, 1)); });
  add("max pooling 2x2/2 of 112x112x64", [&](Bench& b) { b.emit("max_pool_integer", {u8(b, {1, 112, 112, 64})}, pooling(2, 2, 0)); });
  add("max pooling 2x2/2 of 28x28x32", [&](Bench& b) { b.emit("max_pool_integer", {u8(b, {1, 28, 28, 32})}, pooling(2, 2, 0)); });
  add("average of 7x7x512 + requantize", [&](Bench& b) {
    const ValueId acc = b.emit("avg_pool_integer", {u8(b, {1, 7, 7, 512}), b.integer(3)}, pooling(7, 7, 0));
    ir::Attributes attributes = bytes;
    attributes.set("axis", std::int64_t{3});
    b.emit("requantize", {acc, b.scale(0.02), b.integer(3)}, attributes);
  });
  add("transpose 7x7x512 to channels first", [&](Bench& b) { b.emit("transpose", {u8(b, {1, 7, 7, 512})}, to_first); });
  add("transpose 64x56x56 to channels last", [&](Bench& b) { b.emit("transpose", {u8(b, {1, 64, 56, 56})}, to_last); });
  add("concat of 28x28x128 and 28x28x64", [&](Bench& b) {
    b.emit("concat", {u8(b, {1, 28, 28, 128}), u8(b, {1, 28, 28, 64})}, {{"axis", std::int64_t{3}}});
  });
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1) backends::int8::force_isa(backends::int8::isa_named(argv[1]));
    const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
    for (Bench& bench : benches()) bench.time(backends::int8::backend(), threads);
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "bench_int8_elementwise: {}\n", error.what());
    return 2;
  }
}
