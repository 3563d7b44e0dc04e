#include "runtime/shard_reduction.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "frontend/compile.h"
#include "ir/random.h"
#include "tests/runtime/support.h"
#include "tests/runtime/threads_communicator.h"

using namespace stair;
using runtime::Communicator;

namespace {

// Outputs of every reduction and element type, of odd sizes, that are the inputs.
ir::Graph passing_on() {
  ir::Graph graph;
  graph.add_output("kept", graph.add_input("kept", {ir::DType::f32, {2}}));
  for (const char* how : {"mean", "sum", "min", "max"}) {
    for (const auto& [name, dtype] : {std::pair{"f32", ir::DType::f32}, std::pair{"f64", ir::DType::f64}, std::pair{"i32", ir::DType::i32},
                                      std::pair{"i64", ir::DType::i64}}) {
      if (std::string(how) == "mean" && name[0] == 'i') continue;
      const std::string output = std::string(how) + ":" + name;
      graph.add_output(output, graph.add_input(output, {dtype, {how[1] == 'e' ? 13 : 5}}));
    }
  }
  return graph;
}

template <class T>
void fill(const runtime::Tensor& tensor, std::uint64_t shard, std::uint64_t stream) {
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    const auto bits = static_cast<std::int64_t>(ir::random_bits(7, stream, shard, static_cast<std::uint64_t>(i)) % 2'000'001);
    tensor.as<T>()[i] = static_cast<T>(static_cast<double>(bits - 1'000'000) * (std::is_integral_v<T> ? 1.0 : 1e-3));
  }
}

std::vector<runtime::Tensor> values_of(const ir::Graph& graph, std::uint64_t shard) {
  std::vector<runtime::Tensor> values;
  for (const ir::ValueId input : graph.inputs()) {
    values.emplace_back(graph.type(input));
    const std::uint64_t stream = values.size();
    switch (graph.type(input).dtype) {
      case ir::DType::f32:
        fill<float>(values.back(), shard, stream);
        break;
      case ir::DType::f64:
        fill<double>(values.back(), shard, stream);
        break;
      case ir::DType::i32:
        fill<std::int32_t>(values.back(), shard, stream);
        break;
      default:
        fill<std::int64_t>(values.back(), shard, stream);
    }
  }
  return values;
}

// The definition: one shard after another.
template <class T>
void reduce(const std::string& how, const runtime::Tensor& next, const runtime::Tensor& into) {
  for (std::int64_t i = 0; i < into.count(); ++i) {
    T& value = into.as<T>()[i];
    const T more = next.as<T>()[i];
    value = how == "min" ? std::min(value, more) : how == "max" ? std::max(value, more) : static_cast<T>(value + more);
  }
}

std::vector<runtime::Tensor> expected(const ir::Graph& graph, std::int64_t shards) {
  std::vector<runtime::Tensor> all = values_of(graph, 0);
  for (std::int64_t shard = 1; shard < shards; ++shard) {
    const std::vector<runtime::Tensor> next = values_of(graph, static_cast<std::uint64_t>(shard));
    for (std::size_t i = 1; i < all.size(); ++i) {
      const std::string how = graph.outputs()[i].name.substr(0, graph.outputs()[i].name.find(':'));
      switch (all[i].type().dtype) {
        case ir::DType::f32:
          reduce<float>(how, next[i], all[i]);
          break;
        case ir::DType::f64:
          reduce<double>(how, next[i], all[i]);
          break;
        case ir::DType::i32:
          reduce<std::int32_t>(how, next[i], all[i]);
          break;
        default:
          reduce<std::int64_t>(how, next[i], all[i]);
      }
    }
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (!graph.outputs()[i].name.starts_with("mean")) continue;
    for (std::int64_t k = 0; k < all[i].count(); ++k) {
      if (all[i].type().dtype == ir::DType::f32) all[i].as<float>()[k] /= static_cast<float>(shards);
      if (all[i].type().dtype == ir::DType::f64) all[i].as<double>()[k] /= static_cast<double>(shards);
    }
  }
  all.erase(all.begin());  // "kept" is no shared value
  return all;
}

}  // namespace

TEST_CASE("values are reduced in the order of shards, whichever process has them, step after step") {
  for (const auto& sizes : {std::pair{1, 1}, std::pair{5, 1}, std::pair{12, 2}, std::pair{12, 3}, std::pair{12, 4}, std::pair{12, 12},
                            std::pair{7, 7}, std::pair{3, 3}}) {
    const int shards = sizes.first;
    const int processes = sizes.second;
    CAPTURE(shards);
    CAPTURE(processes);
    const ir::Graph graph = passing_on();
    const std::vector<runtime::Tensor> all = expected(graph, shards);
    std::vector<std::string> differing(static_cast<std::size_t>(processes));
    tests::with_processes(processes, [&](Communicator& communicator) {
      std::string& mine = differing[static_cast<std::size_t>(communicator.rank())];
      runtime::Tensors none;
      runtime::Executor executor = frontend::training_executor(graph, none, {});
      runtime::ShardReduction reduction(graph, shards, communicator, 2);
      for (int step = 0; step < 2; ++step) {
        for (std::int64_t shard = communicator.rank(); shard < shards; shard += communicator.size()) {
          const std::vector<runtime::Tensor> values = values_of(graph, static_cast<std::uint64_t>(shard));
          std::vector<ir::TensorView> inputs;
          for (const runtime::Tensor& value : values) inputs.push_back(value.view());
          executor.run(inputs);
          reduction.add(executor);
        }
        const std::vector<ir::TensorView> found = reduction.finish();
        if (found.size() != all.size()) mine += "another number of values ";
        for (std::size_t i = 0; i < all.size(); ++i) {
          if (!tests::same_bytes(found[i], all[i].view())) mine += graph.outputs()[i + 1].name + " ";
        }
      }
    });
    for (const std::string& mine : differing) CHECK(mine == "");
  }
}
